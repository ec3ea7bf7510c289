import numpy as np
import pytest
from matplotlib.axes import Axes

from simulations import plots
from simulations.plots.scale import Floats
from tests.simulations.plots.handmade import explained, message, messages, title

FOUR = messages(
    message(0, "high", 0, [0]),
    message(1, "high", 0, [10]),
    message(2, "high", 0, [20]),
    message(3, "high", 0, state="queued"),
)


def curve(axes: Axes, n: int = 0) -> list[tuple[float, float]]:
    """A line's points."""
    x, y = axes.lines[n].get_data()
    return list(zip(np.asarray(x).tolist(), np.asarray(y).tolist(), strict=True))


def test_a_curve_steps_at_each_wait_and_stays_below_one_if_a_message_was_not_called() -> None:
    picture = plots.waits(FOUR)

    points = curve(picture.axes[0])

    assert points[:4] == [(0, 0), (0, 0.25), (10, 0.5), (20, 0.75)]
    assert points[-1][1] == 0.75
    assert explained(picture) == ["high: 4 messages, 1 not called"]
    assert title(picture) == "Half were called within: high 10.00 s"
    assert picture.axes[0].get_xlabel() == "wait until the first call (s)"


def test_a_message_for_later_waits_from_then() -> None:
    later = messages(message(0, "low", 0, [70], send_at=60))

    assert (10, 1) in curve(plots.waits(later).axes[0])


def test_a_class_less_than_half_called_has_no_median() -> None:
    few = messages(message(0, "low", 0, [1]), *(message(n, "low", 0) for n in (1, 2)))

    assert title(plots.waits(few)) == "No class has had half of its messages called"


def theory(seconds: Floats) -> Floats:
    """Half at once, all within 40 s."""
    return np.minimum(1, 0.5 + seconds / 80)


def test_theory_is_drawn_in_the_axis_s_unit_be_it_a_function_or_arrays() -> None:
    slow = messages(message(0, "low", 0, [600]), message(1, "low", 0, [30]))

    called = curve(plots.waits(slow, theory={"low": theory}).axes[0], 1)
    given = plots.waits(slow, theory={"low": (np.array([0.0, 60]), np.array([0.5, 1]))})

    assert called[0] == (0, 0.5)
    assert called[-1][0] == pytest.approx(10.2)  # Minutes: the axis's right end.
    assert called[-1][1] == 1
    assert curve(given.axes[0], 1) == [(0, 0.5), (1, 1)]
    assert explained(given)[-1] == "theory"


def test_a_theory_of_all_messages_brings_their_curve() -> None:
    both = messages(message(0, "high", 0, [0]), message(1, "low", 0, [10]))

    picture = plots.waits(both, theory={"all": theory})

    assert explained(picture) == ["high: 1 message", "low: 1 message", "all: 2 messages", "theory"]
    assert curve(picture.axes[0], 2)[1:3] == [(0, 0.5), (10, 1)]


def test_classes_far_apart_share_a_logarithmic_axis() -> None:
    apart = messages(message(0, "high", 0, [9]), message(1, "low", 0, [3_000]))

    axes = plots.waits(apart, theory={"low": theory}).axes[0]

    assert axes.get_xscale() == "log"
    assert axes.get_xlabel().endswith("(logarithmic; the unit is at each number)")
    assert (3_000, 1) in curve(axes, 1)


def test_many_waits_are_thinned_and_keep_their_heights() -> None:
    frame = messages(message(0, "low", 0, [0]))
    many = frame.loc[frame.index.repeat(10_001)].reset_index(drop=True)
    many["first_called_at"] = many["enqueued_at"] + np.arange(10_001) * 1_000_000

    points = curve(plots.waits(many).axes[0])

    assert len(points) == 4_002
    assert points[2_001][1] == pytest.approx(0.5, abs=0.001)
    assert points[-1][1] == 1
