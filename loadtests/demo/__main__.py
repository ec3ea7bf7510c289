"""`python -m loadtests.demo`: the founding scenario, its verdict and its picture; `make demo`."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from loadtests.demo import gateway, panel
from loadtests.demo.judgement import Judgement, judge
from loadtests.demo.parts import end_at_one_signal, run_demo
from loadtests.demo.record import read
from loadtests.mock_gateway.process import DidNotStart, running

RECORD = "record.json"
PICTURE = "timeline.png"
PACE_MAX_S = 600.0
LATENCY_MS = "2-10"
"""Of the mock gateway. Each round trip lengthens the gap after it (the guard), so ten at a real
gateway's 100 ms would put the last message 0.5 s behind the round numbers of the plan."""


def _pace(written: str) -> float:
    try:
        pace_s = float(written)
    except ValueError:
        pace_s = 0.0
    if not 0 < pace_s <= PACE_MAX_S:
        raise argparse.ArgumentTypeError(
            f"must be seconds, above 0 and at most {PACE_MAX_S:g}, not {written!r}"
        )
    return pace_s


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(
        prog="python -m loadtests.demo",
        description="Five people register; ten messages leave at the pace; the gateway judges.",
    )
    add = found.add_argument
    add("--pace", type=_pace, default=10.0, metavar="SECONDS", help="default %(default)s")
    add("--folder", type=Path, default=Path(".demo"), metavar="DIR", help="default %(default)s")
    add("--weather", metavar="FILE.toml", help="what goes wrong at the gateway (default nothing)")
    return found


def main() -> int:
    """Run the demo; 0 clean, 1 not clean, 2 for a bad argument, 130 for Ctrl-C."""
    end_at_one_signal()
    chosen = parser().parse_args()
    console = Console()
    folder: Path = chosen.folder
    _empty(folder)
    weather = ["--weather", str(Path(chosen.weather).resolve())] if chosen.weather else []
    try:
        with running("--latency-ms", LATENCY_MS, "--pace", f"{chosen.pace:f}", *weather) as url:
            console.print(f"mock gateway on {url}; {LATENCY_MS} ms to an answer", highlight=False)
            code = run_demo(url, pace_s=chosen.pace, folder=folder, record=folder / RECORD)
            judgement = _judgement(url, folder)
    except DidNotStart as error:
        console.print(f"the mock gateway did not start: {error}", highlight=False, markup=False)
        return 1
    if judgement is None:
        return code or 1
    _show(console, judgement, folder / PICTURE)
    return 1 if code or judgement.problems else 0


def _empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in (RECORD, PICTURE):
        (folder / name).unlink(missing_ok=True)


def _judgement(url: str, folder: Path) -> Judgement | None:
    """What to think of the run; None: it ended too early to think anything of it."""
    record = read(folder / RECORD)
    if record is None:
        return None
    return judge(record, gateway.log(url), gateway.verdict(url, record))


def _show(console: Console, judgement: Judgement, picture: Path) -> None:
    # Imported here: matplotlib takes a second, better spent after the run than before it.
    from loadtests.demo import timeline

    console.print(panel.render(judgement))
    timeline.save(judgement, picture)
    console.print(f"timeline: {picture}", highlight=False, markup=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
