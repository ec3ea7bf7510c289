"""What a lane does next, at each boundary instant, just before it and just after it."""

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
)
from waqcore.core.instants import DAY, HOUR, NEVER
from waqcore.core.lane import Lane, Lease, Trouble
from waqcore.core.message import Message, Priority, State
from waqcore.core.policy import Cap, Policy, Quiet, TimeShift
from waqcore.core.schedule import (
    Expire,
    Idle,
    Probe,
    Send,
    TakeOver,
    Wait,
    Waiting,
    arrive,
    claim,
    next_step,
    probing,
    quiet_until,
    slot,
)

GATHERING = POLICY._replace(gather_us=s(5))
M1 = a_message(1)
HIGH = a_message(2, Priority.HIGH)
BYPASS = a_message(3, Priority.BYPASS)
LOW = a_message(4, Priority.LOW)


def waiting(*heads: Message, next_due_at: int = NEVER, quiet_until: int = 0) -> Waiting:
    return Waiting(heads, next_due_at, quiet_until)


# A lane that nothing holds.


def test_an_empty_lane_is_idle() -> None:
    assert next_step(a_lane(paced_until=at(5)), waiting(), at(0), POLICY) == Idle()


def test_a_lane_whose_messages_are_all_for_later_waits_for_the_first_of_them() -> None:
    assert next_step(a_lane(), waiting(next_due_at=at(7)), at(0), POLICY) == Wait(at(7))


@pytest.mark.parametrize("held_by", ["paced_until", "closed_until", "opens_at"])
def test_a_lane_sends_from_the_very_instant_it_is_ready(held_by: str) -> None:
    lane = a_lane(**{held_by: at(10)})

    assert next_step(lane, waiting(M1), at(10) - 1, POLICY) == Wait(at(10))
    assert next_step(lane, waiting(M1), at(10), POLICY) == Send(M1)
    assert next_step(lane, waiting(M1), at(10) + 1, POLICY) == Send(M1)


@pytest.mark.parametrize("held_by", ["paced_until", "closed_until", "opens_at"])
def test_a_lane_has_a_slot_to_wait_for_until_it_is_ready(held_by: str) -> None:
    lane = a_lane(**{held_by: at(10)})

    assert slot(lane, at(10) - 1, POLICY) == at(10)
    assert slot(lane, at(10), POLICY) is None


@pytest.mark.parametrize(
    ("lane", "policy"),
    [
        (a_lane(paced_until=at(10)), GATHERING),
        (leased(paced_until=at(10)), POLICY),
        (a_lane(paced_until=at(10))._replace(pause=by_person()), POLICY),
        (a_lane(paced_until=at(10))._replace(pause=by_gateway()), POLICY),
        (a_lane(paced_until=at(10))._replace(trouble=broken(probe_at=at(20))), POLICY),
    ],
    ids=["gathers", "calls", "paused", "paused by the gateway", "broken"],
)
def test_a_lane_that_more_than_its_pace_holds_has_to_be_looked_at(
    lane: Lane, policy: Policy
) -> None:
    assert slot(lane, at(5), policy) is None


@pytest.mark.parametrize("queued", [waiting(), waiting(M1), waiting(LOW, HIGH)])
def test_before_its_slot_a_lane_does_nothing_whatever_is_queued(queued: Waiting) -> None:
    lane = a_lane(paced_until=at(10))

    assert slot(lane, at(5), POLICY) == at(10)
    assert next_step(lane, queued, at(5), POLICY) in (Idle(), Wait(at(10)))


def test_a_lane_at_its_cap_sends_from_the_very_end_of_the_window() -> None:
    lane = a_lane(cap_since=at(0), cap_calls=9)
    policy = POLICY._replace(cap=Cap(calls=9, window_us=s(60)))

    assert next_step(lane, waiting(M1), at(60) - 1, policy) == Wait(at(60))
    assert next_step(lane, waiting(M1), at(60), policy) == Send(M1)


def test_a_lane_with_work_that_is_due_does_not_look_at_what_falls_due_later() -> None:
    lane = a_lane(paced_until=at(10))

    assert next_step(lane, waiting(M1, next_due_at=at(3)), at(0), POLICY) == Wait(at(10))


def test_the_highest_priority_is_sent() -> None:
    assert next_step(a_lane(), waiting(LOW, M1, HIGH), at(0), POLICY) == Send(HIGH)


