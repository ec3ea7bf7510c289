"""What is known to happen to a lane: what falls due, when quiet hours begin, when a cap is full."""

from collections.abc import Iterator, Sequence
from enum import IntEnum
from heapq import merge
from itertools import count
from math import ceil, floor
from typing import NamedTuple

from waqcore.core.instants import DAY
from waqcore.core.lane import Lane
from waqcore.core.policy import Cap, Policy


class Kind(IntEnum):
    """What happens; of what happens at one instant, the first here comes first."""

    DUE = 0
    """Messages fall due that go before the one that waits."""
    OWN = 1
    """It falls due itself."""
    QUIET = 2
    """Quiet hours begin."""
    CAP = 3
    """The cap is full, if the lane has worked without a rest."""


class Event(NamedTuple):
    """Something known to happen."""

    at: int
    kind: Kind
    until: int = 0
    """When it is over; 0: it is over at once."""
    messages: int = 0


class Span(NamedTuple):
    """Quiet hours: those in force, or the next."""

    starts_at: int
    ends_at: int


def events(due: Sequence[tuple[int, int]], own: int | None, quiet: Span | None) -> Iterator[Event]:
    """What is known to happen by the clock, in order, without end where there are quiet hours.

    `due` are instants and how many messages fall due at each, `own` when the one that waits does;
    None: it is due.
    """
    dues = (Event(at, Kind.DUE, messages=n) for at, n in due)
    one = () if own is None else (Event(own, Kind.OWN),)
    return merge(dues, one, _nights(quiet))


def _nights(quiet: Span | None) -> Iterator[Event]:
    if quiet is not None:
        for day in count():
            yield Event(quiet.starts_at + day * DAY, Kind.QUIET, quiet.ends_at + day * DAY)


class Window(NamedTuple):
    """A cap's window, in which a lane calls in every slot from an instant on."""

    cap: Cap
    works_from: int
    opens_at: int
    """When it is over: the first call from then on opens the next."""
    left: int
    """Calls that may still be made in it, at `works_from`."""

    @classmethod
    def opened(cls, cap: Cap, at: int) -> "Window":
        """The window of a first call."""
        return cls(cap, at, at + cap.window_us, cap.calls)

    def full(self, slot_us: float) -> Event | None:
        """When it, or the one that follows it, is full; None: the lane is too slow for that."""
        full_at = self.works_from + round(self.left * slot_us)
        if full_at < self.opens_at:
            return Event(full_at, Kind.CAP, self.opens_at)
        following = self._following(slot_us)
        full_at = following.works_from + round(following.left * slot_us)
        if full_at < following.opens_at:
            return Event(full_at, Kind.CAP, following.opens_at)
        return None

    def rested(self, begins: int, ends: int, slot_us: float) -> "Window":
        """After a rest, before which it was not full."""
        window = self if begins < self.opens_at else self._following(slot_us)
        calls = max(0, whole_slots(begins - window.works_from, slot_us))
        left = window.left - calls
        if ends < window.opens_at and 0 <= left < window.cap.calls:
            return window._replace(works_from=ends, left=left)
        return Window.opened(self.cap, ends)

    def _following(self, slot_us: float) -> "Window":
        slots = whole_slots(self.opens_at - self.works_from, slot_us)
        return Window.opened(self.cap, self.works_from + round(slots * slot_us))


def window(first_at: int, lane: Lane, policy: Policy) -> Window | None:
    """A cap's window as the lane's next call finds it; None: there is no cap."""
    cap = policy.cap
    if cap is None:
        return None
    opens_at = lane.cap_since + cap.window_us
    if lane.cap_calls == 0 or first_at >= opens_at:
        return Window.opened(cap, first_at)
    return Window(cap, first_at, opens_at, cap.calls - lane.cap_calls)


def whole_slots(us: int, slot_us: float) -> int:
    """The slots that begin in a time, one of them with it."""
    return ceil(us / slot_us - _TOLERANCE)


def slots_before(us: int, slot_us: float) -> int:
    """The slots that begin in a time, if one begins at its end, which is not counted."""
    return floor(us / slot_us + _TOLERANCE)


_TOLERANCE = 1e-6
"""A slot is a float, an instant is not."""
