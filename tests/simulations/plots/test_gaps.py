import pytest
from matplotlib.patches import Rectangle

from simulations import legacy, plots, scenario
from tests.simulations.plots.handmade import attempt, attempts, said, title
from waqcore.core.instants import SECOND

PACE = 10 * SECOND


def rectangles(picture: plots.Picture) -> list[Rectangle]:
    """All bars."""
    return [one for one in picture.axes[0].patches if isinstance(one, Rectangle)]


def bars(picture: plots.Picture) -> list[tuple[float, float]]:
    """Left edge and height of every bar."""
    return [(bar.get_x(), bar.get_height()) for bar in rectangles(picture)]


def test_a_gap_of_exactly_the_pace_is_not_short_and_one_a_microsecond_less_is() -> None:
    calls = attempts(
        *(attempt(0, "low", at, "accepted") for at in (0, 10, 20, 29.999999, 41.5, 99))
    )

    picture = plots.gaps(calls, PACE)

    assert title(picture) == "1 of 5 gaps shorter than the pace of 10 s"
    assert "smallest gap 9.999999 s" in said(picture)
    assert "1 gap over 20 s not drawn" in said(picture)
    at = dict(bars(picture))
    assert at[10.0] == 2
    assert sum(at.values()) == 4
    assert [height for left, height in at.items() if left < 10] == [1]


def test_short_gaps_have_a_colour_of_their_own() -> None:
    calls = attempts(*(attempt(0, "low", at, "accepted") for at in (0, 5, 16)))

    short, fair = rectangles(plots.gaps(calls, PACE))

    assert short.get_x() < 10 <= fair.get_x()
    assert short.get_facecolor() != fair.get_facecolor()


def test_gaps_are_one_sender_s_and_of_calls_that_left() -> None:
    calls = attempts(
        attempt(0, "low", 0, "accepted", sender="a"),
        attempt(1, "low", 1, "accepted", sender="b"),
        attempt(2, "low", 2, "not_called", sender="a"),
        attempt(3, "low", None, None, sender="a"),
        attempt(4, "low", 12, "unknown", sender="b"),
        attempt(5, "low", 15, None, sender="a"),
    )

    picture = plots.gaps(calls, PACE)

    assert title(picture) == "None of 2 gaps is shorter than the pace of 10 s"
    assert "smallest gap 11.000000 s" in said(picture)


def test_where_one_bar_is_far_higher_the_axis_is_logarithmic() -> None:
    calls = attempts(*(attempt(0, "low", 10 * n, "accepted") for n in range(101)))

    axes = plots.gaps(calls, PACE).axes[0]

    assert axes.get_yscale() == "log"
    assert axes.get_ylabel() == "gaps (logarithmic)"
    assert axes.get_xlim()[0] < 10 < axes.get_xlim()[1]


@pytest.mark.parametrize("pace_s", [8, 10, 15])
def test_waqcore_holds_whatever_the_pace_is(pace_s: int) -> None:
    chosen = scenario.changed(scenario.load("failing-messages"), {"pace": pace_s})
    run = scenario.play(chosen)

    picture = plots.gaps(run.attempt_rows(), pace_s * SECOND)

    assert title(picture).startswith("None of ")


def test_the_old_loop_does_not_hold_the_pace() -> None:
    prepared = scenario.prepare(scenario.load("marketing-under-registrations"))
    run = legacy.simulate(prepared.workload, prepared.gateway)

    assert " shorter than the pace of 10 s" in title(plots.gaps(run.attempt_rows(), PACE))
