"""What is known to happen to a lane: what falls due, when quiet hours begin, when a cap is full."""

from collections.abc import Iterator, Sequence
from enum import IntEnum
from heapq import merge
from itertools import count
from typing import NamedTuple

from waqcore.core.instants import DAY
from waqcore.core.lane import Lane
from waqcore.core.policy import Policy


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


def events(
    due: Sequence[tuple[int, int]],
    own: int | None,
    quiet: Span | None,
    caps: Iterator[Event],
) -> Iterator[Event]:
    """All that is known to happen, in order, without end where there are quiet hours or a cap.

    `due` are instants and how many messages fall due at each, `own` when the one that waits does;
    None: it is due.
    """
    dues = (Event(at, Kind.DUE, messages=n) for at, n in due)
    one = () if own is None else (Event(own, Kind.OWN),)
    return merge(dues, one, _nights(quiet), caps)


def _nights(quiet: Span | None) -> Iterator[Event]:
    if quiet is not None:
        for day in count():
            yield Event(quiet.starts_at + day * DAY, Kind.QUIET, quiet.ends_at + day * DAY)


def caps(first_at: int, lane: Lane, policy: Policy, slot_us: float) -> Iterator[Event]:
    """When the cap is full if the lane calls in every slot from `first_at` on, and opens again."""
    cap = policy.cap
    if cap is None or round(cap.calls * slot_us) >= cap.window_us:
        return  # It is never full: there is nothing to look for.
    starts_at, opens_at, calls = (
        first_at,
        lane.cap_since + cap.window_us,
        cap.calls - lane.cap_calls,
    )
    if lane.cap_calls == 0 or first_at >= opens_at:
        opens_at, calls = first_at + cap.window_us, cap.calls
    while True:
        full_at = starts_at + round(calls * slot_us)
        if full_at < opens_at:
            yield Event(full_at, Kind.CAP, opens_at)
        starts_at, calls = max(full_at, opens_at), cap.calls
        opens_at = starts_at + cap.window_us
