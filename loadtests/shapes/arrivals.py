"""What a shape is, and arrivals at a rate that changes."""

import random
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate

Arrivals = Callable[[int, float, random.Random], list[float]]
"""So many people in so many seconds: when each arrives, in order, from 0 on."""

STEPS = 1_000
"""Pieces in which a rate is taken for constant; of an hour, 3.6 s."""


def at_rate(
    rate: Callable[[float], float], people: int, seconds: float, chance: random.Random
) -> list[float]:
    """Arrivals whose density follows a rate, given at a share (0 to 1) of the time.

    Given their number, the instants of a Poisson process are independent draws from its rate.
    Source: S. Ross, "Stochastic Processes", 2nd ed., 1996, theorem 2.3.1.
    """
    weights = list(accumulate(rate((step + 0.5) / STEPS) for step in range(STEPS)))
    return sorted(_drawn(weights, chance) * seconds for _ in range(people))


def _drawn(weights: Sequence[float], chance: random.Random) -> float:
    step = bisect_left(weights, chance.random() * weights[-1])
    return (step + chance.random()) / STEPS
