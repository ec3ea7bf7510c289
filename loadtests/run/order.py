"""What one run is to be: a scenario, and what the command line says otherwise."""

import argparse
from pathlib import Path
from typing import NamedTuple

from loadtests.run.scenarios import SCENARIOS

WEATHER = Path(__file__).parent / "weather"
MESSAGES_A_PERSON = 3.0
"""Link, activation, and for most a payment's notice; calls that fail and other traffic on top."""
BUSY = 0.8
PEOPLE_MAX = 999_999
"""Phone numbers that a run can make up."""


class Order(NamedTuple):
    """One run."""

    scenario: str
    shape: str
    seconds: float
    people: int
    hands: int
    processes: int
    pace_s: float
    guard_ms: float
    senders: int
    weather: Path
    kills: int
    drops: int
    full_disks: int
    clock_steps: int
    calm: float
    """The share of the time, at its end, in which nothing is disturbed."""
    apart: bool
    seed: int
    out: Path
    acknowledge_p99_ms: float | None
    failed_share_shown: float | None

    @property
    def numbers(self) -> tuple[str, ...]:
        """The senders' numbers."""
        return tuple(f"62811404070{n}" for n in range(self.senders))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    told = "\n".join(f"  {name:<12} {one.said}" for name, one in SCENARIOS.items())
    found = argparse.ArgumentParser(
        prog="python -m loadtests.run",
        description="Run a load test on the loopback and judge it.",
        epilog=f"Scenarios:\n{told}\n\nEnds with 0 if clean, 1 if not, 2 if it cannot be judged.\n"
        "Ctrl-C ends a run early and judges what there is; twice, it judges nothing.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = found.add_argument
    add("scenario", nargs="?", default="load", choices=SCENARIOS, metavar="SCENARIO")
    add("--pace", type=_positive, metavar="SECONDS", help="between one sender's calls")
    add("--people", type=_count, metavar="N", help="how many register")
    add("--seconds", type=_positive, help="within how long they do")
    add("--users", type=_count, metavar="N", help="registrations under way at once: the ceiling")
    add("--processes", type=_count, default=1, help="Locust workers (default %(default)s)")
    add("--senders", type=_count, metavar="N", help="numbers to send from, at most 9")
    add("--guard-ms", type=_positive, default=250.0, help="default %(default)g, as in production")
    add("--weather", type=_file, metavar="FILE.toml", help="what goes wrong at the gateway")
    add("--kills", type=int, metavar="N", help="how often the service is killed")
    add("--drops", type=int, metavar="N", help="how often the gateway goes away")
    add("--full-disks", type=int, metavar="N", help="how often the disk is full; needs root")
    add("--clock-steps", type=int, metavar="N", help="how often its clock is set; needs cc")
    add("--seed", type=int, default=1, help="of all chance (default %(default)s)")
    add("--out", type=Path, default=Path(".load"), metavar="DIR", help="default %(default)s")
    return found


def of_arguments(chosen: argparse.Namespace) -> Order:
    """The order on a command line."""
    known = SCENARIOS[chosen.scenario]
    pace_s = chosen.pace or known.pace_s
    seconds = chosen.seconds or known.seconds
    senders = min(9, chosen.senders or known.senders)
    busy = BUSY * seconds * senders / ((pace_s + 0.05) * MESSAGES_A_PERSON)
    people = chosen.people or known.people or max(1, round(busy))
    return Order(
        scenario=chosen.scenario,
        shape=known.shape,
        seconds=seconds,
        people=min(people, PEOPLE_MAX),
        hands=chosen.users or known.hands,
        processes=chosen.processes,
        pace_s=pace_s,
        guard_ms=chosen.guard_ms,
        senders=senders,
        weather=chosen.weather or WEATHER / f"{known.weather}.toml",
        kills=_number(chosen.kills, known.kills),
        drops=_number(chosen.drops, known.drops),
        full_disks=_number(chosen.full_disks, known.full_disks),
        clock_steps=_number(chosen.clock_steps, known.clock_steps),
        calm=known.calm,
        apart=known.apart,
        seed=chosen.seed,
        out=chosen.out,
        acknowledge_p99_ms=known.acknowledge_p99_ms,
        failed_share_shown=known.failed_share_shown,
    )


def _number(chosen: int | None, known: int) -> int:
    return known if chosen is None else max(0, chosen)


def _positive(written: str) -> float:
    number = float(written)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0, not {written}")
    return number


def _count(written: str) -> int:
    number = int(written)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {written}")
    return number


def _file(written: str) -> Path:
    path = Path(written).resolve()
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {written}")
    return path
