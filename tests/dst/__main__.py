"""`python -m tests.dst`: play many stories on all cores, or one by its seed (`make dst`)."""

import argparse
import os
import sys
import time

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.dst.many import failing
from tests.dst.plan import plan_of
from tests.dst.play import fails, play


def main() -> int:
    """Play what was asked for; returns the exit code, 1 if a promise was broken."""
    asked = _parser().parse_args()
    if asked.seed is not None:
        return _one(asked.seed, show=asked.show)
    return _many(asked.seeds, asked.first, asked.processes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.dst",
        description="Real dispatchers, store and scheduler in virtual time, with faults at every "
        "step; the promises P1 to P6 are judged after each. Every seed replays exactly.",
    )
    parser.add_argument("--seeds", type=int, default=2_000, help="how many stories (2,000)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (0)")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="all cores")
    parser.add_argument("--seed", type=int, help="only this one, and its course if it fails")
    parser.add_argument("--show", action="store_true", help="with --seed: its course in any case")
    return parser


def _one(seed: int, *, show: bool) -> int:
    failure = fails(seed)
    if failure is not None:
        print(failure)
        return 1
    if show:
        print(*play(plan_of(seed))[0], sep="\n")
    print(f"seed {seed}: every promise kept")
    return 0


def _many(seeds: int, first: int, processes: int | None) -> int:
    began = time.monotonic()
    columns = (TextColumn("stories"), MofNCompleteColumn(), TimeRemainingColumn())
    found = 0
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=seeds)
        for played, failure in failing(range(first, first + seeds), processes):
            progress.advance(task, played)
            if failure is not None:
                found += 1
                print(f"{failure}\n")
    kept = "every promise kept" if not found else f"{found} stories in which one was broken"
    print(f"{seeds} stories from seed {first}: {kept}, {time.monotonic() - began:.0f} s")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
