"""When a cap is full, what that holds up, and what quiet hours have to do with it."""

from math import exp

import pytest

from tests.core.builders import POLICY, a_lane, at, s
from tests.core.test_forecast import NOW, exactly, expecting
from tests.core.test_forecast_course import NIGHT, TONIGHT, in_slots, told
from waqcore.core.course import Place
from waqcore.core.forecast import Eta, eta, law
from waqcore.core.instants import HOUR
from waqcore.core.known import Span
from waqcore.core.lane import Lane
from waqcore.core.message import Priority
from waqcore.core.outlook import Slot, nothing_comes
from waqcore.core.policy import Cap
from waqcore.core.surprise import Supposition


def capped(
    place: Place,
    calls: int,
    window_s: float,
    *,
    lane: Lane | None = None,
    quiet: Span | None = None,
) -> Eta:
    """A forecast made now under a cap; nothing comes."""
    policy = POLICY._replace(cap=Cap(calls, s(window_s)))
    return eta(lane or a_lane(), place, NOW, policy, nothing_comes(policy), quiet)


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


@pytest.mark.parametrize("calls", [360, 400])
def test_a_cap_that_the_pace_never_fills_does_not_matter(calls: int) -> None:
    policy = POLICY._replace(cap=Cap(calls, window_us=HOUR))

    assert told(Place(Priority.LOW, NOW, ahead=900), policy=policy) == exactly(9_000)


def test_a_cap_that_the_pace_fills_but_for_part_of_a_microsecond_does_not_matter() -> None:
    policy = POLICY._replace(cap=Cap(calls=400, window_us=HOUR))
    slot = Slot((HOUR - 0.3) / 400)

    found = told(
        Place(Priority.LOW, NOW, ahead=800),
        policy=policy,
        expected=expecting(Supposition(), slot=slot),
    )

    assert found == exactly(7_200 - 0.6e-6)


@pytest.mark.parametrize(
    "cap",
    [
        {"cap_since": at(-7_200), "cap_calls": 3},
        {"cap_since": at(-3_600), "cap_calls": 3},
        {"cap_since": at(-60)},
    ],
)
def test_a_window_that_is_over_or_in_which_nothing_was_called_begins_anew(
    cap: dict[str, int],
) -> None:
    policy = POLICY._replace(cap=Cap(calls=5, window_us=HOUR))
    place = Place(Priority.LOW, NOW, ahead=5)

    assert eta(a_lane(**cap), place, NOW, policy, nothing_comes(policy)) == exactly(3_600)


def test_loud_ones_that_a_full_cap_delays_go_before_quiet_hours_hold_the_rest() -> None:
    """Two of four loud ones in this window, two at 3,540 s; three are left when night begins."""
    lane = a_lane(cap_since=at(-60), cap_calls=298)
    policy = POLICY._replace(cap=Cap(calls=300, window_us=HOUR))
    place = Place(Priority.LOW, NOW, ahead=7, loud=4)
    night = Span(at(3_550), at(6_000))

    assert eta(lane, place, NOW, policy, nothing_comes(policy), night) == exactly(6_030)
    fewer = place._replace(loud=1)
    assert eta(lane, fewer, NOW, policy, nothing_comes(policy), night) == exactly(6_040)


@pytest.mark.parametrize(
    ("since_s", "ahead", "in_s"),
    [
        (-3_000, 359, 3_590),  # The next window opens with the call at 600 s, is full at 3,600 s.
        (-3_000, 360, 4_200),
        (-2_995, 360, 3_600),  # It opens with the call at 610 s, the first after 605 s.
        (-2_995, 361, 4_210),
    ],
)
def test_a_window_that_ends_before_it_is_full_is_followed_by_that_of_the_next_call(
    since_s: float, ahead: int, in_s: float
) -> None:
    lane = a_lane(cap_since=at(since_s), cap_calls=200)

    assert capped(Place(Priority.LOW, NOW, ahead), 300, 3_600, lane=lane) == exactly(in_s)


