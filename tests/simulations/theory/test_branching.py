"""Slots that breed slots, against values worked out by hand."""

import math

import numpy as np
import pytest
from scipy.stats import poisson

from simulations.theory import branching

e = math.e


def test_a_busy_period_has_borels_law() -> None:
    """e^(-μn)·(μn)^(n-1) / n!, at μ = 1/2."""
    by_hand = [0, e**-0.5, e**-1 / 2, e**-1.5 * 1.5**2 / 6, e**-2 * 2**3 / 24]

    assert branching.borel_tanner(range(5), 1, 0.5) == pytest.approx(by_hand, abs=1e-15)


def test_a_busy_period_that_begins_with_two_has_tanners_law() -> None:
    """2/n · e^(-n/2)·(n/2)^(n-2) / (n-2)!."""
    by_hand = [0, 0, e**-1, 2 / 3 * e**-1.5 * 1.5, 2 / 4 * e**-2 * 2**2 / 2]

    assert branching.borel_tanner(range(5), 2, 0.5) == pytest.approx(by_hand, abs=1e-15)


def test_a_busy_period_of_a_lane_without_arrivals_is_what_it_began_with() -> None:
    assert branching.borel_tanner(range(4), 2, 0) == pytest.approx([0, 0, 1, 0])


def test_a_long_busy_period_has_a_probability_too() -> None:
    """By Stirling's formula 1 / sqrt(2π·n³) at μ = 1, n a million."""
    assert float(branching.borel_tanner(10**6, 1, 1.0)) == pytest.approx(
        1 / math.sqrt(2 * math.pi) * 1e-9, rel=1e-6
    )


def test_those_that_overtake_are_generalized_poisson() -> None:
    """θ = 1, μ = 1/2: e^-1, e^-1.5, 2·e^-2 / 2, 2.5²·e^-2.5 / 6."""
    by_hand = [e**-1, e**-1.5, e**-2, 2.5**2 * e**-2.5 / 6]

    assert branching.generalized_poisson(range(4), 1, 0.5) == pytest.approx(by_hand, abs=1e-15)


def test_those_that_overtake_have_the_mean_of_the_queue() -> None:
    """θ / (1-μ) = 1.2 / 0.6."""
    extra = np.arange(300)
    chances = branching.generalized_poisson(extra, 1.2, 0.4)

    assert chances.sum() == pytest.approx(1)
    assert (extra * chances).sum() == pytest.approx(2)


def test_nobody_overtakes_who_does_not_wait() -> None:
    assert branching.generalized_poisson([0, 1, 2], 0, 0.5) == pytest.approx([1, 0, 0])


def test_calls_that_only_fail_are_negative_binomial() -> None:
    """Two messages, one call in five fails: 0.8², 2·0.2·0.8², 3·0.2²·0.8²."""
    by_hand = [0, 0, 0.64, 0.256, 0.0768]

    assert branching.total_progeny([0.8, 0.2], 2, 4) == pytest.approx(by_hand, abs=1e-15)


def test_a_family_of_none_or_two_children_each_counts_binary_trees() -> None:
    """1, 1 and 2 trees with 0, 1 and 2 parents: 0.7, 0.7²·0.3, 2·0.7³·0.3²."""
    by_hand = [0, 0.7, 0, 0.147, 0, 0.06174]

    assert branching.total_progeny([0.7, 0, 0.3], 1, 5) == pytest.approx(by_hand, abs=1e-15)


def test_a_family_with_poisson_children_is_a_busy_period() -> None:
    children = poisson.pmf(np.arange(60), 0.6)

    assert branching.total_progeny(children, 3, 50) == pytest.approx(
        branching.borel_tanner(np.arange(51), 3, 0.6), abs=1e-14
    )
