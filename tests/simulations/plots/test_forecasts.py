"""The pictures of forecasts: the fan, and their calibration."""

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer

from simulations import plots
from simulations.plots.calibration import places, wilson
from simulations.plots.forecasts import forecasts
from tests.simulations.plots.handmade import (
    MESSAGES,
    explained,
    lines,
    message,
    messages,
    points,
    said,
    title,
    words,
)

FIVE = messages(
    message(0, "high", 0, [10], eta=(5, 10, 20)),
    message(1, "high", 1, [21], eta=(11, 15, 20)),
    message(2, "high", 2, [20], eta=(11, 15, 20)),
    message(3, "low", 3, [30], eta=(31, 40, None)),
    message(4, "low", 4, state="queued", eta=(20, 30, 60)),
)


def test_a_fan_shows_each_range_its_median_and_the_call_as_waits() -> None:
    picture = plots.eta_fan(FIVE)
    high, low = picture.axes

    assert [line[1::2] for line in lines(high)[0]] == [[5, 20], [10, 19], [9, 18]]
    medians, inside, outside = points(high)
    assert medians == [[0, 10], [1, 14], [2, 13]]
    assert inside == [[0, 10], [2, 18]]
    assert outside == [[1, 20]]
    assert low.get_xlabel() == "time of enqueue: seconds since the first enqueue"


def test_a_range_without_an_end_goes_on_and_is_counted() -> None:
    picture = plots.eta_fan(FIVE)
    low = picture.axes[1]

    ranges = lines(low)[0]

    assert ranges[0][1] == 28
    assert ranges[0][3] > low.get_ylim()[1]
    assert ranges[1][1::2] == [16, 56]
    _, not_outside, outside = points(low)
    assert (not_outside, outside) == ([[3, 27]], [])
    assert title(picture) == "66.7 % of 3 calls came inside their 90 % range"
    assert said(picture) == "1 whose range has no end"
    assert "low, 2 messages" in words(picture)


def test_a_forecast_far_off_does_not_flatten_what_happened() -> None:
    off = messages(
        message(0, "low", 0, [10], eta=(8, 9_000, 20_000)),
        message(1, "low", 1, [20], eta=(8, 18, 40)),
    )

    picture = plots.eta_fan(off)

    assert picture.axes[0].get_ylim()[1] < 60
    assert "1 median above the picture" in words(picture)


def test_messages_without_an_eta_are_counted() -> None:
    assert said(plots.eta_fan(MESSAGES)) == "2 without an ETA · 1 whose range has no end"
    without = MESSAGES.assign(eta_at=None, eta_low_at=None, eta_high_at=None)
    assert "no message has an ETA" in words(plots.eta_fan(without.astype(MESSAGES.dtypes)))


def test_of_many_messages_some_ranges_are_drawn() -> None:
    many = messages(*(message(n, "low", n, [n + 9], eta=(n, n + 9, n + 20)) for n in range(500)))

    picture = plots.eta_fan(many)

    assert len(lines(picture.axes[0])[0]) == 300
    assert "low: 100 % inside, 500 messages, 300 of them drawn" in words(picture)


def reliability(axes: Axes) -> list[list[list[float]]]:
    """The points of each priority."""
    found = [one for one in axes.containers if isinstance(one, ErrorbarContainer)]
    return [np.column_stack(one.lines[0].get_data()).tolist() for one in found]


def test_reliability_is_told_by_priority_and_horizon() -> None:
    far = messages(
        message(0, "high", 0, [10], eta=(5, 10, 20)),
        message(1, "high", 0, [30], eta=(5, 10, 20)),
        message(2, "high", 0, [100], eta=(90, 120, 150)),
        message(3, "low", 0, [8_000], eta=(7_000, 7_500, 9_000)),
    )

    picture = plots.calibration(far)

    high, low = reliability(picture.axes[0])
    assert high == [[-0.1, 0.5], [0.9, 1.0]]
    assert low == [[4.1, 1.0]]
    assert explained(picture) == ["high: 3 calls", "low: 1 call", "promised"]
    assert "half of the medians were 20.0 s off or less" in said(picture)


def test_places_in_the_range_share_the_median() -> None:
    of = forecasts(
        messages(
            message(0, "low", 0, [4], eta=(5, 10, 20)),
            message(1, "low", 0, [6], eta=(5, 10, 20)),
            message(2, "low", 0, [10], eta=(5, 10, 20)),
            message(3, "low", 0, [20], eta=(5, 10, 20)),
            message(4, "low", 0, [21], eta=(5, 10, 20)),
        )
    )

    assert places(of) == pytest.approx([0.2, 0.3, 0.3, 0.2])


def test_a_calibration_without_forecasts_says_so() -> None:
    picture = plots.calibration(messages(message(0, "low", 0, [4])))

    assert title(picture) == "No forecast can be judged yet"
    assert "no forecast to judge" in words(picture)


def test_wilson_s_interval_is_the_published_one() -> None:
    share, low, high = wilson(np.array([81, 0, 10]), np.array([263, 10, 10]))

    # Source: R. G. Newcombe, Statistics in Medicine 17, 1998, table I: 81 of 263.
    assert (share[0], low[0], high[0]) == pytest.approx((0.3080, 0.2553, 0.3662), abs=5e-5)
    assert (low[1], high[2]) == (0, 1)