def test_a_window_may_be_full_that_the_pace_could_not_fill() -> None:
    """Made at another pace, say: one of 360 calls is left for an hour at one in ten seconds."""
    lane = a_lane(cap_since=at(-60), cap_calls=359)

    assert capped(Place(Priority.LOW, NOW, ahead=1), 360, 3_600, lane=lane) == exactly(3_540)
    assert capped(Place(Priority.LOW, NOW, ahead=900), 360, 3_600, lane=lane) == exactly(
        3_540 + 8_990
    )


def test_a_cap_that_is_full_just_as_its_window_ends_holds_nothing_up() -> None:
    lane = a_lane(cap_since=at(-3_600 + 20), cap_calls=298)

    assert capped(Place(Priority.LOW, NOW, ahead=2), 300, 3_600, lane=lane) == exactly(20)


# A cap and a message that is not due itself


def test_a_lane_at_rest_fills_no_cap() -> None:
    assert capped(Place(Priority.LOW, at(5_000), ahead=3), 5, 3_600) == exactly(5_000)


@pytest.mark.parametrize(("ahead", "in_s"), [(3, 800), (5, 3_600)])
def test_calls_before_a_rest_count_as_long_as_their_window(ahead: int, in_s: float) -> None:
    place = Place(Priority.LOW, at(800), ahead=ahead)

    assert capped(place, 5, 3_600) == exactly(in_s)
    after = place._replace(due_at=at(3_600 + 700))
    assert capped(after, 5, 3_600) == exactly(4_300)


@pytest.mark.parametrize(
    ("due_s", "in_s"),
    [
        (3_570, 3_610),  # The fourth of four in an hour, then one that waits for the next.
        (3_590, 3_610),  # The next call would be in the next anyway.
        (3_600, 3_620),
    ],
)
def test_calls_after_a_rest_are_in_their_window_or_the_next(due_s: float, in_s: float) -> None:
    """Three calls at once; two more fall due just before it."""
    place = Place(Priority.LOW, at(due_s), ahead=3, later=((at(due_s), 2),))

    assert capped(place, 4, 3_600) == exactly(in_s)


@pytest.mark.parametrize(
    ("behind", "later", "in_s"),
    [
        (50, (), 7_200),  # Two of them now, five at 3,600 s: full when it falls due.
        (6, (), 5_000),  # Two now and four then: one call is left for it.
        (6, ((4_000, 3),), 7_220),  # The first of three takes that, two more the next window's.
    ],
)
def test_messages_behind_it_fill_the_cap_while_it_is_not_due(
    behind: int, later: tuple[tuple[float, int], ...], in_s: float
) -> None:
    dues = tuple((at(seconds), n) for seconds, n in later)
    place = Place(Priority.LOW, at(5_000), ahead=3, later=dues, behind=behind)

    assert capped(place, 5, 3_600) == exactly(in_s)


def test_what_comes_while_those_behind_it_have_filled_the_cap_goes_before_it() -> None:
    """Full from 20 to 3,540 s: 70 high ones at 0.2 a slot, and those that come while they go."""
    lane = a_lane(cap_since=at(-60), cap_calls=298)
    policy = POLICY._replace(cap=Cap(calls=300, window_us=HOUR))
    place = Place(Priority.LOW, at(3_000), behind=50)

    found = eta(lane, place, NOW, policy, in_slots(0.2, 0.0))

    assert found.at == pytest.approx(at(3_540 + 70.4 * 10 / 0.8), abs=s(60))


def test_nothing_else_has_a_say_when_the_cap_opens_for_one_that_fell_due_meanwhile() -> None:
    """Five slots from 0 s fill the cap, with three that go before it and two that go after: of
    the three whoever fails is back long before, and what counts comes in the 355 slots until then.
    """
    policy = POLICY._replace(cap=Cap(calls=5, window_us=HOUR))
    place = Place(Priority.LOW, at(1_000), ahead=3, behind=9)

    failing = law(a_lane(), place, NOW, policy, expecting(Supposition(failure=0.1)), None)
    coming = law(a_lane(), place, NOW, policy, expecting(Supposition(0.001)), None)

    assert failing.reached(at(3_600)) == 1.0
    assert coming.reached(at(3_600)) == pytest.approx(exp(-0.001 * 355))


