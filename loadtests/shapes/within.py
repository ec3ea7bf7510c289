"""So many people, evenly, within a time: the 200 of a minute."""

import random


def within(people: int, seconds: float, chance: random.Random) -> list[float]:
    """Each at any instant, independently of the others."""
    return sorted(chance.uniform(0.0, seconds) for _ in range(people))
