"""What every outcome makes of its message and its lane."""

import pytest

from tests.core.builders import (
    MIDDLE,
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
from waqcore.core.chance import Chance
from waqcore.core.errors import IllegalTransition
from waqcore.core.instants import DAY, HOUR, NEVER
from waqcore.core.lane import CALM, Lane, Pause, PausedBy, Trouble
from waqcore.core.message import Message, OnUnknown, State
from waqcore.core.outcome import (
    Accepted,
    Answer,
    NotCalled,
    NotSent,
    Outcome,
    Refused,
    Rejected,
    Scope,
    SenderDown,
    Unknown,
    Unreachable,
)
from waqcore.core.policy import Policy
from waqcore.core.schedule import Probe, Wait, Waiting, next_step
from waqcore.core.settle import (
    Alert,
    Settled,
    draws,
    expire,
    expired,
    settle,
    settle_late,
    share,
    take_over,
)

CALLED, NOW = at(1), at(2)
TROUBLES: list[Answer] = [NotSent("busy"), Unknown("timeout")]
CLEAR: list[Answer] = [Accepted(), Rejected("no such number")]


def settled(
    outcome: Outcome,
    message: Message | None = None,
    lane: Lane | None = None,
    *,
    u: Chance = MIDDLE,
    policy: Policy = POLICY,
) -> Settled:
    return settle(
        leased() if lane is None else lane,
        sending() if message is None else message,
        outcome,
        called_at=CALLED,
        now=NOW,
        u=u,
        policy=policy,
    )


# Pace.


@pytest.mark.parametrize(
    "outcome",
    [
        Accepted(),
        Refused("429"),
        NotSent("busy"),
        Unreachable("DNS"),
        Unknown("timeout"),
        Rejected("no such number"),
        SenderDown("logged out"),
    ],
)
def test_every_call_frees_the_lane_and_costs_the_pace_from_its_start(outcome: Answer) -> None:
    lane = settled(outcome).lane

    assert lane.lease is None
    assert lane.paced_until == at(11)


def test_the_round_trip_and_the_jitter_of_the_call_lengthen_the_gap() -> None:
    policy = POLICY._replace(guard_us=s(5), jitter_us=s(4))

    lane = settled(Accepted(), u=Chance(backoff=0, jitter=0.25), policy=policy).lane

    assert lane.paced_until == at(1 + 10 + 1 + 1)


@pytest.mark.parametrize(
    ("outcome", "called_at"), [(NotCalled("late"), CALLED), (Accepted(), None)]
)
def test_where_no_call_was_made_neither_pace_nor_failure_is_counted(
    outcome: Outcome, called_at: int | None
) -> None:
    lane = leased(paced_until=at(-5))
    message = sending(failures=1)._replace(reason="before")

    after = settle(lane, message, outcome, called_at=called_at, now=NOW, u=MIDDLE, policy=POLICY)

    assert after == Settled(lane._replace(lease=None), message._replace(state=State.QUEUED))


def test_a_message_that_is_not_being_sent_cannot_be_settled() -> None:
    with pytest.raises(IllegalTransition):
        settled(NotCalled("late"), a_message())


# Accepted, Rejected.


def test_an_accepted_message_is_sent() -> None:
    message = sending(failures=2, unresolved=True)._replace(reason="before")

    after = settled(Accepted("id"), message)

    assert after.message == message._replace(state=State.SENT, unresolved=False, reason="")
    assert after.alerts == ()


@pytest.mark.parametrize(("unresolved", "reason"), [(False, "busy"), (True, "")])
def test_an_accepted_message_has_neither_doubt_nor_reason_left(
    reason: str, *, unresolved: bool
) -> None:
    message = sending(unresolved=unresolved)._replace(reason=reason)

    assert settled(Accepted("id"), message).message == message._replace(
        state=State.SENT, unresolved=False, reason=""
    )


def test_a_rejected_message_fails_at_once_and_counts_no_failure() -> None:
    after = settled(Rejected("no such number"))

    assert after.message == sending()._replace(state=State.FAILED, reason="no such number")
    assert after.alerts == (Alert.MESSAGE_FAILED,)


@pytest.mark.parametrize("outcome", CLEAR)
def test_a_clear_answer_proves_the_gateway_well(outcome: Answer) -> None:
    lane = leased(refusals=3)._replace(trouble=Trouble(troubled=(7, 8), probes=2))

    after = settled(outcome, lane=lane).lane

    assert (after.trouble, after.refusals) == (CALM, 0)


@pytest.mark.parametrize("refusals", [1, 3])
@pytest.mark.parametrize("pause", [None, by_gateway()])
def test_a_clear_answer_ends_refusals_alone_too(refusals: int, pause: Pause | None) -> None:
    lane = leased(refusals=refusals)._replace(pause=pause)

    assert settled(Accepted(), lane=lane).lane.refusals == 0


def test_a_clear_answer_alone_ends_trouble_too() -> None:
    lane = leased()._replace(trouble=Trouble(troubled=(7,)))

    assert settled(Accepted(), lane=lane).lane.trouble == CALM


def test_a_clear_answer_does_not_open_what_the_gateway_closed() -> None:
    assert settled(Accepted(), lane=leased(closed_until=at(60))).lane.closed_until == at(60)


@pytest.mark.parametrize("outcome", CLEAR)
def test_a_lane_paused_during_its_call_is_still_probed_though_the_call_went_well(
    outcome: Answer,
) -> None:
    down = share(leased(), SenderDown("bad key", Scope.ACCOUNT), at(1), POLICY, source=a_lane())

    lane = settled(outcome, lane=down).lane

    assert next_step(lane, Waiting(), NOW, POLICY) == Wait(at(16))
    assert next_step(lane, Waiting(), at(16), POLICY) == Probe()


def test_a_persons_pause_during_a_call_stands_whatever_the_answer() -> None:
    lane = leased()._replace(pause=by_person())

    assert settled(Accepted(), lane=lane).lane.pause == by_person()
    assert settled(SenderDown("logged out"), lane=lane).lane.pause == by_person()


# NotSent.


@pytest.mark.parametrize(
    ("failures", "u", "wait_s"), [(0, 0.0, 0), (0, 0.5, 2.5), (1, 0.5, 5), (1, 0.75, 7.5)]
)
def test_a_message_not_sent_is_due_again_after_its_backoff(
    failures: int, u: float, wait_s: float
) -> None:
    message = sending(failures=failures)

    after = settled(NotSent("busy"), message, u=Chance(backoff=u, jitter=0))

    assert after.message == message._replace(
        state=State.QUEUED, failures=failures + 1, retry_at=NOW + s(wait_s), reason="busy"
    )
    assert after.alerts == ()


def test_the_backoff_of_the_policy_is_followed() -> None:
    policy = POLICY._replace(backoff_base_us=s(100), backoff_cap_us=s(60))

    assert settled(NotSent("busy"), policy=policy).message.retry_at == NOW + s(30)


def test_a_message_fails_with_its_third_failure_and_not_before() -> None:
    third = settled(NotSent("busy"), sending(failures=2))

    assert third.message == sending(failures=2)._replace(
        state=State.FAILED, failures=3, reason="busy"
    )
    assert third.alerts == (Alert.MESSAGE_FAILED,)
    assert settled(NotSent("busy"), sending(failures=1)).message.state is State.QUEUED


def test_as_many_attempts_as_the_policy_says_are_made() -> None:
    once = POLICY._replace(max_attempts=1)

    assert settled(NotSent("busy"), policy=once).message.state is State.FAILED


@pytest.mark.parametrize(("outcome", "failures"), [(NotSent("busy"), 2), (Rejected("busy"), 0)])
def test_a_message_in_doubt_ends_unknown_where_another_would_fail(
    outcome: Answer, failures: int
) -> None:
    after = settled(outcome, sending(failures=failures, unresolved=True))

    assert (after.message.state, after.message.unresolved) == (State.UNKNOWN, True)
    assert after.message.reason == "busy"
    assert after.alerts == (Alert.MESSAGE_UNKNOWN,)


# Unknown.


def test_an_unknown_outcome_is_resent_once_and_marked() -> None:
    after = settled(Unknown("timeout"))

    assert after.message == sending()._replace(
        state=State.QUEUED,
        retry_at=NOW + s(2.5),
        unresolved=True,
        maybe_duplicate=True,
        reason="timeout",
    )
    assert after.alerts == ()


def test_a_second_unknown_outcome_is_a_persons_to_resolve() -> None:
    after = settled(Unknown("timeout"), sending(unresolved=True))

    assert after.message == sending(unresolved=True)._replace(state=State.UNKNOWN, reason="timeout")
    assert after.alerts == (Alert.MESSAGE_UNKNOWN,)


def test_a_message_to_hold_is_a_persons_at_the_first_unknown_outcome() -> None:
    held = sending()._replace(on_unknown=OnUnknown.HOLD)

    after = settled(Unknown("timeout"), held)

    assert after.message == held._replace(state=State.UNKNOWN, unresolved=True, reason="timeout")
    assert after.alerts == (Alert.MESSAGE_UNKNOWN,)


def test_an_unknown_outcome_waits_as_after_a_first_failure_and_counts_none() -> None:
    after = settled(Unknown("timeout"), sending(failures=2))

    assert after.message.failures == 2
    assert after.message.retry_at == NOW + s(2.5)


# Refused.


def test_a_refusal_closes_the_lane_for_its_backoff_and_counts_no_failure() -> None:
    after = settled(Refused("429"))

    assert after.lane == leased()._replace(
        lease=None, paced_until=at(11), closed_until=NOW + s(2.5), refusals=1
    )
    assert after.message == sending()._replace(state=State.QUEUED, reason="429")
    assert after.alerts == ()


def test_refusals_in_a_row_back_off_longer() -> None:
    after = settled(Refused("429"), lane=leased(refusals=2))

    assert (after.lane.refusals, after.lane.closed_until) == (3, NOW + s(10))


@pytest.mark.parametrize(
    ("asked_us", "wait_us"),
    [(s(7), s(7)), (0, 0), (-s(7), 0), (HOUR, HOUR), (HOUR + 1, HOUR), (400 * DAY, HOUR)],
)
def test_the_wait_a_gateway_asks_for_is_kept_up_to_an_hour(asked_us: int, wait_us: int) -> None:
    lane = settled(Refused("429", retry_after_us=asked_us)).lane

    assert lane.closed_until == NOW + wait_us


def test_a_refusal_never_opens_a_lane_earlier() -> None:
    lane = settled(Refused("429", retry_after_us=s(5)), lane=leased(closed_until=at(90))).lane

    assert lane.closed_until == at(90)


def test_a_refusal_of_one_message_delays_that_message_alone() -> None:
    after = settled(Refused("429", retry_after_us=s(7), scope=Scope.MESSAGE))

    assert after.lane == leased()._replace(lease=None, paced_until=at(11))
    assert after.message.retry_at == NOW + s(7)


def test_a_refusal_of_one_message_backs_off_where_no_wait_is_named() -> None:
    after = settled(Refused("429", scope=Scope.MESSAGE))

    assert (after.lane.refusals, after.message.retry_at) == (0, NOW + s(2.5))


@pytest.mark.parametrize("scope", [Scope.LANE, Scope.ACCOUNT])
def test_a_refusal_of_more_than_a_message_leaves_its_message_due(scope: Scope) -> None:
    after = settled(Refused("429", retry_after_us=s(7), scope=scope))

    assert (after.lane.closed_until, after.message.retry_at) == (NOW + s(7), 0)


def test_a_message_refused_when_it_has_been_due_for_a_day_fails() -> None:
    young = sending()._replace(due_at=NOW - DAY + 1)
    old = sending()._replace(due_at=NOW - DAY)

    assert settled(Refused("429"), young).message.state is State.QUEUED
    after = settled(Refused("429"), old)
    assert after.message == old._replace(state=State.FAILED, reason="refused for too long: 429")
    assert after.alerts == (Alert.MESSAGE_FAILED,)


def test_a_message_in_doubt_refused_for_too_long_is_a_persons() -> None:
    old = sending(unresolved=True)._replace(due_at=NOW - DAY)

    assert settled(Refused("429"), old).message.state is State.UNKNOWN


def test_a_refusal_closes_the_lane_though_its_message_has_grown_too_old() -> None:
    old = sending()._replace(due_at=NOW - DAY)

    lane = settled(Refused("429", retry_after_us=s(70)), old).lane

    assert (lane.closed_until, lane.refusals) == (NOW + s(70), 1)


def test_a_refusal_of_one_message_that_has_grown_too_old_closes_nothing() -> None:
    old = sending()._replace(due_at=NOW - DAY)

    after = settled(Refused("429", retry_after_us=s(70), scope=Scope.MESSAGE), old)

    assert after.message.state is State.FAILED
    assert (after.lane.closed_until, after.lane.refusals) == (0, 0)


def test_a_refusal_is_no_trouble_of_the_gateways() -> None:
    lane = leased()._replace(trouble=Trouble(troubled=(7, 8)))

    assert settled(Refused("429"), lane=lane).lane.trouble == Trouble(troubled=(7, 8))


# Unreachable and the breaker.


def test_a_gateway_out_of_reach_opens_the_breaker_and_counts_no_failure() -> None:
    after = settled(Unreachable("DNS"))

    assert after.lane.trouble == broken(NOW + s(15), scope=Scope.ACCOUNT)
    assert after.message == sending()._replace(state=State.QUEUED, reason="DNS")
    assert after.alerts == (Alert.BREAKER_OPENED,)


def test_a_breaker_that_is_open_stays_as_it_is() -> None:
    lane = leased()._replace(trouble=broken(at(60), probes=3))

    for outcome in (*TROUBLES, Unreachable("DNS")):
        after = settled(outcome, lane=lane)

        assert after.lane.trouble == broken(at(60), probes=3)
        assert after.alerts == ()


@pytest.mark.parametrize("outcome", TROUBLES)
def test_trouble_over_three_different_messages_in_a_row_opens_the_breaker(outcome: Answer) -> None:
    after_one = settled(outcome, sending(1)).lane
    after_two = settled(outcome, sending(2), after_one).lane
    after_three = settled(outcome, sending(3), after_two)

    assert after_one.trouble == Trouble(troubled=(1,))
    assert after_two.trouble == Trouble(troubled=(1, 2))
    assert after_three.lane.trouble == broken(NOW + s(15))
    assert after_three.alerts == (Alert.BREAKER_OPENED,)


@pytest.mark.parametrize("outcome", TROUBLES)
def test_trouble_over_one_message_is_its_own(outcome: Answer) -> None:
    lane = leased()._replace(trouble=Trouble(troubled=(1, 2)))

    assert settled(outcome, sending(1), lane).lane.trouble == Trouble(troubled=(1, 2))
    assert settled(outcome, sending(2), lane).lane.trouble == Trouble(troubled=(1, 2))


def test_as_much_trouble_as_the_policy_says_opens_the_breaker() -> None:
    at_once = POLICY._replace(breaker_threshold=1)

    assert settled(NotSent("busy"), policy=at_once).lane.trouble.open


@pytest.mark.parametrize(
    ("probes", "wait_s"), [(1, 30), (2, 60), (3, 120), (4, 240), (5, 300), (6, 300)]
)
@pytest.mark.parametrize("outcome", TROUBLES)
def test_one_more_trouble_on_trial_opens_the_breaker_again_for_longer(
    outcome: Answer, probes: int, wait_s: float
) -> None:
    lane = leased()._replace(trouble=Trouble(probes=probes))

    assert settled(outcome, lane=lane).lane.trouble == broken(NOW + s(wait_s), probes)


def test_the_first_probe_comes_after_the_base_of_the_policy() -> None:
    policy = POLICY._replace(probe_base_us=s(40), probe_cap_us=s(50))
    lane = leased()._replace(trouble=Trouble(probes=1))

    assert settled(Unreachable("DNS"), policy=policy).lane.trouble.probe_at == NOW + s(40)
    assert settled(NotSent("busy"), lane=lane, policy=policy).lane.trouble.probe_at == NOW + s(50)


def test_a_clear_answer_that_closes_the_breaker_is_heard_of() -> None:
    lane = leased()._replace(trouble=broken(at(60)))

    assert settled(Accepted(), lane=lane).alerts == (Alert.LANE_RECOVERED,)


def test_a_failed_message_that_opens_the_breaker_is_two_alerts() -> None:
    lane = leased()._replace(trouble=Trouble(troubled=(8, 9)))

    alerts = settled(NotSent("busy"), sending(failures=2), lane).alerts

    assert alerts == (Alert.BREAKER_OPENED, Alert.MESSAGE_FAILED)


# SenderDown.


def test_a_sender_that_is_down_pauses_its_lane_with_the_reason_and_is_probed() -> None:
    after = settled(SenderDown("logged out"))

    assert after.lane.pause == Pause(PausedBy.GATEWAY, "logged out", NOW, NEVER)
    assert (after.lane.trouble.open, after.lane.trouble.probe_at) == (False, NOW + s(15))
    assert after.message == sending()._replace(state=State.QUEUED, reason="logged out")
    assert after.alerts == (Alert.LANE_PAUSED,)


def test_a_sender_that_is_down_again_on_trial_is_probed_later() -> None:
    lane = leased()._replace(trouble=Trouble(probes=2))

    assert settled(SenderDown("logged out"), lane=lane).lane.trouble.probe_at == NOW + s(60)


@pytest.mark.parametrize("pause", [by_person(), by_gateway(), by_person(until=NOW + 1)])
def test_a_pause_that_stands_is_not_overwritten(pause: Pause) -> None:
    lane = leased()._replace(pause=pause, trouble=Trouble(probe_at=at(60)))

    after = settled(SenderDown("logged out"), lane=lane)

    assert (after.lane.pause, after.lane.trouble) == (pause, Trouble(probe_at=at(60)))
    assert after.alerts == ()


def test_a_sender_that_is_down_after_a_timed_pause_has_ended_is_paused_and_alerted() -> None:
    lane = leased()._replace(pause=by_person(until=NOW))

    after = settled(SenderDown("logged out"), lane=lane)

    assert after.lane.pause == Pause(PausedBy.GATEWAY, "logged out", NOW, NEVER)
    assert after.alerts == (Alert.LANE_PAUSED,)


# A cancel while the call was in flight.


@pytest.mark.parametrize(
    "outcome",
    [
        NotCalled("late"),
        Refused("429"),
        Refused("429", scope=Scope.MESSAGE),
        NotSent("busy"),
        Unreachable("DNS"),
        SenderDown("logged out"),
    ],
)
def test_a_cancel_is_honoured_where_the_message_was_not_sent(outcome: Outcome) -> None:
    asked = sending(cancel_requested=True)._replace(reason="not needed")

    after = settled(outcome, asked)

    assert (after.message.state, after.message.reason) == (State.CANCELLED, "not needed")


@pytest.mark.parametrize("outcome", [NotSent("busy"), Refused("429")])
def test_a_cancel_is_honoured_where_the_message_would_have_failed(outcome: Outcome) -> None:
    last = sending(failures=2, cancel_requested=True)._replace(due_at=NOW - 2 * DAY)

    assert settled(outcome, last).message.state is State.CANCELLED


@pytest.mark.parametrize(
    "outcome", [NotCalled("late"), Refused("429"), NotSent("busy"), SenderDown("logged out")]
)
def test_a_cancel_of_a_message_in_doubt_leaves_it_to_a_person(outcome: Outcome) -> None:
    message = settled(outcome, sending(unresolved=True, cancel_requested=True)).message

    assert (message.state, message.unresolved) == (State.UNKNOWN, True)
    assert message.reason == "cancelled after a call that may have been delivered"


def test_a_cancelled_message_whose_call_ends_unknown_is_not_resent() -> None:
    message = settled(Unknown("timeout"), sending(cancel_requested=True)).message

    assert (message.state, message.unresolved) == (State.UNKNOWN, True)
    assert message.reason == "timeout"


def test_a_cancelled_message_that_was_accepted_is_sent() -> None:
    assert settled(Accepted(), sending(cancel_requested=True)).message.state is State.SENT


# Takeover.


def taken_over(message: Message, lane: Lane, policy: Policy = POLICY, *, called: bool) -> Settled:
    return take_over(lane, message, a_lease(), called=called, now=at(15), u=MIDDLE, policy=policy)


def test_a_dead_dispatchers_message_without_an_attempt_row_was_not_sent() -> None:
    lane = leased(paced_until=at(-5))
    message = sending()._replace(reason="before")

    after = taken_over(message, lane, called=False)

    assert after == Settled(lane._replace(lease=None), message._replace(state=State.QUEUED))


def test_a_dead_dispatchers_call_is_unknown_and_counts_the_pace_from_the_last_it_could_begin() -> (
    None
):
    after = taken_over(sending(), leased(), called=True)

    assert after.lane == leased()._replace(lease=None, paced_until=at(13))
    assert after.message == sending()._replace(
        state=State.QUEUED,
        retry_at=at(15) + s(2.5),
        unresolved=True,
        maybe_duplicate=True,
        reason="its dispatcher died during the call",
    )


def test_a_takeover_adds_the_whole_guard_and_the_jitter() -> None:
    policy = POLICY._replace(guard_us=s(0.05), jitter_us=s(4))

    lane = taken_over(sending(), leased(), policy, called=True).lane

    assert lane.paced_until == at(3 + 10 + 0.05 + 2)


def test_a_dead_dispatcher_is_no_trouble_of_the_gateways() -> None:
    lane = leased()._replace(trouble=Trouble(probes=3))

    assert taken_over(sending(), lane, called=True).lane.trouble == Trouble(probes=3)


def test_a_takeover_of_a_message_to_hold_is_a_persons_to_resolve() -> None:
    after = taken_over(sending()._replace(on_unknown=OnUnknown.HOLD), leased(), called=True)

    assert after.message.state is State.UNKNOWN
    assert after.alerts == (Alert.MESSAGE_UNKNOWN,)


def test_a_cancel_is_honoured_in_a_takeover() -> None:
    cancelled = sending(cancel_requested=True)

    assert taken_over(cancelled, leased(), called=False).message.state is State.CANCELLED
    assert taken_over(cancelled, leased(), called=True).message.state is State.UNKNOWN


# Late outcomes.


@pytest.mark.parametrize(
    "state", ["queued", "sending", "unknown", "cancelled", "expired", "failed"]
)
def test_a_late_acceptance_of_a_message_not_called_again_makes_it_sent(state: str) -> None:
    message = sending(unresolved=True)._replace(state=State(state), reason="before")

    late = settle_late(message, message.attempts, Accepted())

    assert late == message._replace(state=State.SENT, unresolved=False, reason="")


def test_a_late_acceptance_of_a_message_called_again_changes_nothing() -> None:
    message = sending()._replace(attempts=2)

    assert settle_late(message, 1, Accepted()) is None


def test_a_late_acceptance_of_a_sent_message_changes_nothing() -> None:
    assert settle_late(sending()._replace(state=State.SENT), 1, Accepted()) is None


@pytest.mark.parametrize(
    "outcome", [Unknown("timeout"), Refused("429"), Unreachable("DNS"), NotCalled("late")]
)
def test_another_late_outcome_changes_nothing(outcome: Outcome) -> None:
    assert settle_late(sending()._replace(state=State.UNKNOWN), 1, outcome) is None


# Expiry.


def test_a_message_whose_expiry_passed_is_expired() -> None:
    assert expire(a_message()) == a_message()._replace(
        state=State.EXPIRED, reason="its expiry passed before it could be sent"
    )


def test_a_message_in_doubt_whose_expiry_passed_is_a_persons_to_resolve() -> None:
    in_doubt = a_message()._replace(unresolved=True)

    assert expire(in_doubt) == in_doubt._replace(
        state=State.UNKNOWN, reason="expired after a call that may have been delivered"
    )


def test_an_expiry_is_its_lanes_to_tell_where_a_person_must_resolve_it() -> None:
    lane = a_lane(paced_until=at(5))._replace(pause=by_person())
    in_doubt = a_message()._replace(unresolved=True)

    assert expired(lane, a_message()) == Settled(lane, expire(a_message()))
    assert expired(lane, in_doubt) == Settled(lane, expire(in_doubt), (Alert.MESSAGE_UNKNOWN,))


# Chance.


@pytest.mark.parametrize(
    ("outcome", "jitter_us", "drawn"),
    [
        (Accepted(), 0, False),
        (Accepted(), 1, True),
        (NotSent("busy"), 0, True),
        (Refused("429"), 1, True),
    ],
)
def test_chance_is_drawn_for_jitter_and_for_all_but_an_acceptance(
    outcome: Outcome, jitter_us: int, *, drawn: bool
) -> None:
    assert draws(outcome, POLICY._replace(jitter_us=jitter_us)) is drawn
