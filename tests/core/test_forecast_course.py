"""What is known to happen before a message's turn, and what may happen around it."""

from math import exp, inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.builders import POLICY, a_lane, at, s
from tests.core.test_forecast import NOW, exactly, expecting
from waqcore.core.course import Place
from waqcore.core.forecast import CROWDED, Eta, eta, law, quiet_span
from waqcore.core.instants import DAY, HOUR
from waqcore.core.known import Span
from waqcore.core.message import Priority
from waqcore.core.outlook import Outlook, Slot, nothing_comes
from waqcore.core.policy import Cap, Policy, Quiet
from waqcore.core.surprise import Supposition

NIGHT = Span(at(-600), at(3600))
TONIGHT = Span(at(100), at(3600))


def told(
    place: Place,
    *,
    paced_until: int = NOW,
    quiet: Span | None = None,
    expected: Outlook | None = None,
    policy: Policy = POLICY,
) -> Eta:
    """A forecast made now; where nothing else is said, nothing comes."""
    lane = a_lane(paced_until=paced_until)
    return eta(lane, place, NOW, policy, expected or nothing_comes(policy), quiet)


def in_slots(high: float, normal: float, low: float = 0.0) -> Outlook:
    """So many single messages of each priority come in a slot, none fails."""
    per_slot = (0.0, 0.0, high, high + normal, high + normal + low)
    return Outlook(Slot(s(10)), [((1.0, Supposition(rate)),) for rate in per_slot])


# Messages that fall due later


@pytest.mark.parametrize(
    ("later_s", "in_s"),
    [
        ((5,), 30),  # It falls due while others go first, and goes first as well.
        ((20,), 30),  # At the very slot.
        ((21,), 20),
        ((5, 25), 40),  # The second just makes it, because of the first.
        ((5, 35), 30),
    ],
)
def test_those_that_fall_due_before_its_turn_and_rank_higher_go_first(
    later_s: tuple[int, ...], in_s: float
) -> None:
    place = Place(Priority.LOW, NOW, ahead=2, later=tuple((at(t), 1) for t in later_s))

    assert told(place) == exactly(in_s)


def test_one_that_falls_due_a_little_later_goes_first_only_if_something_else_does() -> None:
    """Next slot in 5 s; another falls due in 8 s. With e^-0.1 nothing comes in 5 s: called then;
    otherwise it waits for the other as well, so it is not called at 15 s."""
    place = Place(Priority.LOW, NOW, later=((at(8), 1),))
    lane = a_lane(paced_until=at(5))

    found = law(lane, place, NOW, POLICY, expecting(Supposition(0.2)))

    assert found.reached(at(5)) == pytest.approx(exp(-0.1))
    assert found.reached(at(15)) == pytest.approx(exp(-0.1))
    assert found.reached(at(25)) > exp(-0.1)
    assert found.known_at == at(5)


def test_those_that_fall_due_before_its_turn_may_fail_as_those_ahead_may() -> None:
    place = Place(Priority.LOW, NOW, ahead=2, later=((at(5), 3),))

    found = law(a_lane(), place, NOW, POLICY, expecting(Supposition(failure=0.1)))

    assert found.reached(at(50)) == pytest.approx(0.9**5)


def test_one_that_falls_due_at_the_slot_of_a_failure_that_returns_goes_first_as_well() -> None:
    """The one ahead fails with 10 % and is called again at 10 s: then another has fallen due."""
    place = Place(Priority.LOW, NOW, ahead=1, later=((at(20), 1),))

    found = law(a_lane(), place, NOW, POLICY, expecting(Supposition(failure=0.1, max_attempts=2)))

    assert found.reached(at(10)) == found.reached(at(20)) == pytest.approx(0.9)
    assert found.reached(at(30)) > 0.95


# A message that is not due itself


def test_a_message_for_later_is_called_when_it_falls_due() -> None:
    assert told(Place(Priority.LOW, at(500), ahead=3)) == exactly(500)


def test_those_for_the_same_instant_go_in_their_order() -> None:
    blast = Place(Priority.LOW, at(500), ahead=3, later=((at(500), 40),))

    assert told(blast) == exactly(900)


def test_messages_behind_it_keep_the_slots_where_they_are_while_it_is_not_due() -> None:
    place = Place(Priority.HIGH, at(12), behind=50)

    assert told(place, paced_until=at(4)) == exactly(14)
    assert told(place._replace(behind=0), paced_until=at(4)) == exactly(12)


