"""What the command line makes of runs: tables on the screen, frames and a picture on disk."""

from collections.abc import Mapping
from pathlib import Path

from simulations import console
from simulations.files import write_frames
from simulations.run import Run
from simulations.scenario import Scenario
from simulations.summary import measures
from simulations.typed import Format


def tell(chosen: Scenario, runs: Mapping[str, Run], seed: int) -> None:
    """Show what became of the messages of runs of a scenario, beside each other."""
    measured = {
        title: (run, measures(run, warm_up_us=chosen.warm_up_us)) for title, run in runs.items()
    }
    senders = len(chosen.fleet.numbers)
    console.show(
        f"{chosen.name}: {chosen.title}",
        f"{senders} sender{'s' * (senders > 1)}, pace {chosen.policy.pace_us / 1e6:g} s, "
        f"seed {seed}\n",
    )
    summary, waits = console.run_tables(chosen, measured)
    console.show(summary, "", waits)


def write(
    chosen: Scenario,
    runs: Mapping[str, Run],
    out: Path | None,
    format_: Format,
    plot: Path | None,
) -> None:
    """Write the frames into a folder and the picture into a file, where they are asked for."""
    wrote: list[Path] = []
    if out is not None:
        for title, run in runs.items():
            wrote += write_frames(run, out, format_, f"{title}-" if title else "")
    if plot is not None:
        wrote.append(_draw(chosen, runs, plot))
    console.show(*(f"wrote {path}" for path in wrote))


def _draw(chosen: Scenario, runs: Mapping[str, Run], plot: Path) -> Path:
    from simulations import plots  # It takes a second to load.

    frames = [(run.messages(), run.attempt_rows()) for run in runs.values()]
    about, offset_us = chosen.title, chosen.utc_offset_us
    if len(frames) == 1:
        picture = plots.timeline(*frames[0], about=about, utc_offset_us=offset_us)
    else:
        old, new = frames
        picture = plots.old_and_new(old, new, about=about, utc_offset_us=offset_us)
    return plots.save(picture, plot)
