"""What a lane remembers of its calls, and until when that keeps it from the next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.builders import POLICY, a_lane, at, by_gateway, by_person, leased, s
from waqcore.core.instants import DAY, NEVER
from waqcore.core.lane import Lane, PausedBy
from waqcore.core.policy import Cap, Policy

GUARDED = Policy(guard_us=s(0.05))
TWO_A_DAY = POLICY._replace(cap=Cap(calls=2))
CAPPED = {"cap_since": at(0), "cap_calls": 2}


def test_a_lane_is_ready_once_pace_refusal_and_gather_all_are() -> None:
    assert a_lane(paced_until=at(3), closed_until=at(1), opens_at=at(2)).ready_at(POLICY) == at(3)
    assert a_lane(paced_until=at(2), closed_until=at(3), opens_at=at(1)).ready_at(POLICY) == at(3)
    assert a_lane(paced_until=at(1), closed_until=at(2), opens_at=at(3)).ready_at(POLICY) == at(3)


def test_a_lane_at_its_cap_waits_for_the_window_to_end() -> None:
    assert a_lane(paced_until=at(9), **CAPPED).ready_at(TWO_A_DAY) == at(0) + DAY


def test_a_window_that_ends_before_the_pace_does_not_shorten_it() -> None:
    lane = a_lane(paced_until=at(5) + DAY, **CAPPED)

    assert lane.ready_at(TWO_A_DAY) == at(5) + DAY


def test_a_lane_one_call_below_its_cap_waits_for_its_pace_alone() -> None:
    lane = a_lane(paced_until=at(9), cap_since=at(0), cap_calls=1)

    assert lane.ready_at(TWO_A_DAY) == at(9)


def test_a_lane_past_a_cap_that_was_lowered_waits_too() -> None:
    assert a_lane(cap_since=at(0), cap_calls=5).ready_at(TWO_A_DAY) == at(0) + DAY


def test_a_lane_without_a_cap_is_not_held_by_what_it_counted() -> None:
    assert a_lane(paced_until=at(9), **CAPPED).ready_at(POLICY) == at(9)


@pytest.mark.parametrize(
    ("round_trip_s", "gap_s"),
    [(0, 10), (0.02, 10.02), (0.05, 10.05), (0.06, 10.05), (30, 10.05), (-5, 10)],
)
def test_the_pace_counts_from_the_call_and_the_guard_adds_the_round_trip_up_to_itself(
    round_trip_s: float, gap_s: float
) -> None:
    lane = leased().paced_from(at(100), answered_at=at(100 + round_trip_s), u=0.999, policy=GUARDED)

    assert lane.paced_until == at(100 + gap_s)


@pytest.mark.parametrize(("u", "gap_s"), [(0.0, 10), (0.25, 11), (0.75, 13)])
def test_jitter_adds_its_share_to_the_gap(u: float, gap_s: float) -> None:
    policy = POLICY._replace(jitter_us=s(4))

    lane = leased().paced_from(at(100), answered_at=at(101), u=u, policy=policy)

    assert lane.paced_until == at(100 + gap_s)


@given(
    st.integers(0, 10**13),
    st.integers(-(10**9), 10**9),
    st.integers(0, 10**8),
    st.integers(0, 10**7),
    st.floats(0, 1, exclude_max=True),
)
def test_nothing_ever_shortens_a_gap(
    called_at: int, round_trip: int, jitter_us: int, guard_us: int, u: float
) -> None:
    policy = Policy(jitter_us=jitter_us, guard_us=guard_us)

    lane = leased().paced_from(called_at, answered_at=called_at + round_trip, u=u, policy=policy)

    assert called_at + s(10) <= lane.paced_until
    assert lane.paced_until <= max(called_at + s(10) + guard_us + jitter_us, 0)


def test_the_instant_a_lane_is_paced_until_never_moves_back() -> None:
    lane = leased(paced_until=at(500)).paced_from(at(100), answered_at=at(101), u=0, policy=POLICY)

    assert lane.paced_until == at(500)


def test_a_call_that_is_over_frees_the_lane_and_leaves_the_rest_as_it_was() -> None:
    before = leased(closed_until=at(7), opens_at=at(8))

    lane = before.paced_from(at(100), answered_at=at(101), u=0, policy=POLICY)

    assert lane == before._replace(lease=None, paced_until=at(110))


def test_a_call_inside_the_window_is_counted() -> None:
    lane = leased(cap_since=at(0), cap_calls=1)

    lane = lane.paced_from(at(0) + DAY - 1, answered_at=at(0) + DAY, u=0, policy=TWO_A_DAY)

    assert (lane.cap_since, lane.cap_calls) == (at(0), 2)


def test_a_call_at_the_very_end_of_a_window_opens_the_next() -> None:
    lane = leased(**CAPPED).paced_from(at(0) + DAY, answered_at=at(1) + DAY, u=0, policy=TWO_A_DAY)

    assert (lane.cap_since, lane.cap_calls) == (at(0) + DAY, 1)


def test_the_first_window_opens_with_the_first_call_on_an_axis_that_begins_at_zero() -> None:
    lane = Lane("6281").paced_from(s(3600), answered_at=s(3601), u=0, policy=TWO_A_DAY)

    assert (lane.cap_since, lane.cap_calls) == (s(3600), 1)


def test_a_lane_without_a_cap_counts_nothing() -> None:
    lane = leased(cap_since=at(0), cap_calls=1)

    lane = lane.paced_from(at(9) + DAY, answered_at=at(10) + DAY, u=0, policy=POLICY)

    assert (lane.cap_since, lane.cap_calls) == (at(0), 1)


def test_a_pause_is_in_force_until_just_before_its_end() -> None:
    pause = by_person(until=at(60))
    lane = a_lane()._replace(pause=pause)

    assert lane.paused(at(60) - 1) == pause
    assert lane.paused(at(60)) is None


def test_a_pause_without_an_end_has_none() -> None:
    lane = a_lane()._replace(pause=by_gateway())

    assert lane.paused(NEVER - 1) == by_gateway()
    assert a_lane().paused(at(0)) is None


def test_a_new_lane_may_call_at_once() -> None:
    lane = Lane("6281")

    assert lane.ready_at(TWO_A_DAY) == 0
    assert (lane.pause, lane.lease, lane.trouble.open) == (None, None, False)


def test_a_pause_is_a_persons_or_the_gateways() -> None:
    assert [by.value for by in PausedBy] == ["person", "gateway"]
