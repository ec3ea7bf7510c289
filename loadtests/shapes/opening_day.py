"""Registration opens: a steep rise, a peak, and a long tail."""

import math
import random

from loadtests.shapes.arrivals import at_rate

PEAK_AT = 0.08
"""The share of the time at which most people arrive."""
TAIL = 0.25
"""The share of the time in which what is left of the rate falls to a third."""


def opening_day(people: int, seconds: float, chance: random.Random) -> list[float]:
    """Rises in a straight line to the peak, then falls off exponentially."""
    return at_rate(_rate, people, seconds, chance)


def _rate(share: float) -> float:
    return share / PEAK_AT if share < PEAK_AT else math.exp(-(share - PEAK_AT) / TAIL)
