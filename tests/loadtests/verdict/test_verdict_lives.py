"""Memory, minute by minute and life by life: leaks of both kinds are found, and ages are not."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from loadtests.verdict.finding import State
from tests.loadtests.verdict.handmade import HandMade, Line, at

MIB = 1024 * 1024
LIFE_S, END_S = 25, 1_800
FIVE_S = 300

Leak = Callable[[float, float], float]
"""MB that are too much, at a second of the run and of a life."""


def _no_leak(_at_s: float, _age_s: float) -> float:
    return 0.0


def _with_the_database(at_s: float, _age_s: float) -> float:
    """4 MB from minute five to the end, whatever the age."""
    return 4.0 * at_s / (END_S - FIVE_S)


def _with_age(_at_s: float, age_s: float) -> float:
    """4 MB in 25 minutes of one life."""
    return 4.0 * age_s / (END_S - FIVE_S)


def _warm_up(age_s: float) -> float:
    """As the service's: 108 MB to begin with, and 12 more."""
    return 108.0 + 12.0 * (1.0 - math.exp(-age_s / 40.0))


def _life(pid: int, born_s: int, dead_s: int, leak: Leak) -> list[Line]:
    """Samples of a life, a second apart; in its first seconds it loads its code."""
    return [
        {
            "at": at(second),
            "process": "service",
            "pid": pid,
            "rss_bytes": round((_held(second - born_s) + leak(second, second - born_s)) * MIB),
            "handles": 40,
        }
        for second in range(born_s, dead_s)
    ]


def _held(age_s: int) -> float:
    return (20.0, 90.0, 170.0)[age_s] if age_s < 3 else _warm_up(age_s)


def _killed(leak: Leak, *, last_s: int = 100, off: float = 0.0) -> HandMade:
    """A run whose process is killed every 25 seconds but in the end; lives differ by chance."""
    run = HandMade()
    births = range(0, END_S - last_s, LIFE_S)
    for n, born_s in enumerate(births):
        dead_s = END_S if born_s == births[-1] else born_s + LIFE_S
        life = _life(n, born_s, dead_s, leak)
        for sample in life:
            sample["rss_bytes"] += round((off if n % 2 else -off) * MIB)
        run.samples += life
    return run


def test_a_last_life_that_is_older_than_those_of_minute_five_has_not_leaked(tmp_path: Path) -> None:
    run = _killed(_no_leak, off=1.5)

    resources = run.findings(tmp_path)["resources"]
    assert resources.state is State.CLEAN
    risen = resources.measures["service: MB above minute five, at the same age"]
    assert risen == pytest.approx(0.0, abs=0.1)


def test_what_grows_with_the_database_is_found_across_lives(tmp_path: Path) -> None:
    run = _killed(_with_the_database, off=1.5)

    (said,) = run.broken(tmp_path)["resources"]
    assert said == "service ended 4.0 MB above what it held at the same age at minute five"


def test_what_grows_with_the_database_is_found_where_the_end_is_calm(tmp_path: Path) -> None:
    """No life of the last ten minutes has the age of those about minute five."""
    run = _killed(_with_the_database, last_s=600)

    (said,) = run.broken(tmp_path)["resources"]
    assert said == "service ended 4.1 MB above what it held at the same age at minute five"


def test_what_grows_with_age_is_found_in_a_run_that_is_one_life(tmp_path: Path) -> None:
    run = HandMade()
    run.samples = _life(1, 0, END_S, _with_age)

    (said,) = run.broken(tmp_path)["resources"]
    assert said == "service ended 3.9 MB above minute five of its longest life"


def test_what_grows_with_age_is_found_in_the_calm_after_the_kills(tmp_path: Path) -> None:
    run = _killed(lambda _, age_s: 8.0 * _with_age(0, age_s), last_s=600)

    (said,) = run.broken(tmp_path)["resources"]
    assert said.endswith("MB above minute five of its longest life")


def test_a_life_that_warms_up_has_not_leaked(tmp_path: Path) -> None:
    run = HandMade()
    run.samples = _life(1, 0, END_S, _no_leak)

    assert run.findings(tmp_path)["resources"].state is State.CLEAN


def test_a_moment_of_much_memory_is_no_leak(tmp_path: Path) -> None:
    """Passwords are checked with 32 MB each, for a tenth of a second."""
    run = _killed(_no_leak)
    for sample in run.samples[::7]:
        sample["rss_bytes"] += 64 * MIB

    assert run.broken(tmp_path) == {}


def test_lives_that_end_while_they_begin_are_left_out(tmp_path: Path) -> None:
    """What one of them holds is the moment of its start, and no two have the same."""
    run = _killed(_no_leak, last_s=0)
    for n in range(20):
        born_s = END_S + 5 * n
        run.samples += _life(1_000 + n, born_s, born_s + 5, lambda _at_s, _age_s: 60.0)

    assert run.broken(tmp_path) == {}


@pytest.mark.parametrize(
    "births", [range(0, 525, LIFE_S), [0, *range(350, 1_000, LIFE_S)]], ids=["late", "early"]
)
def test_a_few_lives_are_not_judged(tmp_path: Path, births: Sequence[int]) -> None:
    """Too few after minute seven, or one alone at minute five."""
    run = HandMade()
    for n, (born_s, dead_s) in enumerate(pairwise([*births, births[-1] + LIFE_S])):
        run.samples += _life(n, born_s, dead_s, lambda at_s, _: at_s / 10)

    resources = run.findings(tmp_path)["resources"]
    assert resources.state is State.TOLD
    assert resources.said.endswith("too short a run to judge growth by")


def test_handles_that_outlive_a_process_are_found(tmp_path: Path) -> None:
    run = _killed(_no_leak)
    for sample in run.samples:
        sample["handles"] += (sample["at"] - at(0)) // 60_000_000

    (said,) = run.broken(tmp_path)["resources"]
    assert said == "service ended 25.5 handles above what it held at the same age at minute five"
