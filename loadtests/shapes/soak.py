"""The same rate for hours, with a little of the day in it."""

import math
import random

from loadtests.shapes.arrivals import at_rate

SWING = 0.3
"""How far the rate moves above and below its mean, so that the queue empties and fills."""
WAVES = 6


def soak(people: int, seconds: float, chance: random.Random) -> list[float]:
    """A rate that swings gently."""
    return at_rate(_rate, people, seconds, chance)


def _rate(share: float) -> float:
    return 1.0 + SWING * math.sin(2 * math.pi * WAVES * share)
