"""Names for messages, batches and dispatchers: unguessable, and in the order they were made."""

import secrets

_CHANCE = 8
"""Bytes of chance in an id."""


def new_id(prefix: str, wall_us: int) -> str:
    """A new id: the millisecond it was made in, so that an index grows at its end, and 64 bits of
    chance."""
    return new_ids(prefix, wall_us, 1)[0]


def new_ids(prefix: str, wall_us: int, count: int) -> list[str]:
    """As many new ids of one instant, in order, so that an index grows at its end by them, too."""
    chance = secrets.token_hex(_CHANCE * count)
    each = range(0, len(chance), 2 * _CHANCE)
    made = f"{prefix}_{wall_us // 1_000:011x}"
    return sorted([f"{made}{chance[start : start + 2 * _CHANCE]}" for start in each])