def test_a_time_shift_of_the_policy_is_followed() -> None:
    late = a_message(2, Priority.HIGH, at(100))
    shifted = POLICY._replace(time_shift=TimeShift(high_us=s(60)))

    assert next_step(a_lane(), waiting(LOW, late), at(100), shifted) == Send(LOW)


# Expiry.


def test_a_message_expires_at_the_very_instant_it_says() -> None:
    brief = M1._replace(expires_at=at(30))

    assert next_step(a_lane(), waiting(brief), at(30) - 1, POLICY) == Send(brief)
    assert next_step(a_lane(), waiting(brief), at(30), POLICY) == Expire((brief,))
    assert next_step(a_lane(), waiting(brief), at(30) + 1, POLICY) == Expire((brief,))


def test_all_heads_that_have_expired_go_at_once_and_the_others_stay() -> None:
    gone, gone_too = M1._replace(expires_at=at(1)), LOW._replace(expires_at=at(2))

    assert next_step(a_lane(), waiting(HIGH, gone, gone_too), at(2), POLICY) == Expire(
        (gone, gone_too)
    )


@pytest.mark.parametrize(
    "lane",
    [
        a_lane(paced_until=at(99)),
        a_lane()._replace(pause=by_person()),
        a_lane()._replace(trouble=broken(at(99))),
    ],
)
def test_a_message_expires_in_a_lane_that_may_not_send_too(lane: Lane) -> None:
    brief = M1._replace(expires_at=at(30))

    assert next_step(lane, waiting(brief), at(30), POLICY) == Expire((brief,))


# A call in flight.


def test_a_lane_with_a_call_in_flight_waits_for_it_whatever_else_there_is() -> None:
    lane = leased()._replace(pause=by_gateway(), trouble=broken(at(0)))
    brief = M1._replace(expires_at=at(0))

    assert next_step(lane, waiting(brief, BYPASS), at(1), POLICY) == Wait(at(15))


def test_a_dead_holder_is_taken_over_at_the_very_end_of_its_lease() -> None:
    assert next_step(leased(), waiting(M1), at(15) - 1, POLICY) == Wait(at(15))
    assert next_step(leased(), waiting(M1), at(15), POLICY) == TakeOver(a_lease())
    assert next_step(leased(), waiting(), at(15) + 1, POLICY) == TakeOver(a_lease())


def test_a_holder_that_lives_on_is_taken_over_once_its_message_was_sending_for_too_long() -> None:
    lease = a_lease(claimed_at=at(0), until=at(86_400))
    lane = a_lane()._replace(lease=lease)

    assert next_step(lane, waiting(), at(1800) - 1, POLICY) == Wait(at(1800))
    assert next_step(lane, waiting(), at(1800), POLICY) == TakeOver(lease)


# Pauses and the breaker.


def test_a_persons_pause_holds_a_lane_until_somebody_acts() -> None:
    lane = a_lane()._replace(pause=by_person())

    assert next_step(lane, waiting(BYPASS), at(0), POLICY) in (Wait(NEVER), Idle())


def test_a_persons_timed_pause_ends_by_itself() -> None:
    lane = a_lane()._replace(pause=by_person(until=at(60)))

    assert next_step(lane, waiting(M1), at(60) - 1, POLICY) == Wait(at(60))
    assert next_step(lane, waiting(M1), at(60), POLICY) == Send(M1)
    assert next_step(lane, waiting(), at(60), POLICY) == Idle()


def test_a_pause_that_has_ended_gives_the_pace_its_turn() -> None:
    lane = a_lane(paced_until=at(65))._replace(pause=by_person(until=at(60)))

    assert next_step(lane, waiting(M1), at(60), POLICY) == Wait(at(65))


def test_a_persons_pause_keeps_the_breaker_from_probing() -> None:
    lane = a_lane()._replace(pause=by_person(until=at(60)), trouble=broken(at(10)))

    assert next_step(lane, waiting(M1), at(10), POLICY) == Wait(at(60))
    assert next_step(lane, waiting(M1), at(60), POLICY) == Probe()


def test_an_open_breaker_probes_at_its_instant_and_sends_nothing() -> None:
    lane = a_lane()._replace(trouble=broken(at(15)))

    assert next_step(lane, waiting(BYPASS), at(15) - 1, POLICY) == Wait(at(15))
    assert next_step(lane, waiting(BYPASS), at(15), POLICY) == Probe()
    assert next_step(lane, waiting(), at(15) + 1, POLICY) == Probe()


