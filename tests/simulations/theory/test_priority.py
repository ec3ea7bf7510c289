"""Cobham's priorities, against values worked out by hand."""

from math import inf

import pytest

from simulations.theory import priority


def test_three_priorities() -> None:
    """R = 0.9/2; 0.45/0.8, 0.45/(0.8·0.5), 0.45/(0.5·0.1)."""
    assert priority.mean_waits([0.2, 0.3, 0.4], 10) == pytest.approx([5.625, 11.25, 90.0])


def test_one_priority_waits_as_in_a_lane_without() -> None:
    assert priority.mean_waits([0.5], 1) == pytest.approx([0.5])


def test_who_is_above_what_the_lane_can_send_is_not_held_up_by_what_it_cannot() -> None:
    """R = 1/2; 0.5/0.7, 0.5/(0.7·0.4)."""
    assert priority.mean_waits([0.3, 0.3, 0.6], 1) == pytest.approx([5 / 7, 5 / 2.8, inf])


def test_no_order_changes_the_load_weighted_wait() -> None:
    """0.2·0.5625 + 0.3·1.125 + 0.4·9 = 0.9·4.5, the wait of one class at a load of 0.9."""
    assert priority.load_weighted_wait([0.2, 0.3, 0.4], [0.5625, 1.125, 9.0]) == pytest.approx(4.05)
    assert priority.load_weighted_wait([0.9], [4.5]) == pytest.approx(4.05)
