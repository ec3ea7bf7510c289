"""When people arrive."""

import random

import pytest

from loadtests.shapes import SHAPES

PEOPLE, SECONDS = 20_000, 1_000.0


def _arrivals(shape: str, *, people: int = PEOPLE, seed: int = 5) -> list[float]:
    return SHAPES[shape](people, SECONDS, random.Random(seed))


def _share(arrivals: list[float], first: float, last: float) -> float:
    return sum(first * SECONDS <= at < last * SECONDS for at in arrivals) / len(arrivals)


@pytest.mark.parametrize("shape", SHAPES)
def test_everybody_arrives_in_order_and_in_time(shape: str) -> None:
    arrivals = _arrivals(shape, people=200)

    assert len(arrivals) == 200
    assert arrivals == sorted(arrivals)
    assert arrivals[0] >= 0
    assert arrivals[-1] <= SECONDS


@pytest.mark.parametrize("shape", SHAPES)
def test_arrivals_repeat_with_the_seed_and_differ_without(shape: str) -> None:
    assert _arrivals(shape, people=50) == _arrivals(shape, people=50)
    assert _arrivals(shape, people=50) != _arrivals(shape, people=50, seed=6)


def test_at_once_is_within_a_second_whatever_time_there_is() -> None:
    assert _arrivals("at-once")[-1] < 1.0


def test_an_opening_day_has_half_its_people_in_the_first_quarter() -> None:
    arrivals = _arrivals("opening-day")

    assert _share(arrivals, 0.0, 0.25) == pytest.approx(0.54, abs=0.05)
    assert _share(arrivals, 0.75, 1.0) < 0.1


def test_a_spike_has_most_of_its_people_in_three_hundredths_of_the_time() -> None:
    arrivals = _arrivals("spike")

    assert sum(_share(arrivals, at, at + 0.01) for at in (0.2, 0.45, 0.7)) > 0.6


def test_a_soak_stays_near_its_rate() -> None:
    arrivals = _arrivals("soak")
    tenths = [_share(arrivals, n / 10, (n + 1) / 10) for n in range(10)]

    assert min(tenths) > 0.06
    assert max(tenths) < 0.14
