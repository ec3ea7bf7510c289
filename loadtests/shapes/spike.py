"""A quiet day with three moments in which everybody comes."""

import random

from loadtests.shapes.arrivals import at_rate

SPIKES = (0.2, 0.45, 0.7)
"""The shares of the time at which they are."""
WIDTH = 0.01
TIMES = 60.0
"""As many times the quiet rate arrive in a spike: together some two thirds of all."""


def spike(people: int, seconds: float, chance: random.Random) -> list[float]:
    """A low rate, and three narrow spikes on it."""
    return at_rate(_rate, people, seconds, chance)


def _rate(share: float) -> float:
    return TIMES if any(at <= share < at + WIDTH for at in SPIKES) else 1.0