def test_a_gateways_pause_probes_at_its_instant_and_sends_nothing() -> None:
    lane = a_lane()._replace(pause=by_gateway(), trouble=Trouble(probe_at=at(15)))

    assert next_step(lane, waiting(BYPASS), at(15) - 1, POLICY) == Wait(at(15))
    assert next_step(lane, waiting(BYPASS), at(15), POLICY) == Probe()


def test_a_gateways_pause_with_an_end_is_over_then() -> None:
    lane = a_lane()._replace(
        pause=by_gateway()._replace(until=at(60)), trouble=Trouble(probe_at=at(90))
    )

    assert next_step(lane, waiting(M1), at(60) - 1, POLICY) == Wait(at(60))
    assert next_step(lane, waiting(M1), at(60), POLICY) == Send(M1)


def test_a_probe_that_comes_before_a_pauses_end_is_waited_for() -> None:
    lane = a_lane()._replace(
        pause=by_gateway()._replace(until=at(90)), trouble=Trouble(probe_at=at(60))
    )

    assert next_step(lane, waiting(M1), at(0), POLICY) == Wait(at(60))


def test_a_breaker_on_trial_sends() -> None:
    lane = a_lane()._replace(trouble=Trouble(probes=2))

    assert next_step(lane, waiting(M1), at(0), POLICY) == Send(M1)


def test_a_probe_does_not_wait_for_the_pace() -> None:
    lane = a_lane(paced_until=at(99))._replace(trouble=broken(at(15)))

    assert next_step(lane, waiting(M1), at(15), POLICY) == Probe()


# Quiet hours.


@pytest.mark.parametrize("loud", [HIGH, BYPASS])
def test_high_and_bypassing_messages_leave_in_quiet_hours(loud: Message) -> None:
    quiet = waiting(M1, LOW, loud, quiet_until=at(3600))

    assert next_step(a_lane(), quiet, at(0), POLICY) == Send(loud)
    assert next_step(a_lane(paced_until=at(5)), quiet, at(0), POLICY) == Wait(at(5))


def test_in_quiet_hours_a_time_shift_lets_no_low_message_out() -> None:
    late = a_message(2, Priority.HIGH, at(100))
    shifted = POLICY._replace(time_shift=TimeShift(high_us=s(60)))

    step = next_step(a_lane(), waiting(LOW, late, quiet_until=at(3600)), at(100), shifted)

    assert step == Send(late)


@pytest.mark.parametrize("soft", [M1, LOW])
def test_other_messages_wait_for_the_very_end_of_the_quiet_hours(soft: Message) -> None:
    quiet = waiting(soft, quiet_until=at(3600))

    assert next_step(a_lane(), quiet, at(3600) - 1, POLICY) == Wait(at(3600))
    assert next_step(a_lane(), quiet, at(3600), POLICY) == Send(soft)


def test_after_quiet_hours_the_pace_still_holds() -> None:
    quiet = waiting(M1, quiet_until=at(3600))

    assert next_step(a_lane(closed_until=at(3700)), quiet, at(0), POLICY) == Wait(at(3700))


def test_in_quiet_hours_a_lane_looks_again_when_the_next_message_falls_due() -> None:
    quiet = waiting(M1, next_due_at=at(100), quiet_until=at(3600))

    assert next_step(a_lane(), quiet, at(0), POLICY) == Wait(at(100))
    assert next_step(a_lane(paced_until=at(200)), quiet, at(0), POLICY) == Wait(at(200))


def test_a_message_due_after_the_quiet_hours_does_not_lengthen_them() -> None:
    quiet = waiting(M1, next_due_at=at(9999), quiet_until=at(3600))

    assert next_step(a_lane(), quiet, at(0), POLICY) == Wait(at(3600))


def test_an_empty_lane_is_idle_in_quiet_hours_too() -> None:
    assert next_step(a_lane(), waiting(quiet_until=at(3600)), at(0), POLICY) == Idle()


def test_a_lane_with_nothing_due_wakes_in_quiet_hours_for_what_falls_due() -> None:
    quiet = waiting(next_due_at=at(100), quiet_until=at(3600))

    assert next_step(a_lane(), quiet, at(0), POLICY) == Wait(at(100))


MIDNIGHT = at(0)
NIGHT = Quiet(starts_us=21 * HOUR, ends_us=7 * HOUR)
NOON = Quiet(starts_us=12 * HOUR, ends_us=13 * HOUR)
UNTIL_MIDNIGHT = Quiet(starts_us=22 * HOUR, ends_us=0)


