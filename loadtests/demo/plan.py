"""When the founding scenario says that each message reaches the gateway."""

TOLERANCE_S = 0.25
"""How far a payment link may be off, at any pace: the guard, the round trips and two commits a call
add up to some 20 ms a call, and the fifth link has four calls before it."""
MESSAGES = 10


def due_s(place: int, pace_s: float) -> float:
    """When the message of a place (1-based) is due, in seconds after the first registration.

    The idle sender gathers for half a pace, then calls once a pace: 5, 15, … 95 s.
    """
    return pace_s / 2 + (place - 1) * pace_s
