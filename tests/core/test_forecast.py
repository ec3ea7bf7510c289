"""P7, the part that is known: r + k·D, and what is said where nothing is."""

import pytest

from tests.core.builders import (
    POLICY,
    a_lane,
    a_lease,
    at,
    broken,
    by_gateway,
    by_person,
    leased,
    s,
)
from waqcore.core.forecast import Eta, eta, slot_us
from waqcore.core.instants import HOUR
from waqcore.core.lane import Lane
from waqcore.core.policy import Cap

NOW = at(0)


def eta_of(lane: Lane, ahead: int = 0, *, due_at: int = at(-60), quiet_until: int = 0) -> Eta:
    return eta(lane, ahead, NOW, POLICY, due_at=due_at, quiet_until=quiet_until)


@pytest.mark.parametrize(("ahead", "in_s"), [(0, 0), (1, 10), (7, 70), (199, 1990)])
def test_in_a_lane_that_is_ready_a_message_goes_after_those_before_it(
    ahead: int, in_s: float
) -> None:
    assert eta_of(a_lane(), ahead) == Eta(at(in_s))


@pytest.mark.parametrize("held_by", ["paced_until", "closed_until", "opens_at"])
def test_a_slot_begins_where_the_lane_is_ready(held_by: str) -> None:
    assert eta_of(a_lane(**{held_by: at(4)}), 2) == Eta(at(24))


def test_a_cap_is_waited_for() -> None:
    lane = a_lane(cap_since=at(-60), cap_calls=5)
    policy = POLICY._replace(cap=Cap(calls=5, window_us=HOUR))

    assert eta(lane, 1, NOW, policy, due_at=NOW, quiet_until=0) == Eta(at(3600 - 60 + 10))


def test_a_gap_is_the_pace_and_half_the_jitter() -> None:
    policy = POLICY._replace(jitter_us=s(4))

    assert slot_us(policy) == s(12)
    assert eta(a_lane(), 3, NOW, policy, due_at=NOW, quiet_until=0) == Eta(at(36))


def test_a_message_does_not_go_before_it_is_due() -> None:
    assert eta_of(a_lane(), 2, due_at=at(20) + 1) == Eta(at(20) + 1)
    assert eta_of(a_lane(), 2, due_at=at(20) - 1) == Eta(at(20))


def test_a_call_in_flight_comes_a_pace_before() -> None:
    lane = leased(paced_until=at(-5))

    assert eta_of(lane, 0) == Eta(at(10))
    assert eta_of(lane, 1) == Eta(at(20))


def test_a_call_long_in_flight_does_not_put_the_next_in_the_past() -> None:
    lane = leased()

    assert eta(lane, 0, at(60), POLICY, due_at=NOW, quiet_until=0) == Eta(at(60))


@pytest.mark.parametrize(("idle_since_s", "due_s", "opens_s"), [(-60, -2, 3), (-1, -2, 4)])
def test_a_message_that_an_idle_lane_has_not_seen_yet_will_open_its_gather(
    idle_since_s: float, due_s: float, opens_s: float
) -> None:
    lane = a_lane()._replace(idle_since=at(idle_since_s))
    gathering = POLICY._replace(gather_us=s(5))

    predicted = eta(lane, 1, NOW, gathering, due_at=at(due_s), quiet_until=0)

    assert predicted == Eta(at(opens_s + 10))


def test_a_lane_that_does_not_gather_or_has_seen_its_arrivals_opens_nothing() -> None:
    gathering = POLICY._replace(gather_us=s(50))
    idle = a_lane()._replace(idle_since=at(-1))

    assert eta(idle, 0, NOW, POLICY, due_at=NOW, quiet_until=0) == Eta(NOW)
    assert eta(idle, 2, NOW, POLICY, due_at=at(15), quiet_until=0) == Eta(at(20))
    assert eta(a_lane(), 0, NOW, gathering, due_at=NOW, quiet_until=0) == Eta(NOW)
    in_flight = idle._replace(lease=a_lease())
    assert eta(in_flight, 0, NOW, gathering, due_at=NOW, quiet_until=0) == Eta(at(10))


def test_quiet_hours_are_waited_for() -> None:
    assert eta_of(a_lane(paced_until=at(5)), 1, quiet_until=at(3600)) == Eta(at(3610))
    assert eta_of(a_lane(paced_until=at(4000)), 1, quiet_until=at(3600)) == Eta(at(4010))


def test_an_open_breaker_is_waited_for_until_its_probe() -> None:
    assert eta_of(a_lane()._replace(trouble=broken(at(15))), 1) == Eta(at(25))


def test_a_paused_lane_has_no_eta_and_says_why() -> None:
    assert eta_of(a_lane()._replace(pause=by_person())) == Eta(None, "paused: lunch")
    assert eta_of(a_lane()._replace(pause=by_gateway())) == Eta(None, "paused: disconnected")


def test_a_gateways_pause_is_unknown_though_it_may_have_an_end() -> None:
    pause = by_gateway()._replace(until=at(60))

    assert eta_of(a_lane()._replace(pause=pause)) == Eta(None, "paused: disconnected")


def test_a_pause_with_an_end_is_known() -> None:
    lane = a_lane(paced_until=at(5))._replace(pause=by_person(until=at(60)))

    assert eta_of(lane, 2) == Eta(at(80))


def test_a_pause_that_ends_before_the_lane_is_ready_changes_nothing() -> None:
    lane = a_lane(paced_until=at(90))._replace(pause=by_person(until=at(60)))

    assert eta_of(lane, 2) == Eta(at(110))


def test_a_pause_that_has_ended_changes_nothing() -> None:
    assert eta_of(a_lane()._replace(pause=by_person(until=NOW)), 2) == Eta(at(20))
    assert eta_of(a_lane()._replace(pause=by_gateway()._replace(until=NOW)), 2) == Eta(at(20))
