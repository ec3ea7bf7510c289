"""The defaults of production, as the design names them, and what follows from a pace."""

import pytest

from waqcore.core.message import Priority
from waqcore.core.policy import Cap, Policy, TimeShift


def test_the_defaults_are_those_of_the_design() -> None:
    assert Policy() == Policy(
        pace_us=10_000_000,
        guard_us=250_000,
        jitter_us=0,
        gather_us=0,
        time_shift=None,
        quiet=None,
        cap=None,
        max_attempts=3,
        backoff_base_us=5_000_000,
        backoff_cap_us=600_000_000,
        refused_age_max_us=86_400_000_000,
        retry_after_max_us=3_600_000_000,
        breaker_threshold=3,
        probe_base_us=15_000_000,
        probe_cap_us=300_000_000,
        lease_us=15_000_000,
        sending_max_us=1_800_000_000,
    )


def test_a_cap_counts_over_a_day_unless_told() -> None:
    assert Cap(calls=100).window_us == 86_400_000_000


@pytest.mark.parametrize(
    ("pace_us", "window_us"),
    [
        (0, 250_000),
        (833_333, 250_000),
        (1_000_000, 300_000),
        (5_000_000, 1_500_000),
        (10_000_000, 3_000_000),
        (10_000_010, 3_000_000),
        (60_000_000, 3_000_000),
    ],
)
def test_a_call_may_begin_for_three_tenths_of_the_pace_within_bounds(
    pace_us: int, window_us: int
) -> None:
    assert Policy(pace_us=pace_us).call_window_us == window_us


@pytest.mark.parametrize(
    ("priority", "head_start_us"),
    [(Priority.BYPASS, 0), (Priority.HIGH, 60), (Priority.NORMAL, 20), (Priority.LOW, 0)],
)
def test_a_time_shift_gives_each_priority_its_head_start(
    priority: Priority, head_start_us: int
) -> None:
    assert TimeShift(high_us=60, normal_us=20).of(priority) == head_start_us


def test_a_time_shift_of_high_alone_leaves_normal_where_it_is() -> None:
    assert TimeShift(high_us=60).of(Priority.NORMAL) == 0
