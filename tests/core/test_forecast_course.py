"""What is known to happen before a message's turn, and what may happen around it."""

from math import exp

import pytest

from tests.core.builders import POLICY, a_lane, at, s
from tests.core.test_forecast import NOW, exactly, expecting
from waqcore.core.course import Place
from waqcore.core.forecast import Eta, eta, law, quiet_span
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


def test_while_they_keep_it_busy_higher_ones_still_pile_up_for_its_slot() -> None:
    """μ = 0.5: what comes in the slot before it and, on average, in one more is not called yet."""
    place = Place(Priority.HIGH, at(12), behind=50)
    lane = a_lane(paced_until=at(4))

    found = law(lane, place, NOW, POLICY, expecting(Supposition(0.5)))

    assert found.reached(at(14)) == pytest.approx(exp(-0.5 * 2))


def test_those_that_were_before_it_long_ago_can_no_longer_fail_before_it() -> None:
    place = Place(Priority.LOW, at(5_000), ahead=50, later=((at(900), 50),))

    assert told(place, expected=expecting(Supposition(failure=0.2))) == exactly(5_000)


def test_where_its_own_kind_comes_faster_than_it_leaves_work_has_piled_up_by_then() -> None:
    """A load of 1.1 for 500 slots leaves 50, through which high ones come at 0.2 a slot."""
    place = Place(Priority.NORMAL, at(5_000))

    found = told(place, expected=in_slots(0.2, 0.9))

    assert found.at == pytest.approx(at(5_000 + 50 * 10 / 0.8), abs=s(60))


def test_known_ones_shortly_before_it_are_late_as_often_as_the_lane_is_busy() -> None:
    """15 in the last 30 slots, and half of the slots taken by lower ones that come unforeseen."""
    dues = tuple((at(seconds), 1) for seconds in (4_705, *range(4_720, 5_000, 20)))
    place = Place(Priority.NORMAL, at(5_000), later=dues)

    certain = told(place)
    found = law(a_lane(), place, NOW, POLICY, in_slots(0.0, 0.0, 0.5))

    assert certain == exactly(5_000)
    assert found.reached(at(5_000)) == pytest.approx(1 - 0.5 - 0.5 * 0.5)


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


# Quiet hours


def test_quiet_hours_are_waited_for_by_all_that_they_hold() -> None:
    place = Place(Priority.NORMAL, NOW, ahead=2, loud=0)

    assert told(place, quiet=NIGHT) == exactly(3620)


def test_loud_ones_are_long_gone_when_quiet_hours_end() -> None:
    place = Place(Priority.NORMAL, NOW, ahead=7, loud=5)

    assert told(place, quiet=NIGHT) == exactly(3620)


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


# A cap


def test_what_comes_may_fill_the_cap_before_its_turn() -> None:
    """Two calls are left in this window: it is called in the second, if nothing comes in 10 s, or
    in the next behind all that came in the hour, 71 messages and those that come meanwhile."""
    lane = a_lane(cap_since=at(-60), cap_calls=298)
    policy = POLICY._replace(cap=Cap(calls=300, window_us=HOUR))
    place = Place(Priority.LOW, NOW, ahead=1)

    found = law(lane, place, NOW, policy, expecting(Supposition(0.2)))

    assert found.reached(at(10)) == pytest.approx(exp(-0.2))
    assert found.reached(at(3_539)) == pytest.approx(exp(-0.2))
    assert found.quantile(0.95) == pytest.approx(at(3_530 + 353 * 10 * 0.2 / 0.8), abs=s(300))


def test_a_cap_that_the_pace_never_fills_does_not_matter() -> None:
    policy = POLICY._replace(cap=Cap(calls=400, window_us=HOUR))

    assert told(Place(Priority.LOW, NOW, ahead=900), policy=policy) == exactly(9_000)