@pytest.mark.parametrize(
    ("quiet", "into_day", "end"),
    [
        (NOON, 12 * HOUR - 1, None),
        (NOON, 12 * HOUR, 13 * HOUR),
        (NOON, 13 * HOUR - 1, 13 * HOUR),
        (NOON, 13 * HOUR, None),
        (NIGHT, 0, 7 * HOUR),
        (NIGHT, 7 * HOUR - 1, 7 * HOUR),
        (NIGHT, 7 * HOUR, None),
        (NIGHT, 21 * HOUR - 1, None),
        (NIGHT, 21 * HOUR, 24 * HOUR + 7 * HOUR),
        (NIGHT, 24 * HOUR - 1, 24 * HOUR + 7 * HOUR),
        (UNTIL_MIDNIGHT, 0, None),
        (UNTIL_MIDNIGHT, 22 * HOUR, 24 * HOUR),
        (Quiet(5 * HOUR, 5 * HOUR), 5 * HOUR, None),
        (Quiet(0, DAY), 0, DAY),
        (None, 3 * HOUR, None),
    ],
)
def test_quiet_hours_last_from_their_start_to_just_before_their_end(
    quiet: Quiet | None, into_day: int, end: int | None
) -> None:
    expected = 0 if end is None else MIDNIGHT + end

    assert quiet_until(quiet, MIDNIGHT + into_day, MIDNIGHT) == expected


@given(st.integers(0, DAY), st.integers(0, DAY), st.integers(0, DAY - 1))
def test_quiet_hours_that_hold_end_later_and_within_a_day(
    starts_us: int, ends_us: int, into_day: int
) -> None:
    end = quiet_until(Quiet(starts_us, ends_us), MIDNIGHT + into_day, MIDNIGHT)

    assert end == 0 or 0 < end - (MIDNIGHT + into_day) <= DAY


# Gather.


def idle_since(instant: int) -> Lane:
    return a_lane()._replace(idle_since=instant)


def test_an_idle_lane_gathers_from_its_first_arrival() -> None:
    lane = arrive(idle_since(at(-60)), waiting(a_message(due_at=at(0))), at(0), GATHERING)

    assert (lane.opens_at, lane.idle_since) == (at(5), None)


def test_a_burst_is_gathered_from_its_first_message_and_sent_by_priority() -> None:
    lane = idle_since(at(-60))
    burst = [a_message(seq, Priority.LOW, at(seq)) for seq in range(4)]
    late_but_high = a_message(4, Priority.HIGH, at(4))

    for message in burst:
        lane = arrive(lane, waiting(burst[0]), message.due_at, GATHERING)
    lane = arrive(lane, waiting(burst[0], late_but_high), at(4), GATHERING)

    heads = waiting(burst[0], late_but_high)
    assert next_step(lane, heads, at(5) - 1, GATHERING) == Wait(at(5))
    assert next_step(lane, heads, at(5), GATHERING) == Send(late_but_high)


def test_a_gather_counts_from_the_earliest_of_the_arrivals_a_late_look_finds() -> None:
    heads = waiting(a_message(1, Priority.HIGH, at(3)), a_message(2, Priority.LOW, at(1)))

    assert arrive(idle_since(at(-60)), heads, at(4), GATHERING).opens_at == at(6)


def test_a_gather_does_not_move_with_later_looks() -> None:
    heads = waiting(a_message(due_at=at(0)))
    lane = arrive(idle_since(at(-60)), heads, at(0), GATHERING)

    assert arrive(lane, heads, at(3), GATHERING) == lane
    assert arrive(lane, heads, at(300), GATHERING) == lane


def test_a_gather_does_not_count_from_before_the_lane_was_idle() -> None:
    heads = waiting(a_message(due_at=at(-3600)))

    assert arrive(idle_since(at(0)), heads, at(2), GATHERING).opens_at == at(5)


def test_a_gather_is_at_most_its_length_though_a_clock_put_the_arrival_in_the_future() -> None:
    heads = waiting(a_message(due_at=at(3600)))

    assert arrive(idle_since(at(-60)), heads, at(0), GATHERING).opens_at == at(5)
    assert arrive(idle_since(at(3600)), heads, at(0), GATHERING).opens_at == at(5)


def test_an_arrival_while_a_call_is_in_flight_is_not_gathered() -> None:
    busy = leased()
    heads = waiting(a_message(2, due_at=at(1)))

    assert arrive(busy, heads, at(1), GATHERING) == busy
    after = busy._replace(lease=None)
    assert arrive(after, heads, at(2), GATHERING) == after