def test_just_enough_messages_behind_it_keep_the_lane_busy_until_it_is_due() -> None:
    """Slots at 4, 14 and 24 s are theirs if there are three, or the lane rests when it is due."""
    place = Place(Priority.HIGH, at(25))

    assert told(place._replace(behind=3), paced_until=at(4)) == exactly(34)
    assert told(place._replace(behind=2), paced_until=at(4)) == exactly(25)


@pytest.mark.parametrize(
    ("behind", "due_s", "in_s"), [(1, 25, 25), (1, 30, 30), (2, 25, 34), (50, 25, 34)]
)
def test_messages_behind_it_keep_the_slots_where_they_are_for_those_that_fall_due_before_it(
    behind: int, due_s: float, in_s: float
) -> None:
    """Slots at 4 and 14 s are theirs; one that falls due at 15 s is called then, or at 24 s."""
    place = Place(Priority.HIGH, at(due_s), behind=behind, later=((at(15), 1),))

    assert told(place, paced_until=at(4)) == exactly(in_s)


@pytest.mark.parametrize(("behind", "in_s"), [(3, 45), (4, 54)])
def test_messages_behind_it_keep_the_lane_busy_once(behind: int, in_s: float) -> None:
    """Theirs are the slots at 4, 14 and 34 s; that at 24 s is another's, due at 15 s."""
    place = Place(Priority.HIGH, at(45), behind=behind, later=((at(15), 1),))

    assert told(place, paced_until=at(4)) == exactly(in_s)


def test_while_they_keep_it_busy_higher_ones_still_pile_up_for_its_slot() -> None:
    """μ = 0.5: what comes in the slot before it and, on average, in one more is not called yet."""
    place = Place(Priority.HIGH, at(12), behind=50)
    lane = a_lane(paced_until=at(4))

    found = law(lane, place, NOW, POLICY, expecting(Supposition(0.5)))

    assert found.reached(at(14)) == pytest.approx(exp(-0.5 * 2))


def test_one_due_at_its_very_turn_has_waited_for_those_ahead_and_nothing_else() -> None:
    place = Place(Priority.LOW, at(20), ahead=2)

    found = law(a_lane(), place, NOW, POLICY, expecting(Supposition(0.2)))

    assert found.reached(at(20)) == pytest.approx(exp(-0.2 * 2))


def test_what_falls_due_after_its_call_does_not_hold_a_message_for_later() -> None:
    assert told(Place(Priority.LOW, at(12), later=((at(100), 1),))) == exactly(12)


def test_those_ahead_may_fail_while_others_fall_due_as_they_end() -> None:
    place = Place(Priority.LOW, at(25), ahead=2, later=((at(20), 1),))

    found = law(a_lane(), place, NOW, POLICY, expecting(Supposition(failure=0.1)))

    assert found.reached(at(30)) == pytest.approx(0.9**3)


def test_those_that_were_before_it_long_ago_can_no_longer_fail_before_it() -> None:
    place = Place(Priority.LOW, at(5_000), ahead=50, later=((at(900), 50),))

    assert told(place, expected=expecting(Supposition(failure=0.2))) == exactly(5_000)


def test_where_its_own_kind_comes_faster_than_it_leaves_work_has_piled_up_by_then() -> None:
    """A load of 1.1 for 500 slots leaves 50, through which high ones come at 0.2 a slot."""
    place = Place(Priority.NORMAL, at(5_000))

    found = told(place, expected=in_slots(0.2, 0.9))

    assert found.at == pytest.approx(at(5_000 + 50 * 10 / 0.8), abs=s(60))


def test_a_known_call_in_a_rest_does_not_end_it() -> None:
    """0.3 of the 1.3 messages a slot are left over, of 363 slots; then higher ones take 0.7."""
    place = Place(Priority.LOW, at(3_640), later=((at(1_800), 1),))

    found = told(place, expected=in_slots(0.2, 0.5, 0.6))

    assert found.at == pytest.approx(at(3_640 + 0.3 * 363 * 10 / 0.3), abs=s(150))


def test_where_higher_ones_come_faster_than_they_leave_it_may_never_be_called() -> None:
    assert told(Place(Priority.LOW, at(5_000)), expected=in_slots(1.1, 0.0)) == Eta(
        None, None, None, CROWDED
    )


