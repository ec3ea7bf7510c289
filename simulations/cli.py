"""The command line `python -m simulations`: list, run, compare, sweep, twin."""

import sys
from collections.abc import Sequence
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulations.foretell import EXAMPLES as TWIN_EXAMPLES
from simulations.foretell import twin
from simulations.typed import BadInput, Format, chosen_scenario, setting
from simulations.written import ScenarioError

if TYPE_CHECKING:
    from simulations.sweep import Sweep

PROGRAM = "python -m simulations"

HELP = """Run what could happen through the scheduling code that production runs, in virtual time.

Exit codes: 0 done, 1 failed, 2 wrong input."""

EPILOG = """Examples:
  python -m simulations list
  python -m simulations run 200-in-a-minute --pace 8
  python -m simulations compare opening-day
  python -m simulations sweep opening-day --set senders=1,2,3 --out sweeps/senders
  python -m simulations twin sqlite:///waqcore.db --pace 8"""

RUN_EXAMPLES = """Examples:
  python -m simulations run founding-five
  python -m simulations run 200-in-a-minute --senders 2 --set registrations.users=500
  python -m simulations run opening-day --out results --format parquet
  python -m simulations run my-scenario.toml --seed 7 --plot timeline.png"""

COMPARE_EXAMPLES = """Examples:
  python -m simulations compare founding-five
  python -m simulations compare 2000-in-a-minute --out results"""

SWEEP_EXAMPLES = """Examples:
  python -m simulations sweep 200-in-a-minute --set pace=8,10,12 --set senders=1,2 --out sweeps/200
  python -m simulations sweep priority-mix --set order=strict,time-shift --measure low_wait_p95_s"""

NOT_DONE, BAD_INPUT, INTERRUPTED = 1, 2, 130


Name = Annotated[
    str, typer.Argument(metavar="NAME", help="A scenario of `list`, or a path ending in .toml.")
]
Seed = Annotated[int, typer.Option(min=0, help="Of everything that chance decides.")]
Pace = Annotated[float | None, typer.Option(metavar="SECONDS", help="As --set pace=SECONDS.")]
Senders = Annotated[int | None, typer.Option(metavar="N", help="As --set senders=N.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Another value for a key; repeat for more."),
]
Out = Annotated[Path | None, typer.Option(metavar="DIR", help="Write the frames there.")]
As = Annotated[Format, typer.Option("--format", help="Of the frames.")]
Plot = Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw a timeline there.")]


def list_() -> None:
    """List the scenarios that come with this package."""
    from simulations import console, scenario

    console.show(console.scenario_table(scenario.load(name) for name in scenario.names()))


def run(
    name: Name,
    seed: Seed = 0,
    pace: Pace = None,
    senders: Senders = None,
    settings: Settings = None,
    out: Out = None,
    format_: As = Format.CSV,
    plot: Plot = None,
) -> None:
    """Run a scenario once, and say what became of its messages.

    With --out it writes a row for each message, attempt and lane event.
    """
    from simulations import outcome, scenario

    chosen = chosen_scenario(name, pace, senders, settings)
    _check_picture(plot)
    runs = {"": scenario.play(chosen, seed)}
    outcome.tell(chosen, runs, seed)
    outcome.write(chosen, runs, out, format_, plot)


def compare(
    name: Name,
    seed: Seed = 0,
    pace: Pace = None,
    senders: Senders = None,
    settings: Settings = None,
    out: Out = None,
    format_: As = Format.CSV,
    plot: Plot = None,
) -> None:
    """Run a scenario through the old PHP loop and through waqcore, side by side.

    Both meet the same people and the same gateway. The old loop sleeps for the pace after each
    message and is one for all senders.
    """
    from simulations import legacy, outcome, scenario

    chosen = chosen_scenario(name, pace, senders, settings)
    _check_picture(plot)
    prepared = scenario.prepare(chosen, seed)
    old = legacy.simulate(prepared.workload, prepared.gateway, pause_us=chosen.policy.pace_us)
    runs = {"old": old, "new": scenario.play(chosen, seed)}
    outcome.tell(chosen, runs, seed)
    outcome.write(chosen, runs, out, format_, plot)


