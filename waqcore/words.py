"""How instants, durations, counts and numbers are worded for a person."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from waqcore.mask import mask

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def span(seconds: float) -> str:
    """A duration in one unit, of which there are about two at least: `35 s`, `12 min`, `26 h`."""
    seconds = abs(seconds)
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3_600:
        return f"{seconds / 3_600:.0f} h"
    return f"{seconds / 86_400:.0f} d"


def relative(at: datetime, now: datetime) -> str:
    """An instant as seen from now: `in 35 s`, `2 min ago`."""
    seconds = (at - now).total_seconds()
    if abs(seconds) < 0.5:
        return "now"
    return f"in {span(seconds)}" if seconds > 0 else f"{span(seconds)} ago"


def count(n: int, noun: str) -> str:
    """A number with its noun: `1 message`, `1,200 messages`."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def parts(counted: dict[str, int]) -> str:
    """What makes up a sum, without its zeros: `3 high, 7 normal`."""
    return ", ".join(f"{n:,} {word}" for word, n in counted.items() if n)


def line(text: str) -> str:
    """Text from elsewhere as one harmless line: an escape code must not reach the terminal."""
    return " ".join(_CONTROL.sub(" ", text).split())


@dataclass(frozen=True, kw_only=True)
class View:
    """What wording depends on: the moment, the operator's time zone, and who may read along."""

    now: datetime
    zone: tzinfo
    full_numbers: bool = False
    """Whether phone numbers are shown whole."""

    def clock(self, at: datetime) -> str:
        """The local time of an instant, with the date where it is not today's."""
        local, today = at.astimezone(self.zone), self.now.astimezone(self.zone)
        if local.date() == today.date():
            return f"{local:%H:%M:%S}"
        near = abs(local - today) < timedelta(days=180)
        return f"{local:%d %b %H:%M}" if near else f"{local:%d %b %Y %H:%M}"

    def when(self, at: datetime) -> str:
        """An instant both ways: `in 35 s · 14:03:22`."""
        return f"{relative(at, self.now)} · {self.clock(at)}"

    def number(self, number: str) -> str:
        """A recipient's number, masked unless it may be read."""
        return number if self.full_numbers else mask(number)