def test_known_ones_shortly_before_it_are_late_as_often_as_the_lane_is_busy() -> None:
    """15 in the last 30 slots, and half of the slots taken by lower ones that come unforeseen."""
    dues = tuple((at(seconds), 1) for seconds in (4_705, *range(4_720, 5_000, 20)))
    place = Place(Priority.NORMAL, at(5_000), later=dues)

    certain = told(place)
    found = law(a_lane(), place, NOW, POLICY, in_slots(0.0, 0.0, 0.5))

    assert certain == exactly(5_000)
    assert found.reached(at(5_000)) == pytest.approx(1 - 0.5 - 0.5 * 0.5)


def test_those_due_long_before_it_or_just_with_it_are_not_late() -> None:
    """Half of the slots are busy: it is called when it is due, or a slot later behind another."""
    place = Place(Priority.NORMAL, at(5_000), later=((at(4_700), 15),))
    busy = in_slots(0.0, 0.0, 0.5)

    long_before = law(a_lane(), place, NOW, POLICY, busy)
    with_it = law(a_lane(), place._replace(later=((at(5_000), 1),)), NOW, POLICY, busy)

    assert long_before.reached(at(5_000)) == pytest.approx(0.5)
    assert with_it.reached(at(5_009)) == 0.0
    assert with_it.reached(at(5_010)) == pytest.approx(0.5)


def test_a_message_for_later_finds_the_lane_at_work_as_often_as_it_works() -> None:
    """High 0.2, normal 0.3, low 0.1 a slot: free with 1 - 0.6, else behind part of a slot."""
    place = Place(Priority.NORMAL, at(5_000))

    found = law(a_lane(), place, NOW, POLICY, in_slots(0.2, 0.3, 0.1))

    assert found.reached(at(5_000) - 1) == 0.0
    assert found.reached(at(5_000)) == pytest.approx(0.4)


def test_its_mean_wait_then_is_cobhams() -> None:
    """0.6·10/2 / ((1-0.2)(1-0.5)) = 7.5 s for normal, as in any queue that it joins at random."""
    place = Place(Priority.NORMAL, at(5_000))
    found = law(a_lane(), place, NOW, POLICY, in_slots(0.2, 0.3, 0.1))

    mean_s = sum(1.0 - found.reached(at(5_000 + t / 10)) for t in range(20_000)) / 10

    assert mean_s == pytest.approx(7.5, rel=0.1)  # The curve's own error.


@pytest.mark.parametrize("quiet", [None, Span(at(-600), at(5_000))])
def test_of_what_is_supposed_the_likeliest_tells_what_came_in_a_rest(quiet: Span | None) -> None:
    """500 slots at a load of 1.2 leave 100; if nothing comes from then on, they take 1,000 s."""
    outlook = Outlook(Slot(s(10)), [((0.4, Supposition()), (0.6, Supposition(1.2)))] * 5)
    place = Place(Priority.NORMAL, NOW if quiet else at(5_000))

    found = told(place, quiet=quiet, expected=outlook)

    assert found.low_at is not None
    assert found.low_at == pytest.approx(at(6_000 - 280), rel=0, abs=s(60))
    assert (found.at, found.reason) == (None, CROWDED)


def test_of_equally_likely_suppositions_the_first_tells_what_came_in_a_rest() -> None:
    outlook = Outlook(Slot(s(10)), [((0.5, Supposition()), (0.5, Supposition(1.2)))] * 5)

    assert told(Place(Priority.NORMAL, at(5_000)), expected=outlook).low_at == at(5_000)


# Quiet hours


def test_quiet_hours_are_waited_for_by_all_that_they_hold() -> None:
    place = Place(Priority.NORMAL, NOW, ahead=2, loud=0)

    assert told(place, quiet=NIGHT) == exactly(3620)


def test_loud_ones_are_long_gone_when_quiet_hours_end() -> None:
    place = Place(Priority.NORMAL, NOW, ahead=7, loud=5)

    assert told(place, quiet=NIGHT) == exactly(3620)


def test_loud_ones_that_take_all_of_the_quiet_hours_may_fail_until_their_end() -> None:
    place = Place(Priority.NORMAL, NOW, ahead=361, loud=360)

    found = law(a_lane(), place, NOW, POLICY, expecting(Supposition(failure=0.001)), NIGHT)

    assert found.reached(at(3_610)) == pytest.approx(0.999**361)