# A cap and quiet hours


@pytest.mark.parametrize(
    ("window_h", "in_s"),
    [
        (24, 86_400 + 50),  # Quiet hours are over before the cap allows a call again.
        (12, 64_800 + 50),  # It does so within them.
        (6, 21_600 + 50),  # Before them.
    ],
)
def test_the_time_of_a_full_cap_and_quiet_hours_in_it_are_waited_for_once(
    window_h: int, in_s: float
) -> None:
    """300 calls, then none; quiet hours from 9 to 18 h; the message is the sixth after that."""
    night = Span(at(9 * 3_600), at(18 * 3_600))
    place = Place(Priority.LOW, NOW, ahead=305)

    assert capped(place, 300, window_h * 3_600, quiet=night) == exactly(in_s)


def test_a_daily_cap_and_quiet_hours_every_night_make_so_many_days() -> None:
    """500 a day from noon, quiet from 21 to 6 h: 1,200 before it are two days and 200 calls."""
    night = Span(at(9 * 3_600), at(18 * 3_600))
    place = Place(Priority.LOW, NOW, ahead=1_200)

    assert capped(place, 500, 86_400, quiet=night) == exactly(2 * 86_400 + 2_000)


@pytest.mark.parametrize(
    ("calls", "window_s", "ahead", "in_s"),
    [
        (300, 3_600, 309, 6_590),  # A new window, since the night outlasts that of the first ten.
        (300, 3_600, 310, 7_200),
        (20, 7_200, 19, 3_690),  # Ten of its calls are left when the night ends.
        (20, 7_200, 25, 7_250),
        (10, 7_200, 10, 7_200),  # None is.
    ],
)
def test_no_call_is_counted_while_quiet_hours_hold_all(
    calls: int, window_s: float, ahead: int, in_s: float
) -> None:
    """Ten calls before they begin at 100 s; they end at 3,600 s."""
    place = Place(Priority.LOW, NOW, ahead)

    assert capped(place, calls, window_s, quiet=TONIGHT) == exactly(in_s)


@pytest.mark.parametrize(("ahead", "in_s"), [(24, 3_740), (25, 7_250)])
def test_of_two_windows_before_quiet_hours_the_second_goes_on_after_them(
    ahead: int, in_s: float
) -> None:
    """Five calls until 50 s in the first, five until 100 s in the second, 15 from 3,600 s on."""
    lane = a_lane(cap_since=at(-7_150), cap_calls=3)
    place = Place(Priority.LOW, NOW, ahead)

    assert capped(place, 20, 7_200, lane=lane, quiet=TONIGHT) == exactly(in_s)


def test_in_quiet_hours_a_window_has_not_opened_before_its_first_call() -> None:
    """At 3,600 s: full 50 s later, for two hours from its opening."""
    assert capped(Place(Priority.LOW, NOW, ahead=5), 5, 7_200, quiet=NIGHT) == exactly(10_800)


@pytest.mark.parametrize(
    ("loud", "in_s"),
    [
        (7, 3_610),  # Five now, two at 1,800 s, in the night; one more goes first after it.
        (4, 3_640),
    ],
)
def test_loud_ones_fill_the_cap_in_quiet_hours(loud: int, in_s: float) -> None:
    place = Place(Priority.LOW, NOW, ahead=8, loud=loud)

    assert capped(place, 5, 1_800, quiet=NIGHT) == exactly(in_s)


def test_loud_ones_that_a_full_cap_holds_beyond_quiet_hours_go_before_the_others() -> None:
    """Five now, two at 7,200 s, then one that is not loud."""
    place = Place(Priority.LOW, NOW, ahead=8, loud=7)

    assert capped(place, 5, 7_200, quiet=NIGHT) == exactly(7_230)
