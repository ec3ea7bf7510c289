import numpy as np
import pytest

from simulations.arrivals import AtOnce, Poisson, Rate, Spaced, Stepped, Within, daily
from waqcore.core.instants import DAY, HOUR, MINUTE, SECOND

START = 1_772_334_000_000_000
"""2026-03-01T10:00:00+07:00."""


def chance(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_everybody_at_once_comes_at_one_instant() -> None:
    assert AtOnce(users=3).instants(START, chance()).tolist() == [START, START, START]


def test_those_who_come_one_after_the_other_start_with_the_start() -> None:
    came = Spaced(users=3, every_us=2 * SECOND).instants(START, chance())

    assert came.tolist() == [START, START + 2_000_000, START + 4_000_000]


def test_within_a_minute_means_in_order_inside_it_and_evenly() -> None:
    came = Within(users=20_000, within_us=MINUTE).instants(START, chance()) - START

    assert np.all(np.diff(came) >= 0)
    assert 0 <= came[0] < came[-1] < MINUTE
    # Kolmogorov and Smirnov: beyond 1.95 / sqrt(n) once in a thousand seeds.
    distance = np.abs(came / MINUTE - np.arange(20_000) / 20_000).max()
    assert distance < 1.95 / 20_000**0.5


def test_one_more_person_moves_nobody_else() -> None:
    few = Within(users=50, within_us=MINUTE).instants(START, chance())
    more = Within(users=51, within_us=MINUTE).instants(START, chance())

    assert set(few.tolist()) < set(more.tolist())


def test_poisson_arrivals_come_at_their_rate_with_exponential_gaps() -> None:
    came = Poisson(per_s=0.5, lasts_us=40_000 * SECOND).instants(START, chance()) - START

    gaps = np.diff(came) / SECOND
    assert abs(len(came) - 20_000) < 4 * 20_000**0.5
    assert came[-1] < 40_000 * SECOND
    assert abs(gaps.mean() - 2.0) < 4 * 2.0 / len(gaps) ** 0.5
    assert (
        abs(gaps.std() - 2.0) < 0.1
    )  # An exponential's sd is its mean; evenly spaced ones have 0.
    assert abs((gaps > 4.0).mean() - np.exp(-2)) < 0.01


def test_twice_the_rate_is_the_same_course_twice_as_fast() -> None:
    slow = Poisson(per_s=1.0, lasts_us=100 * SECOND).instants(0, chance())
    fast = Poisson(per_s=2.0, lasts_us=50 * SECOND).instants(0, chance())

    assert len(slow) == len(fast)
    assert np.abs(slow - 2 * fast).max() <= 2  # Both were rounded down to microseconds.


def test_a_rate_of_nothing_brings_nobody() -> None:
    assert len(Poisson(per_s=0.0, lasts_us=HOUR).instants(START, chance())) == 0


def test_a_stepped_rate_holds_from_its_step_to_the_next() -> None:
    rates = (Rate(10 * MINUTE, 5.0), Rate(20 * MINUTE, 0.0), Rate(30 * MINUTE, 1.0))

    came = Stepped(rates=rates, lasts_us=40 * MINUTE).instants(START, chance()) - START

    counts = np.histogram(came / MINUTE, bins=[0, 10, 20, 30, 40])[0]
    assert counts[0] == 0  # Before the first step nobody comes.
    assert abs(counts[1] - 3_000) < 4 * 3_000**0.5
    assert counts[2] == 0
    assert abs(counts[3] - 600) < 4 * 600**0.5
    assert np.all(np.diff(came) >= 0)


def test_a_daily_rate_goes_by_the_local_clock_over_midnight() -> None:
    day, night = Rate(8 * HOUR, 3.0), Rate(22 * HOUR, 0.5)

    # 10:00 local is in the day's stretch; the start's own UTC time would be 03:00, in the night's.
    found = daily([day, night], DAY, starts_at=START, utc_offset_us=7 * HOUR)

    assert found.rates == (Rate(0, 3.0), Rate(12 * HOUR, 0.5), Rate(22 * HOUR, 3.0))


def test_before_a_days_first_step_the_last_of_the_day_before_holds() -> None:
    at_six = START - 4 * HOUR

    found = daily([Rate(8 * HOUR, 3.0)], 3 * HOUR, starts_at=at_six, utc_offset_us=7 * HOUR)

    assert found.rates == (Rate(0, 3.0), Rate(2 * HOUR, 3.0))


@pytest.mark.parametrize(
    "arrivals",
    [
        Within(users=10, within_us=MINUTE),
        Poisson(per_s=1.0, lasts_us=MINUTE),
        Stepped(rates=(Rate(0, 1.0),), lasts_us=MINUTE),
    ],
    ids=["within", "poisson", "stepped"],
)
def test_instants_are_whole_microseconds_and_the_seeds_alone(
    arrivals: Within | Poisson | Stepped,
) -> None:
    once, again, other = (arrivals.instants(START, chance(seed)) for seed in (1, 1, 2))

    assert once.dtype == np.int64
    assert once.tolist() == again.tolist()
    assert once.tolist() != other.tolist()
