"""Everybody presses the button at the same time."""

import random


def at_once(people: int, _seconds: float, chance: random.Random) -> list[float]:
    """All within one second, whatever time there is: nobody is quite simultaneous."""
    return sorted(chance.random() for _ in range(people))