def test_more_loud_ones_than_fit_in_quiet_hours_are_waited_for() -> None:
    place = Place(Priority.NORMAL, NOW, ahead=402, loud=400)

    assert told(place, quiet=NIGHT) == exactly(4020)


def test_a_loud_message_does_not_wait_for_quiet_hours() -> None:
    assert told(Place(Priority.HIGH, NOW, ahead=2, loud=2), quiet=NIGHT) == exactly(20)


def test_quiet_hours_to_come_catch_what_is_not_through_by_then() -> None:
    """Slots at 0, 10 … 90 s are left before them."""
    place = Place(Priority.LOW, NOW, ahead=9)

    assert told(place, quiet=TONIGHT) == exactly(90)
    assert told(place._replace(ahead=10), quiet=TONIGHT) == exactly(3600)
    assert told(place._replace(ahead=13), quiet=TONIGHT) == exactly(3630)


@pytest.mark.parametrize(("ahead", "in_s"), [(9, 95), (10, 3600), (12, 3620)])
def test_quiet_hours_may_begin_between_two_slots(ahead: int, in_s: float) -> None:
    """Slots at 5, 15 … 95 s are left before them."""
    place = Place(Priority.LOW, NOW, ahead=ahead)

    assert told(place, paced_until=at(5), quiet=TONIGHT) == exactly(in_s)


@pytest.mark.parametrize(("behind", "in_s"), [(50, 4005), (51, 4010)])
def test_messages_behind_it_wait_for_the_end_of_quiet_hours_like_it(
    behind: int, in_s: float
) -> None:
    """Ten of them are called before, and forty from then on until 3,990 s."""
    place = Place(Priority.NORMAL, at(4005), behind=behind)

    assert told(place, quiet=TONIGHT) == exactly(in_s)


def test_what_comes_before_quiet_hours_to_an_idle_lane_is_gone_by_their_end() -> None:
    """Two idle hours, then one in which 180 normal ones pile up before a reminder due in it."""
    night = Span(at(7_200), at(10_800))

    reminder = told(Place(Priority.LOW, at(8_000)), quiet=night, expected=in_slots(0.2, 0.5))

    assert reminder.at == pytest.approx(at(10_800 + 180 * 10 / (1 - 0.7)), abs=s(300))


def test_what_piles_up_in_quiet_hours_is_gone_long_after_them() -> None:
    """350 s·0.5 of normal ones take until 9,500 s."""
    place, expected = Place(Priority.LOW, at(30_000)), in_slots(0.2, 0.5)

    assert told(place, quiet=TONIGHT, expected=expected) == told(place, expected=expected)


def test_a_night_before_a_rest_is_no_part_of_it() -> None:
    """1.3 messages come in a slot that are not behind it: what has piled up tells how long."""
    place, expected = Place(Priority.LOW, at(3_640)), in_slots(0.2, 0.5, 0.6)

    after_it = law(a_lane(), place, NOW, POLICY, expected, NIGHT)
    without = law(a_lane(), place, at(3_600), POLICY, expected, None)

    quantiles = (0.05, 0.5, 0.95)
    assert [after_it.quantile(q) for q in quantiles] == [without.quantile(q) for q in quantiles]


def test_a_night_of_two_slots_holds_what_comes_in_two() -> None:
    """No normal one comes in it, and no loud one is being called at its end."""
    night = Span(at(-600), at(20))

    found = law(a_lane(), Place(Priority.LOW, NOW), NOW, POLICY, in_slots(0.2, 0.5), night)

    assert found.reached(at(20)) == pytest.approx(exp(-0.5 * 2) * (1 - 0.2))


def test_what_takes_more_than_a_day_waits_for_every_night() -> None:
    """23 h 30 min hold 8,460 slots between the end of one night and the start of the next."""
    night = Span(at(-600), at(1200))
    place = Place(Priority.LOW, NOW, ahead=8_460 + 5)

    assert told(place, quiet=night) == exactly(1200 + 86_400 + 50)


def test_only_loud_messages_that_come_meanwhile_are_out_of_the_way() -> None:
    """In the hour, 180 normal ones pile up before a reminder, and high ones do not."""
    low, normal = Place(Priority.LOW, NOW), Place(Priority.NORMAL, NOW)
    expected = in_slots(0.2, 0.5)

    reminder = told(low, quiet=NIGHT, expected=expected)
    confirmation = told(normal, quiet=NIGHT, expected=expected)

    assert reminder.at == pytest.approx(at(3600 + 180 * 10 / (1 - 0.7)), abs=s(300))
    assert confirmation.at is not None
    assert confirmation.at <= at(3610)


