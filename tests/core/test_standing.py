"""What stands before a message that falls due later, against moments worked out by hand."""

from math import exp

import pytest

from waqcore.core.cumulants import Cumulants
from waqcore.core.extra import Extra, Standing
from waqcore.core.standing import Rest, backlog, standing
from waqcore.core.surprise import Supposition, Surprise

NOTHING = Surprise(Supposition())
HALF = Surprise(Supposition(0.5))
"""Half of the slots are taken by single messages."""
FIVES = Surprise(Supposition(0.1, ((5, 1.0),)))
"""The same half, in batches of five."""


def found(
    rest: Rest, higher: Surprise = NOTHING, *, slots: float = 0.0, ahead: float = 0.0
) -> list[float]:
    """The law where nothing else is said to come while the work is done, at some extra slots."""
    return told(standing(higher, rest, slots=slots, ahead=ahead))


def by_hand(none: float, mean: float, variance: float, third: float) -> object:
    """The law of a wait that there is not with `none`, and else has these three cumulants."""
    return pytest.approx(told(Standing(none, Cumulants(mean, variance, third))), abs=1e-9)


def told(law: Extra) -> list[float]:
    return [law.below(slots, 0.0) for slots in (-1.0, 0.0, 0.3, 0.8, 1.5, 3.0, 10.0, 40.0)]


def test_without_any_work_a_message_is_called_at_once() -> None:
    assert found(Rest(100.0, NOTHING, load=0.0)) == [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]


def test_a_slot_spent_on_something_lower_is_met_at_any_moment_of_it() -> None:
    """Half of the time there is one, of which a uniform part of a slot is left: 1/2, 1/12, 0."""
    assert found(Rest(100.0, NOTHING, load=0.5)) == by_hand(0.5, 1 / 2, 1 / 12, 0.0)


def test_a_lane_with_more_to_do_than_it_can_is_never_free() -> None:
    assert found(Rest(100.0, NOTHING, load=1.5)) == by_hand(0.0, 1 / 2, 1 / 12, 0.0)


def test_a_lane_with_just_as_much_to_do_as_it_can_is_never_free() -> None:
    assert found(Rest(100.0, NOTHING, load=1.0)) == by_hand(0.0, 1 / 2, 1 / 12, 0.0)


def test_single_messages_leave_the_work_of_an_m_d_1_queue() -> None:
    """E(V) = 1/2 and E(V²) = 2·E(V)² + 1/3, so 7/12 of variance; 2·(7/12)²/(1/2) as a gamma law.

    Half of the time there is none: given some, twice the raw moments 1/2, 5/6 and 85/36.
    """
    assert found(Rest(100.0, HALF, load=0.5)) == by_hand(0.5, 1.0, 2 / 3, 31 / 18)


def test_the_less_comes_the_less_work_stands() -> None:
    """E(V) = 1/8 and E(V²) = 2·E(V)² + 1/12 at a load of 1/5, so 19/192 of variance."""
    variance = 19 / 192
    third = 2 * variance**2 * 8
    mean, square, cube = 5 / 8, 5 * 11 / 96, 5 * (third + 3 * variance / 8 + 1 / 512)

    assert found(Rest(100.0, Surprise(Supposition(0.2)), load=0.2)) == by_hand(
        0.8, mean, square - mean**2, cube - 3 * mean * square + 2 * mean**3
    )


def test_batches_leave_more_work_though_the_lane_is_free_as_often() -> None:
    """Of a slot's arrivals 1/2, 5/2 and 25/2: E(V) = 5/2, variance 175/12 and 6,125/36 as a gamma.

    Given some, twice the raw moments.
    """
    mean, square, cube = 5.0, 2 * (175 / 12 + 6.25), 2 * (6_125 / 36 + 7.5 * 175 / 12 + 15.625)

    assert found(Rest(100.0, FIVES, load=0.5)) == by_hand(
        0.5, mean, square - mean**2, cube - 3 * mean * square + 2 * mean**3
    )


