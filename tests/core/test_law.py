"""The law of an instant, put together from stages whose chances are plain numbers."""

import pytest

from tests.core.builders import at, s
from waqcore.core.cumulants import Cumulants
from waqcore.core.extra import Counted, Standing
from waqcore.core.instants import NEVER
from waqcore.core.law import SLOTS_MAX, Case, Law, Stage

SLOT = s(10)
AT_ONCE = Counted([1.0], Cumulants())
"""Nothing comes."""


def a_law(*stages: Stage, earliest: int = at(0)) -> Law:
    return Law(stages, SLOT, earliest)


def counted(*at_most: float) -> list[Case]:
    """The probabilities of at most 0, 1, … extra slots, and of nothing beyond."""
    return [Case(1.0, Counted(at_most, None))]


def smooth(mean: float, variance: float) -> list[Case]:
    """Extra slots that have no fixed places."""
    return [Case(1.0, Standing(0.0, Cumulants(mean, variance)))]


def test_what_may_be_so_counts_by_its_weight() -> None:
    cases = [Case(0.25, AT_ONCE), *(Case(0.75, case.extra) for case in counted(0.2, 1.0))]

    stage = Stage(at(30), cases)

    assert stage.reached(at(29.9), SLOT) == 0.0
    assert stage.reached(at(30), SLOT) == pytest.approx(0.25 + 0.75 * 0.2)
    assert stage.reached(at(40), SLOT) == 1.0


def test_a_call_at_the_last_instant_of_a_stage_is_in_it() -> None:
    first = Stage(at(10), counted(0.5), until=at(10) + 1)
    then = Stage(at(50), counted(1.0))

    law = a_law(first, then)

    assert law.reached(at(10) - 1) == 0.0
    assert law.reached(at(10)) == law.reached(at(49)) == 0.5
    assert law.reached(at(50)) == 1.0
    assert (law.quantile(0.5), law.quantile(0.51)) == (at(10), at(50))


def test_what_would_come_at_a_stages_end_is_looked_up_in_the_next() -> None:
    first = Stage(at(10), counted(0.5, 1.0), until=at(20))
    then = Stage(at(70), counted(1.0))

    law = a_law(first, then)

    assert law.reached(at(20)) == law.reached(at(69)) == 0.5
    assert law.quantile(0.6) == at(70)


def test_a_message_is_not_called_before_a_stage_that_it_would_have_been_earlier_in() -> None:
    """Known events have pushed it to 50 s; the next stage, taken alone, would say 30 s."""
    first = Stage(at(10), counted(0.5), until=at(50))
    then = Stage(at(30), counted(0.8, 1.0))

    law = a_law(first, then)

    assert law.reached(at(50)) == 1.0
    assert (law.quantile(0.4), law.quantile(0.7)) == (at(10), at(50))


def test_a_later_stage_does_not_take_back_what_was_reached() -> None:
    first = Stage(at(10), counted(0.5), until=at(20))
    then = Stage(at(30), counted(0.3, 1.0))

    assert a_law(first, then).reached(at(35)) == 0.5


def test_nothing_is_reached_before_the_earliest() -> None:
    law = a_law(Stage(at(-5), counted(1.0)), earliest=at(3))

    assert law.reached(at(3) - 1) == 0.0
    assert law.reached(at(3)) == 1.0
    assert law.quantile(0.5) == at(3)


def test_the_known_instant_is_the_turn_of_the_first_stage_that_has_it() -> None:
    past = Stage(at(20), counted(0.0), until=at(20))
    then = Stage(at(40), counted(1.0), until=at(40) + 1)

    assert a_law(past, then, Stage(at(90), counted(1.0))).known_at == at(40)


def test_a_level_that_is_never_reached_has_no_instant() -> None:
    law = a_law(Stage(at(10), counted(0.5)))

    assert law.quantile(0.5) == at(10)
    assert law.quantile(0.500001) is None


def test_a_law_may_reach_its_level_in_whole_slots_however_many() -> None:
    """Levels of a hundredth for each of a hundred slots: the n-th is reached n - 1 slots later."""
    law = a_law(Stage(at(500), counted(*((n + 1) / 100 for n in range(100)))))

    found = [law.quantile(n / 100 + 0.005) for n in range(100)]

    assert found == [at(500 + 10 * n) for n in range(100)]


@pytest.mark.parametrize("slots", [0.3, 7.7, 130.0, 5_000.0])
def test_where_slots_have_no_places_the_middle_is_told_to_a_part_of_them(slots: float) -> None:
    """To 1/256 of a slot, or to a 4,096th of all where they are many."""
    law = a_law(Stage(at(0), smooth(slots, (slots / 10) ** 2)))

    found = law.quantile(0.5)

    assert found is not None
    error = (found - at(0)) / SLOT - slots
    assert -1e-6 <= error <= max(1 / 256, slots / 4_096)


def test_where_slots_vary_an_instant_may_lie_before_the_known_turn() -> None:
    """A slot's place give or take half: with 5 %, 1.645 times that before it."""
    law = a_law(Stage(at(100), counted(1.0), noise=0.5), earliest=at(0))

    found = law.quantile(0.05)

    assert found == pytest.approx(at(100 - 16.45 * 0.5), rel=0, abs=s(0.05))


def test_an_instant_is_given_up_beyond_any_number_of_slots() -> None:
    far = Law([Stage(0, smooth(SLOTS_MAX / 2, 1.0))], 1.0, 0)
    beyond = Law([Stage(0, smooth(4.0 * SLOTS_MAX, 1.0))], 1.0, 0)

    assert far.quantile(0.5) == pytest.approx(SLOTS_MAX / 2, rel=1 / 1_024)
    assert beyond.quantile(0.5) is None


def test_a_stage_lasts_for_ever_unless_told() -> None:
    assert Stage(at(0), counted(1.0)).until == NEVER