@pytest.mark.parametrize(
    ("starts_h", "ends_h", "now_h", "found_h"),
    [
        (21, 6, 12, (21, 30)),
        (21, 6, 22, (21, 30)),
        (21, 6, 5, (-3, 6)),
        (21, 6, 6, (21, 30)),
        (1, 5, 3, (1, 5)),
        (1, 5, 5, (25, 29)),
    ],
)
def test_the_next_quiet_hours_are_found(
    starts_h: int, ends_h: int, now_h: int, found_h: tuple[int, int]
) -> None:
    found = quiet_span(Quiet(starts_h * HOUR, ends_h * HOUR), at(0) + now_h * HOUR, at(0))

    assert found == Span(at(0) + found_h[0] * HOUR, at(0) + found_h[1] * HOUR)


def test_there_may_be_no_quiet_hours() -> None:
    assert quiet_span(None, NOW, NOW) is None
    assert quiet_span(Quiet(DAY // 2, DAY // 2), NOW, NOW) is None


# All of it together

places = st.builds(
    Place,
    priority=st.sampled_from(Priority),
    due_at=st.integers(-3_600, 40_000).map(at),
    ahead=st.integers(0, 2_000),
    later=st.lists(st.tuples(st.integers(0, 20_000).map(at), st.integers(1, 50)), max_size=20).map(
        lambda dues: tuple(sorted(dues))
    ),
    behind=st.integers(0, 100),
    returning=st.booleans(),
)
policies = st.builds(
    Policy,
    pace_us=st.sampled_from([0, s(0.5), s(10), s(60)]),
    jitter_us=st.sampled_from([0, s(3)]),
    gather_us=st.sampled_from([0, s(5)]),
    cap=st.none() | st.builds(Cap, st.integers(1, 500), st.sampled_from([HOUR, DAY])),
)
suppositions = st.builds(
    Supposition,
    batches=st.floats(0.0, 1.5),
    sizes=st.sampled_from([((1, 1.0),), ((5, 1.0),), ((1, 0.5), (200, 0.5))]),
    failure=st.floats(0.0, 1.0),
    max_attempts=st.integers(1, 5),
    usual=st.floats(0.0, 1.5),
    fades=st.sampled_from([inf, 360.0, 1.0]),
)
nights = st.none() | st.tuples(st.integers(-7, 20), st.integers(1, 3)).map(
    lambda hours: Span(at(hours[0] * 3_600), at((hours[0] + hours[1] + 6) * 3_600))
)


def test_a_range_does_not_begin_before_what_holds_a_message_though_slots_vary() -> None:
    """Gaps of 0 to 3 s: one that goes after it is called at some instant before it is due."""
    policy = POLICY._replace(pace_us=0, jitter_us=s(3))
    slot = nothing_comes(policy).slot
    place = Place(Priority.LOW, at(1), behind=1)

    found = told(place, policy=policy, expected=expecting(Supposition(), slot=slot))
    held = told(
        place, paced_until=at(4), policy=policy, expected=expecting(Supposition(), slot=slot)
    )

    assert found.low_at == at(1)
    assert held.low_at == at(4)


@pytest.mark.parametrize("ahead", [0, 3, 1_000])
def test_a_lane_without_a_pace_has_etas_too(ahead: int) -> None:
    policy = POLICY._replace(pace_us=0)

    found = told(Place(Priority.LOW, NOW, ahead), policy=policy, expected=nothing_comes(policy))

    assert found.at is not None
    assert NOW <= found.at <= NOW + ahead


@given(places, policies, suppositions, nights, st.floats(0.0, 1.0))
def test_whatever_is_known_a_range_is_in_order_and_not_before_it_is_due(
    place: Place, policy: Policy, supposed: Supposition, quiet: Span | None, loud: float
) -> None:
    place = place._replace(loud=round(loud * place.ahead))
    slot = nothing_comes(policy).slot
    found = told(place, quiet=quiet, policy=policy, expected=expecting(supposed, slot=slot))

    instants = [one for one in (found.low_at, found.at, found.high_at) if one is not None]
    assert instants == sorted(instants)
    assert all(one >= max(NOW, place.due_at) for one in instants)
    assert found.reason or len(instants) == 3