def test_a_lane_with_a_call_in_flight_is_not_idle_though_nothing_waits() -> None:
    assert arrive(leased(), waiting(), at(1), GATHERING) == leased()


def test_a_lane_with_nothing_left_is_idle_since_the_first_look_that_found_so() -> None:
    lane = arrive(a_lane(), waiting(), at(2), GATHERING)

    assert lane.idle_since == at(2)
    assert arrive(lane, waiting(), at(9), GATHERING) == lane


def test_a_lane_that_does_not_gather_is_left_as_it_is() -> None:
    idle = idle_since(at(-60))

    assert arrive(idle, waiting(M1), at(0), POLICY) == idle
    assert arrive(a_lane(), waiting(), at(0), POLICY) == a_lane()


# Claims and probes.


def claimed(policy: Policy, until: int) -> tuple[Lane, Message]:
    return claim(a_lane(), M1, at(0), token="t", holder="dispatcher-1", until=until, policy=policy)


def test_a_claim_leases_the_message_and_holds_the_lane() -> None:
    lane, message = claimed(POLICY, until=at(15))

    assert message == M1._replace(state=State.SENDING)
    assert lane == a_lane()._replace(
        lease=Lease(
            token="t",
            message_seq=1,
            holder="dispatcher-1",
            claimed_at=at(0),
            call_by=at(3),
            until=at(15),
        )
    )


@pytest.mark.parametrize(
    ("until_s", "call_by_s"), [(15, 3), (3.000_001, 3), (3, 3), (2.999_999, 2.999_999), (0.1, 0.1)]
)
def test_a_call_begins_before_both_its_window_and_its_holders_lease_end(
    until_s: float, call_by_s: float
) -> None:
    lane, _ = claimed(POLICY, until=at(until_s))

    assert lane.lease is not None
    assert lane.lease.call_by == at(call_by_s)


@pytest.mark.parametrize(("expires_s", "call_by_s"), [(2, 1.999_999), (3, 2.999_999), (3.5, 3)])
def test_a_call_does_not_begin_once_its_message_has_expired(
    expires_s: float, call_by_s: float
) -> None:
    brief = M1._replace(expires_at=at(expires_s))

    lane, _ = claim(
        a_lane(), brief, at(0), token="t", holder="dispatcher-1", until=at(15), policy=POLICY
    )

    assert lane.lease is not None
    assert lane.lease.call_by == at(call_by_s)


def test_probes_come_at_growing_intervals_up_to_their_cap() -> None:
    lane = a_lane()._replace(trouble=broken(at(0)))
    now, intervals = at(0), []

    for _ in range(7):
        lane = probing(lane, now, POLICY)
        intervals.append((lane.trouble.probe_at - now) // s(1))
        now = lane.trouble.probe_at

    # The first, 15 s, passed before the first probe.
    assert intervals == [30, 60, 120, 240, 300, 300, 300]


def test_a_probe_that_begins_keeps_the_lane_as_it_is_but_for_the_next() -> None:
    lane = a_lane()._replace(pause=by_gateway(), trouble=broken(at(0))._replace(troubled=(1, 2)))

    probed = probing(lane, at(0), POLICY)

    assert probed == lane._replace(trouble=lane.trouble._replace(probes=1, probe_at=at(30)))
    assert next_step(probed, waiting(M1), at(1), POLICY) == Wait(at(30))


# In general.

instants = st.integers(0, 60)
lanes: st.SearchStrategy[Lane] = st.builds(
    Lane,
    sender=st.just("6281"),
    paced_until=instants,
    closed_until=instants,
    opens_at=instants,
    pause=st.sampled_from([None, by_person(until=30), by_gateway()]),
    trouble=st.builds(Trouble, open=st.booleans(), probe_at=instants),
    lease=st.none() | st.builds(a_lease, instants, instants, instants),
)
messages: st.SearchStrategy[Message] = st.builds(
    a_message, instants, st.sampled_from(Priority), instants
)


@given(lanes, st.lists(messages, max_size=3), instants, instants, instants)
def test_a_wait_always_ends_later_so_that_no_driver_spins(
    lane: Lane, heads: list[Message], next_due_in: int, quiet_until: int, now: int
) -> None:
    found = waiting(*heads, next_due_at=now + 1 + next_due_in, quiet_until=quiet_until)

    step = next_step(lane, found, now, POLICY)

    assert not isinstance(step, Wait) or step.until > now
    assert not isinstance(step, Send) or lane.ready_at(POLICY) <= now