def test_what_is_left_of_a_lower_ones_slot_comes_on_top() -> None:
    """Half of the slots that are free of higher ones: 1/4, 5/48 and 1/32 more, and free for 1/4.

    Given some: 1, 2/3 and 40/27.
    """
    assert found(Rest(100.0, HALF, load=0.75)) == by_hand(0.25, 1.0, 2 / 3, 40 / 27)


def test_a_load_told_lower_than_what_goes_first_is_at_least_that() -> None:
    assert found(Rest(100.0, HALF, load=0.2)) == found(Rest(100.0, HALF, load=0.5))


def test_what_is_known_to_be_late_is_work_as_what_comes_unforeseen_is() -> None:
    fewer = Surprise(Supposition(0.4))

    late = found(Rest(100.0, fewer, load=0.65, due=0.1))

    assert late == pytest.approx(found(Rest(100.0, HALF, load=0.75)))


def test_where_more_comes_than_leaves_the_surplus_has_piled_up() -> None:
    """1.2 a slot for 50 slots: 10 over, give or take √60."""
    assert found(Rest(50.0, Surprise(Supposition(1.2)), load=1.2)) == by_hand(0.0, 10.0, 60.0, 60.0)


def test_where_as_much_comes_as_leaves_chance_alone_piles_up() -> None:
    assert found(Rest(50.0, Surprise(Supposition(1.0)), load=1.0)) == by_hand(0.0, 0.0, 50.0, 50.0)


def test_what_the_rest_held_back_is_waited_for() -> None:
    """None of it with e^-2. Of a wait with raw moments 2, 7 and 29, 1/(1 - e^-2) given some."""
    some = 1 - exp(-2)
    mean, square, cube = 2 / some, 7 / some, 29 / some

    rest = Rest(100.0, NOTHING, load=0.0, held=Cumulants(2.0, 3.0, 3.0))

    assert found(rest) == by_hand(
        exp(-2), mean, square - mean**2, cube - 3 * mean * square + 2 * mean**3
    )


def test_while_known_work_is_done_higher_ones_come_and_failed_ones_come_back() -> None:
    """Two slots of work; three of its messages may fail, once, with 20 %; 0.5 come in a slot.

    A slot leads to 2.5 (12.5, 234.375) in all, so two to 3 (25, 468.75) more; one that may fail to
    0.5 (3.5, 63.375). None: 0.8³ that nobody fails, e^-1 that nobody comes.
    """
    none = 0.8**3 * exp(-1)
    mean, variance, third = 3 + 3 * 0.5, 25 + 3 * 3.5, 468.75 + 3 * 63.375
    some, square = mean / (1 - none), (variance + mean**2) / (1 - none)
    cube = (third + 3 * variance * mean + mean**3) / (1 - none)
    higher = Surprise(Supposition(0.5, failure=0.2, max_attempts=2))

    law = found(Rest(100.0, NOTHING, load=0.0), higher, slots=2.0, ahead=3.0)

    assert law == by_hand(none, some, square - some**2, cube - 3 * some * square + 2 * some**3)


def test_where_more_goes_first_than_leaves_it_may_never_be_called() -> None:
    endless = Surprise(Supposition(1.1))

    assert found(Rest(100.0, NOTHING, load=0.0), endless) == [0.0] * 8


@pytest.mark.parametrize(
    ("higher", "slots"),
    [
        (NOTHING, 0.0),
        (HALF, 1.0),
        (FIVES, 5.0),
        (Surprise(Supposition(0.2)), 0.625),
        (Surprise(Supposition(1.0)), 0.0),
        (Surprise(Supposition(1.2)), 0.0),
    ],
)
def test_a_backlog_is_the_time_in_which_as_much_arrives_as_stands(
    higher: Surprise, slots: float
) -> None:
    """Little's law: E(V) = ½·second/(1 - μ) takes E(V)/μ; without end, none is told."""
    assert backlog(higher) == pytest.approx(slots)
