"""`python -m simulations twin`: the live queue, run forward and told."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulations.typed import BadInput, Format

if TYPE_CHECKING:
    from simulations.run import Run
    from waqcore.core.policy import Sender
    from waqcore.export import Snapshot

LATENCY_US = 300_000
"""How long a call is taken to take."""

EXAMPLES = """Examples:
  python -m simulations twin sqlite:///waqcore.db
  python -m simulations twin sqlite:///waqcore.db --pace 8
  python -m simulations twin sqlite:///waqcore.db --sender 628114040707 --sender 628115550000"""


def twin(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="The queue's address: WAQ_DATABASE_URL.")
    ],
    pace: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0.001, help="What if this were the pace?")
    ] = None,
    sender: Annotated[
        list[str] | None,
        typer.Option(metavar="NUMBER", help="What if these shared the queue? Repeat for more."),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Write the frames there.")] = None,
    format_: Annotated[Format, typer.Option("--format", help="Of the frames.")] = Format.CSV,
    plot: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw a timeline.")] = None,
) -> None:
    """Run a live queue forward from where it stands, and say when its messages leave.

    The queue is only read. Rules are those of the environment's WAQ_ settings, as for a dispatcher;
    without any, those of a new installation. Every call is taken to be accepted, and nothing new to
    come.
    """
    if plot is not None and plot.suffix != ".png":
        raise BadInput(f"--plot {plot}: write a name that ends in .png")
    found, senders = _read(url, sender or [], pace)
    run = _forward(found, senders)
    _tell(run, found)
    _write(run, out, format_, plot)


def _read(url: str, shared: list[str], pace_s: float | None) -> "tuple[Snapshot, list[Sender]]":
    from simulations.twin import spread
    from waqcore import export
    from waqcore.core.instants import microseconds
    from waqcore.core.policy import Policy, Sender

    try:
        found = export.snapshot(url)
        rules = export.configured(os.environ, sorted(found.lanes))
    except (export.StoreError, export.SettingsError) as error:
        raise BadInput(str(error)) from None
    senders = list(rules.values())
    if shared:
        found = spread(found, shared)
        usual = senders[0] if senders else Sender("", "default", Policy())
        calling = {one.sender for one in found.messages} - set(shared)
        senders = [rules.get(one, usual._replace(number=one)) for one in [*shared, *calling]]
    if pace_s is not None:
        pace_us = microseconds(pace_s)
        senders = [s._replace(policy=s.policy._replace(pace_us=pace_us)) for s in senders]
    return found, senders


def _forward(found: "Snapshot", senders: "list[Sender]") -> "Run":
    import numpy as np

    from simulations.latency import Constant
    from simulations.twin import forward
    from simulations.weather import Climate, Weather

    weather = Weather(
        Climate(latency=Constant(us=LATENCY_US)),
        len(found.messages),
        latency_rng=np.random.default_rng(0),
        outcomes_rng=np.random.default_rng(0),
    )
    return forward(found, senders, weather)


def _tell(run: "Run", found: "Snapshot") -> None:
    from simulations import console

    if not found.messages:
        console.show("nothing waits in this queue")
        return
    console.show(console.departures(run, found.at))


def _write(run: "Run", out: Path | None, format_: Format, plot: Path | None) -> None:
    from simulations import console
    from simulations.files import write_frames

    wrote = [] if out is None else write_frames(run, out, format_, "")
    if plot is not None:
        from simulations import plots

        wrote.append(plots.save(plots.timeline(run.messages(), run.attempt_rows()), plot))
    console.show(*(f"wrote {path}" for path in wrote))
