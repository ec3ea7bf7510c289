"""What an examination finds: one thing, how bad it is, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"  # It works now, and may stop to.
    BAD = "bad"  # Something is not sent, or not safe.


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    """Two words at most: the row of a table."""
    grade: Grade
    seen: str
    """What was found; never a key or a whole recipient."""
    todo: str = ""
    """What to do about it; empty where nothing is to be done."""


def ok(what: str, seen: str) -> Finding:
    """Nothing is to be done."""
    return Finding(what, Grade.OK, seen)


def warn(what: str, seen: str, todo: str) -> Finding:
    """Somebody should look at it today."""
    return Finding(what, Grade.WARN, seen, todo)


def bad(what: str, seen: str, todo: str) -> Finding:
    """Somebody should look at it now."""
    return Finding(what, Grade.BAD, seen, todo)
