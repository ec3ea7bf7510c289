"""Forecasts along straight lines between a few stay where forecasts of their own would be."""

import random

import pytest

from waqcore.core.course import Place
from waqcore.core.forecast import Eta, eta
from waqcore.core.instants import NEVER, SECOND
from waqcore.core.lane import Lane
from waqcore.core.message import Priority
from waqcore.core.outlook import outlook
from waqcore.core.policy import Cap, Policy, Quiet
from waqcore.core.rates import Rates
from waqcore.grid import CLOSE, FRESH_US, Grid, Grids, is_smooth

NOW = 1_000_000 * SECOND
POLICY = Policy()
LANE = Lane("a")


def _busy() -> Rates:
    """Some high-priority messages a minute, and a call in ten that fails."""
    known = Rates.since(NOW - 1_800 * SECOND)
    for n in range(60):
        known = known.arrived(Priority.HIGH, NOW - (1_800 - 30 * n) * SECOND, POLICY)
    for n in range(100):
        known = known.called(10 * SECOND, POLICY, failed=n % 10 == 0)
    return known


OUTLOOK = outlook(_busy(), NOW, POLICY)


def _exactly(ahead: int) -> Eta:
    return eta(LANE, Place(Priority.NORMAL, NOW, ahead), NOW, POLICY, OUTLOOK)


def test_close_by_each_forecast_is_its_own() -> None:
    grid = Grid(LANE, NOW)

    for ahead in range(CLOSE + 1):
        assert grid.eta(ahead, NOW, _exactly) == _exactly(ahead)


@pytest.mark.parametrize("seed", range(4))
def test_far_ahead_the_line_is_within_a_fiftieth_of_the_range(seed: int) -> None:
    grid, ahead = Grid(LANE, NOW), random.Random(seed).randint(CLOSE, 2_000)

    told, own = grid.eta(ahead, NOW, _exactly), _exactly(ahead)

    assert own.low_at is not None
    assert own.high_at is not None
    allowed = max(SECOND, (own.high_at - own.low_at) // 50)
    for one, other in zip(told[:3], own[:3], strict=True):
        assert one is not None
        assert other is not None
        assert abs(one - other) <= allowed, f"seed {seed}, {ahead} ahead"


def test_a_burst_costs_few_forecasts() -> None:
    asked: list[int] = []

    def exactly(ahead: int) -> Eta:
        asked.append(ahead)
        return Eta(NOW + ahead * SECOND, NOW, NOW + ahead * SECOND)

    grid = Grid(LANE, NOW)
    told = [grid.eta(ahead, NOW, exactly).at for ahead in range(1_000, 1_200)]

    assert told == [NOW + ahead * SECOND for ahead in range(1_000, 1_200)]
    assert len(asked) <= 4


@pytest.mark.parametrize(
    "last",
    [Eta(None, reason="paused"), Eta(NOW, NOW, None, "open"), Eta(NOW, NOW, NEVER)],
)
def test_between_what_is_told_and_what_cannot_be_nothing_is_drawn(last: Eta) -> None:
    own = Eta(NOW + 7, NOW + 7, NOW + 7)

    def exactly(ahead: int) -> Eta:
        return {96: Eta(NOW, NOW, NOW), 104: last}.get(ahead, own)

    assert Grid(LANE, NOW).eta(100, NOW, exactly) == own


def test_a_forecast_is_never_of_the_past() -> None:
    grid = Grid(LANE, NOW)
    grid.eta(0, NOW, lambda _: Eta(NOW, NOW, NOW))

    assert grid.eta(0, NOW + 5, lambda _: Eta(NOW, NOW, NOW)) == Eta(NOW + 5, NOW + 5, NOW + 5)


def test_a_grid_is_forgotten_after_a_second_or_when_its_lane_has_changed() -> None:
    grids, place = Grids(), Place(Priority.HIGH, NOW)
    first = grids.of(LANE, place, NOW)

    again = grids.of(LANE, place, NOW + FRESH_US - 1)
    changed = grids.of(LANE._replace(paced_until=NOW + 1), place, NOW)
    late = grids.of(LANE._replace(paced_until=NOW + 1), place, NOW + FRESH_US)

    assert first is again
    assert len({id(first), id(changed), id(late)}) == 3


@pytest.mark.parametrize(
    ("place", "policy", "smooth"),
    [
        (Place(Priority.LOW, NOW), POLICY, True),
        (Place(Priority.LOW, NOW + 1), POLICY, False),
        (Place(Priority.LOW, NOW, later=((NOW + 1, 1),)), POLICY, False),
        (Place(Priority.LOW, NOW), POLICY._replace(cap=Cap(5, 60 * SECOND)), False),
        (Place(Priority.LOW, NOW), POLICY._replace(quiet=Quiet(0, SECOND)), False),
        (Place(Priority.HIGH, NOW), POLICY._replace(quiet=Quiet(0, SECOND)), True),
        (Place(Priority.LOW, NOW), POLICY._replace(gather_us=SECOND), False),
    ],
)
def test_where_forecasts_may_jump_no_line_is_drawn(
    place: Place, policy: Policy, *, smooth: bool
) -> None:
    assert is_smooth(place, policy, NOW) is smooth
