from hypothesis import given
from hypothesis import strategies as st

from waqcore.core.instants import DAY, HOUR, MINUTE, NEVER, microseconds, seconds


def test_units_are_whole_microseconds() -> None:
    assert (MINUTE, HOUR, DAY) == (60_000_000, 3_600_000_000, 86_400_000_000)


def test_seconds_round_to_the_nearest_microsecond() -> None:
    assert microseconds(0.1 + 0.2) == 300_000
    assert microseconds(0.000_000_7) == 1
    assert isinstance(microseconds(10.0), int)


@given(st.integers(min_value=0, max_value=10_000 * DAY))
def test_a_duration_survives_the_way_to_seconds_and_back(duration_us: int) -> None:
    assert microseconds(seconds(duration_us)) == duration_us


def test_never_lies_past_every_clock_and_fits_a_database_integer() -> None:
    assert 100_000 * 365 * DAY < NEVER < 2**63
