"""What a person's buttons do, and what they may not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.builders import (
    POLICY,
    a_lane,
    a_lease,
    a_message,
    at,
    broken,
    by_gateway,
    by_person,
    leased,
    s,
    sending,
)
from waqcore.core import control
from waqcore.core.chance import Chance
from waqcore.core.control import Resolution
from waqcore.core.errors import IllegalTransition
from waqcore.core.instants import NEVER
from waqcore.core.lane import CALM, Lane, Pause, PausedBy, Trouble
from waqcore.core.message import Message, Priority, State
from waqcore.core.outcome import NotSent
from waqcore.core.policy import Cap
from waqcore.core.schedule import Probe, Send, TakeOver, Wait, Waiting, next_step
from waqcore.core.settle import settle, take_over

NOW = at(0)
HELD = {"paced_until": at(5), "closed_until": at(6), "opens_at": at(7), "refusals": 2}


def ended(state: str) -> Message:
    return a_message()._replace(state=State(state), failures=3, retry_at=at(50), reason="before")


# Pause and resume.


def test_a_person_pauses_a_lane_with_a_reason_until_somebody_resumes_it() -> None:
    lane = control.pause(a_lane(), "lunch", NOW)

    assert lane == a_lane()._replace(pause=Pause(PausedBy.PERSON, "lunch", NOW, NEVER))


def test_a_person_pauses_a_lane_for_a_time() -> None:
    lane = control.pause(a_lane(), "lunch", NOW, until=at(60))

    assert lane.pause == Pause(PausedBy.PERSON, "lunch", NOW, at(60))


def test_a_persons_pause_replaces_the_gateways_and_keeps_what_is_known_of_it() -> None:
    lane = a_lane()._replace(pause=by_gateway(), trouble=broken(at(60), 2))

    assert control.pause(lane, "lunch", NOW) == lane._replace(
        pause=Pause(PausedBy.PERSON, "lunch", NOW, NEVER)
    )


def test_a_pause_leaves_a_call_in_flight_to_end_as_it_would() -> None:
    assert control.pause(leased(), "lunch", NOW).lease == a_lease()


@pytest.mark.parametrize("pause", [by_person(), by_gateway(), None])
def test_a_resume_ends_every_pause_and_closes_the_breaker_and_shortens_nothing(
    pause: Pause | None,
) -> None:
    lane = a_lane(**HELD)._replace(pause=pause, trouble=broken(at(60), 2))

    assert control.resume(lane) == a_lane(**HELD)._replace(trouble=CALM)


# Force.


@pytest.mark.parametrize(("pause", "left"), [(by_person(), by_person()), (by_gateway(), None)])
def test_a_force_ends_a_pause_that_is_not_a_persons_closes_the_breaker_and_shortens_nothing(
    pause: Pause, left: Pause | None
) -> None:
    lane = leased(**HELD, cap_since=at(-9), cap_calls=4)._replace(
        pause=pause, trouble=broken(at(60), 2)
    )

    assert control.force(lane) == lane._replace(pause=left, trouble=CALM)


def test_a_force_of_a_lane_that_nothing_holds_changes_nothing() -> None:
    assert control.force(a_lane(**HELD)) == a_lane(**HELD)


# Override.


def test_an_override_lets_the_next_call_leave_now_and_shortens_no_refusal() -> None:
    lane = a_lane(paced_until=at(5), opens_at=at(6), closed_until=at(7))

    assert control.override_pace(lane, NOW) == lane._replace(paced_until=NOW, opens_at=NOW)


def test_an_override_delays_nothing() -> None:
    lane = a_lane(paced_until=at(-5), opens_at=at(-6))

    assert control.override_pace(lane, NOW) == lane


def test_after_an_override_the_pace_restarts_from_the_call() -> None:
    lane = control.override_pace(leased(paced_until=at(9)), NOW)

    lane = lane.paced_from(at(1), answered_at=at(2), u=0, policy=POLICY)

    assert lane.paced_until == at(11)


# A change of clock.


def test_a_change_of_clock_costs_a_full_pace_and_forgets_what_an_instant_cannot_tell() -> None:
    lane = Lane(
        "6281",
        paced_until=at(-50),
        closed_until=at(700),
        refusals=2,
        opens_at=at(800),
        idle_since=at(900),
        cap_since=at(1000),
        cap_calls=3,
        pause=by_person(),
        trouble=broken(at(1100), 2),
        lease=a_lease(claimed_at=at(1200), call_by=at(1203)),
    )

    assert control.restart_pace(lane, NOW, s(10), rebooted=True) == Lane(
        "6281",
        paced_until=at(10),
        closed_until=at(10),
        refusals=2,
        opens_at=0,
        idle_since=0,
        cap_since=NOW,
        cap_calls=3,
        pause=by_person(),
        trouble=broken(NOW, 2),
        lease=a_lease(claimed_at=NOW, call_by=NOW),
    )


def test_a_change_of_clock_keeps_what_lies_in_the_past() -> None:
    lane = a_lane(closed_until=at(-1), cap_since=at(-2))._replace(
        lease=a_lease(claimed_at=at(-3), call_by=at(-1))
    )

    after = control.restart_pace(lane, NOW, s(10), rebooted=True)

    assert after == lane._replace(paced_until=at(10), opens_at=0)


def test_a_change_of_clock_wakes_no_probe_where_none_is_due() -> None:
    lane = a_lane()._replace(trouble=Trouble(probes=2))

    assert control.restart_pace(lane, NOW, s(10), rebooted=True).trouble == Trouble(probes=2)


def test_a_change_of_clock_keeps_a_busy_lane_busy() -> None:
    assert control.restart_pace(a_lane(), NOW, s(10), rebooted=True).idle_since is None


garbage = st.integers(0, 2**61)
garbled_lanes = st.builds(
    Lane,
    sender=st.just("6281"),
    paced_until=garbage,
    closed_until=garbage,
    opens_at=garbage,
    idle_since=st.none() | garbage,
    cap_since=garbage,
    pause=st.none(),
    trouble=st.builds(broken, garbage) | st.just(CALM),
    lease=st.none(),
)


@given(garbled_lanes, garbage)
def test_a_change_of_clock_costs_one_full_pace_and_never_more(lane: Lane, now: int) -> None:
    waiting = Waiting((a_message(),))

    after = control.restart_pace(lane, now, s(10), rebooted=True)

    assert after.ready_at(POLICY) == now + s(10)
    if lane.trouble.open:
        assert next_step(after, waiting, now, POLICY) == Probe()
    else:
        assert next_step(after, waiting, now, POLICY) == Wait(now + s(10))
        assert next_step(after, waiting, now + s(10), POLICY) == Send(a_message())


@given(garbled_lanes, garbage)
def test_a_change_of_clock_holds_a_full_cap_for_one_window_at_most(lane: Lane, now: int) -> None:
    capped = POLICY._replace(cap=Cap(calls=2, window_us=s(60)))

    after = control.restart_pace(lane._replace(cap_calls=2), now, s(10), rebooted=True)

    assert now + s(10) <= after.ready_at(capped) <= now + s(60)


@given(garbled_lanes, garbage, garbage, garbage)
def test_a_call_in_flight_when_the_clock_changed_costs_a_pace_from_then_at_most(
    lane: Lane, now: int, claimed_at: int, call_by: int
) -> None:
    lease = a_lease(claimed_at, call_by, until=0)

    after = control.restart_pace(lane._replace(lease=lease), now, s(10), rebooted=True)

    assert after.lease is not None
    assert next_step(after, Waiting(), now, POLICY) == TakeOver(after.lease)
    over = take_over(
        after, sending(), after.lease, called=True, now=now, u=Chance(0, 0), policy=POLICY
    )
    assert over.lane.ready_at(POLICY) == now + s(10)


# Cancel.


def test_a_queued_message_is_cancelled_with_a_reason() -> None:
    message = control.cancel(a_message(), "not needed")

    assert message == a_message()._replace(state=State.CANCELLED, reason="not needed")


def test_a_message_whose_call_is_in_flight_is_asked_to_be() -> None:
    assert control.cancel(sending(), "not needed") == sending(cancel_requested=True)._replace(
        reason="not needed"
    )


def test_a_queued_message_in_doubt_is_not_cancelled_but_left_to_a_person() -> None:
    in_doubt = a_message()._replace(unresolved=True)

    assert control.cancel(in_doubt, "not needed") == in_doubt._replace(
        state=State.UNKNOWN, reason="not needed"
    )


@pytest.mark.parametrize("state", ["sent", "failed", "unknown", "cancelled", "expired"])
@pytest.mark.parametrize("unresolved", [False, True])
def test_a_message_that_has_ended_cannot_be_cancelled(state: str, *, unresolved: bool) -> None:
    with pytest.raises(IllegalTransition) as raised:
        control.cancel(ended(state)._replace(unresolved=unresolved), "not needed")

    assert raised.value.event == "cancel"


# Retry, restore, prioritise.


@pytest.mark.parametrize("state", ["failed", "expired"])
def test_a_retry_by_hand_queues_a_message_in_its_old_place_with_its_failures_forgotten(
    state: str,
) -> None:
    message = ended(state)

    assert control.retry(message, NOW) == message._replace(
        state=State.QUEUED, failures=0, retry_at=0, reason=""
    )


def test_a_retry_by_hand_keeps_an_expiry_that_lies_ahead_and_drops_one_that_has_passed() -> None:
    message = ended("failed")

    assert control.retry(message._replace(expires_at=NOW + 1), NOW).expires_at == NOW + 1
    assert control.retry(message._replace(expires_at=NOW), NOW).expires_at == NEVER
    assert control.retry(message._replace(expires_at=NOW - 1), NOW).expires_at == NEVER


@pytest.mark.parametrize("state", ["queued", "sending", "sent", "unknown", "cancelled"])
def test_nothing_but_a_failed_or_expired_message_is_retried(state: str) -> None:
    with pytest.raises(IllegalTransition):
        control.retry(ended(state), NOW)


def test_a_restored_message_has_its_old_place() -> None:
    message = ended("cancelled")

    assert control.restore(message) == message._replace(state=State.QUEUED, retry_at=0, reason="")


@pytest.mark.parametrize("state", ["queued", "sending", "sent", "failed", "unknown", "expired"])
def test_nothing_but_a_cancelled_message_is_restored(state: str) -> None:
    with pytest.raises(IllegalTransition):
        control.restore(ended(state))


def test_a_message_cancelled_during_its_call_and_restored_is_not_cancelled_again() -> None:
    asked = control.cancel(sending(), "not needed")
    gone = settle(
        leased(), asked, NotSent("busy"), called_at=NOW, now=NOW, u=Chance(0, 0), policy=POLICY
    ).message

    assert gone.state is State.CANCELLED
    assert not control.restore(gone).cancel_requested


@pytest.mark.parametrize("state", ["failed", "expired"])
def test_a_message_retried_by_hand_is_wanted_again(state: str) -> None:
    message = ended(state)._replace(cancel_requested=True)

    assert not control.retry(message, NOW).cancel_requested


@pytest.mark.parametrize("priority", Priority)
def test_a_message_given_another_priority_keeps_the_rest(priority: Priority) -> None:
    assert control.prioritise(a_message(), priority) == a_message(priority=priority)


@pytest.mark.parametrize("state", [state for state in State if state is not State.QUEUED])
def test_only_a_queued_message_is_given_another_priority(state: State) -> None:
    with pytest.raises(AssertionError):
        control.prioritise(a_message()._replace(state=state), Priority.HIGH)


# Resolve.


def in_doubt() -> Message:
    return ended("unknown")._replace(unresolved=True, cancel_requested=True, attempts=2)


def test_a_message_found_to_have_arrived_is_sent() -> None:
    assert control.resolve(in_doubt(), Resolution.SENT) == in_doubt()._replace(
        state=State.SENT, unresolved=False, reason="resolved: sent"
    )


def test_a_message_to_resend_is_queued_afresh_and_marked() -> None:
    assert control.resolve(in_doubt(), Resolution.RESEND) == a_message()._replace(
        attempts=2, maybe_duplicate=True
    )


def test_a_message_to_drop_is_cancelled() -> None:
    assert control.resolve(in_doubt(), Resolution.DROP) == in_doubt()._replace(
        state=State.CANCELLED, unresolved=False, reason="resolved: dropped"
    )


@pytest.mark.parametrize("resolution", Resolution)
@pytest.mark.parametrize("state", [state for state in State if state is not State.UNKNOWN])
def test_only_a_message_whose_outcome_is_unknown_is_resolved(
    state: State, resolution: Resolution
) -> None:
    with pytest.raises(IllegalTransition):
        control.resolve(a_message()._replace(state=state), resolution)


def test_the_ways_to_resolve_are_those_of_the_design() -> None:
    assert [resolution.value for resolution in Resolution] == ["sent", "resend", "drop"]


def test_a_lease_of_this_boot_is_left_as_it_is_when_the_clocks_disagree() -> None:
    lane = a_lane()._replace(lease=a_lease(at(1), at(4), until=at(15)))

    after = control.restart_pace(lane, at(2), s(10), rebooted=False)

    assert after.lease == lane.lease
    assert after.paced_until == at(12)


def test_clocks_that_disagree_within_a_boot_shorten_no_wait() -> None:
    lane = a_lane(closed_until=at(3_600))._replace(paced_until=at(60))

    after = control.restart_pace(lane, at(2), s(10), rebooted=False)

    assert (after.paced_until, after.closed_until) == (at(60), at(3_600))


def test_a_clear_leaves_a_message_in_doubt_as_it_is() -> None:
    doubtful = a_message()._replace(unresolved=True)

    assert control.clear(doubtful, "cleared") is doubtful
    cleared = control.clear(a_message(), "cleared")
    assert (cleared.state, cleared.reason) == ("cancelled", "cleared")
