"""Chance as a function of what it is for, so that every driver draws the same numbers."""

from hashlib import blake2b
from typing import NamedTuple


class Chance(NamedTuple):
    """The uniforms in [0, 1) that belong to one attempt of one message."""

    backoff: float
    jitter: float


NO_CHANCE = Chance(0.0, 0.0)
"""For what draws on none."""


def chance(seed: int, message_id: str, attempt: int) -> Chance:
    """The chance of an attempt: a hash of seed, message and attempt, never a live generator.

    Two clocks thus give one schedule, and two policies can be compared on common random numbers.
    """
    digest = blake2b(f"{seed}/{message_id}/{attempt}".encode(), digest_size=16).digest()
    return Chance(_uniform(digest[:8]), _uniform(digest[8:]))


def _uniform(eight_bytes: bytes) -> float:
    return (
        int.from_bytes(eight_bytes, "big") >> 11
    ) / 2**53  # 53 bits: what a float holds exactly.
