from math import isnan, nan

import numpy as np
import pytest

from simulations.confidence import interval, mser5


def test_an_interval_is_students() -> None:
    # Mean 10, sd 2, n 5: 2.776 * 2 / sqrt(5), with t(0.975, 4) = 2.776 from a printed table.
    found = interval([8.0, 8.0, 10.0, 12.0, 12.0])

    assert found.mean == 10.0
    assert found.half_width == pytest.approx(2.776 * 2 / 5**0.5, rel=2e-4)
    assert (found.low, found.high) == (10 - found.half_width, 10 + found.half_width)
    assert found.n == 5


def test_a_higher_level_is_wider() -> None:
    # t(0.995, 4) = 4.604 from a printed table.
    found = interval([8.0, 8.0, 10.0, 12.0, 12.0], level=0.99)

    assert found.half_width == pytest.approx(4.604 * 2 / 5**0.5, rel=2e-4)


def test_replications_without_a_value_are_left_out() -> None:
    assert interval([8.0, nan, 12.0]).n == 2
    assert interval([8.0, nan, 12.0]).mean == 10.0


def test_one_value_has_no_width_and_none_no_mean() -> None:
    assert interval([3.0]).mean == 3.0
    assert isnan(interval([3.0]).half_width)
    assert isnan(interval([]).mean)


def test_nineteen_intervals_in_twenty_hold_the_mean() -> None:
    rng = np.random.default_rng(1)

    held = [abs(interval(rng.normal(5, 3, 10)).mean - 5) for _ in range(2_000)]
    widths = [
        interval(row).half_width for row in np.random.default_rng(1).normal(5, 3, (2_000, 10))
    ]

    share = np.mean(np.array(held) <= np.array(widths))
    assert share == pytest.approx(0.95, abs=0.02)


def test_mser5_cuts_where_a_step_ends() -> None:
    # Two batches of 100, then eighteen whose means alternate 0 and 2: cutting 10 observations
    # leaves an error of 18 / 18 ** 2; a cut later leaves 1 / n, more; one earlier far more.
    series = [100.0] * 10 + ([0.0] * 5 + [2.0] * 5) * 9

    assert mser5(series) == 10


def test_mser5_cuts_nothing_of_a_steady_series() -> None:
    assert mser5(([0.0] * 5 + [2.0] * 5) * 10) == 0


def test_mser5_finds_no_cut_in_a_series_that_only_rises() -> None:
    # The later, the smaller: a minimum in the last half means that it is too short to tell.
    assert mser5([float(n) ** 3 for n in range(200, 0, -1)]) is None


def test_mser5_needs_two_batches() -> None:
    assert mser5([1.0] * 9) is None


def test_large_numbers_do_not_cancel() -> None:
    series = np.array([100.0] * 10 + ([0.0] * 5 + [2.0] * 5) * 9)

    assert mser5(series + 1e12) == 10
