"""Time in the core: whole microseconds, so that comparisons are exact in every driver."""

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

NEVER = 2**62
"""An instant no clock reaches: a deadline that is not set, a wait nothing but an arrival ends."""


def microseconds(seconds: float) -> int:
    """Convert seconds, as settings and people give them, to whole microseconds."""
    return round(seconds * SECOND)


def seconds(duration_us: int) -> float:
    """Convert microseconds to seconds, for people and for timers."""
    return duration_us / SECOND