def sweep(
    name: Name,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=A,B,…", help="Values to try; repeat for a grid."),
    ] = None,
    replications: Annotated[int, typer.Option(min=1, max=100_000, help="Runs of each.")] = 20,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep results there, and go on from there.")
    ] = None,
    measure: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Show this; repeat for more.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Draw the first measure as a heatmap.")
    ] = None,
) -> None:
    """Run a grid of settings, each several times, and show means with 95 % intervals.

    All cores are used. With --out, finished runs are not run again, and everything is in
    runs.parquet and intervals.parquet.
    """
    from simulations import scenario
    from simulations.summary import NAMES
    from simulations.sweep import Sweep

    _check_picture(plot)
    grid = dict(setting(written) for written in settings or ())
    if plot is not None and len(grid) not in (1, 2):
        raise BadInput(f"--plot {plot}: a heatmap has one or two settings, not {len(grid)}")
    for one in measure or ():
        if one not in NAMES:
            raise BadInput(f"there is no measure {one}: write {', '.join(NAMES)}")
    asked = Sweep(scenario=scenario.load(name), grid=grid, replications=replications, seed=seed)
    _sweep(asked, out, measure or (), plot)


def _sweep(asked: "Sweep", out: Path | None, measures: Sequence[str], plot: Path | None) -> None:
    from simulations import console
    from simulations.progress import bar
    from simulations.sweep import SweepError, run_sweep

    kept = f"in {out}" if out is not None else "kept nowhere; --out DIR keeps them"
    try:
        with bar(asked.scenario.name) as report:
            swept = run_sweep(asked, out=out, report=report)
    except SweepError as error:
        _complain(str(error))
        raise typer.Exit(NOT_DONE) from None
    except KeyboardInterrupt:
        _complain(f"stopped; finished runs are {kept}{', the same command goes on' * bool(out)}")
        raise typer.Exit(INTERRUPTED) from None
    for note in swept.notes:
        _complain(f"note: {note}")
    shown = measures or [one for one in console.SWEPT if swept.runs[one].notna().any()]
    console.show(
        console.sweep_table(swept.intervals, list(asked.grid), shown),
        f"\n{len(swept.runs):,} runs, {swept.reused:,} of them found finished; {kept}",
    )
    if plot is not None:
        from simulations import plots

        picture = plots.heatmap(swept.intervals, shown[0], *asked.grid, about=asked.scenario.title)
        console.show(f"wrote {plots.save(picture, plot)}")


def _check_picture(plot: Path | None) -> None:
    if plot is not None and plot.suffix != ".png":
        raise BadInput(f"--plot {plot}: write a name that ends in .png")


def _unwrapped(doc: str | None) -> str:
    # The help would keep the docstring's own line ends inside its narrower lines.
    return "\n\n".join(" ".join(part.split()) for part in cleandoc(doc or "").split("\n\n"))


def _program(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


app = typer.Typer(
    help=HELP,
    epilog=EPILOG,
    rich_markup_mode="rich",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.callback(invoke_without_command=True)(_program)
for _function, _examples in (
    (list_, ""),
    (run, RUN_EXAMPLES),
    (compare, COMPARE_EXAMPLES),
    (sweep, SWEEP_EXAMPLES),
    (twin, TWIN_EXAMPLES),
):
    app.command(
        _function.__name__.strip("_"), help=_unwrapped(_function.__doc__), epilog=_examples
    )(_function)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program, with this process's arguments unless others are given, and end it."""
    try:
        code = app(args=arguments, prog_name=PROGRAM, standalone_mode=False)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        see = f" (see `{context.command_path} --help`)" if context is not None else ""
        _complain(error.format_message().removesuffix(".") + see)
        sys.exit(error.exit_code)
    except (ScenarioError, BadInput) as error:
        _complain(str(error))
        sys.exit(BAD_INPUT)
    except OSError as error:
        _complain(f"{error.filename}: {error.strerror}")
        sys.exit(NOT_DONE)
    except (KeyboardInterrupt, typer.Abort):
        _complain("stopped")
        sys.exit(INTERRUPTED)
    sys.exit(code or 0)


def _complain(text: str) -> None:
    typer.echo(f"simulations: {' '.join(text.split())}", err=True)
