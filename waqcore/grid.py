"""Forecasts for many messages of a lane from a few: worked out at places that lie further and
further apart, and along straight lines between them.

A forecast a thousand places ahead costs some milliseconds, and all of a burst ask for theirs.
"""

from collections.abc import Callable

from waqcore.core.course import Place
from waqcore.core.forecast import Eta
from waqcore.core.instants import NEVER, SECOND
from waqcore.core.lane import Lane
from waqcore.core.message import Priority
from waqcore.core.policy import Policy

CLOSE = 32
"""Places ahead up to which each has a forecast of its own."""
PARTS = 8
"""Parts of each doubling beyond: over an eighth, the bend of a range's ends, which grow as roots
do, stays below a thousandth of the range."""
FRESH_US = SECOND
"""How long forecasts serve, unless their lane changes: as long as the tally's counters do."""

Exactly = Callable[[int], Eta]
"""Works out the forecast so many places ahead."""


def is_smooth(place: Place, policy: Policy, now: int) -> bool:
    """Whether a message's forecast bends, but never jumps, with the messages ahead of it."""
    held = policy.quiet is not None and place.priority > Priority.HIGH
    jumps = held or policy.cap is not None or policy.gather_us or place.later
    return place.due_at <= now and not jumps


class Grid:
    """The forecasts of one lane and priority at one instant, as far as they were asked for."""

    def __init__(self, lane: Lane, now: int) -> None:
        self._lane = lane
        self._now = now
        self._known: dict[int, Eta] = {}

    def serves(self, lane: Lane, now: int) -> bool:
        """Whether it still holds for a lane as it is by now."""
        return 0 <= now - self._now < FRESH_US and lane == self._lane

    def eta(self, ahead: int, now: int, exactly: Exactly) -> Eta:
        """The forecast of a message that has so many ahead; never before `now`."""
        step = 1 if ahead <= CLOSE else 1 << (ahead.bit_length() - PARTS.bit_length())
        low = ahead - ahead % step
        share = (ahead - low) / step
        first = self._at(low, exactly)
        told = first if share == 0 else _between(first, self._at(low + step, exactly), share)
        return _not_before(now, exactly(ahead) if told is None else told)

    def _at(self, ahead: int, exactly: Exactly) -> Eta:
        if ahead not in self._known:
            self._known[ahead] = exactly(ahead)
        return self._known[ahead]


class Grids:
    """The grids of a queue, each until it is stale; safe to share between threads."""

    def __init__(self) -> None:
        self._grids: dict[tuple[str, Priority, bool], Grid] = {}

    def of(self, lane: Lane, place: Place, now: int) -> Grid:
        """The grid of a lane as it stands, for messages that differ in what is ahead of them."""
        key = (lane.sender, place.priority, place.returning)
        grid = self._grids.get(key)
        if grid is None or not grid.serves(lane, now):
            grid = self._grids[key] = Grid(lane, now)
        return grid


def _between(first: Eta, last: Eta, share: float) -> Eta | None:
    """The forecast at a share of the way; None: there is no straight way from one to the other."""
    if first.reason != last.reason:
        return None
    told: list[int | None] = []
    for begins, ends in zip(first[:3], last[:3], strict=True):
        if _is_known(begins) != _is_known(ends):
            return None
        if begins is None or ends is None:
            told.append(None)
        else:
            told.append(begins + round(share * (ends - begins)))
    at, low_at, high_at = told
    return Eta(at, low_at, high_at, first.reason)


def _is_known(at: int | None) -> bool:
    return at is not None and at < NEVER


def _not_before(now: int, told: Eta) -> Eta:
    if told.low_at is not None and told.low_at >= now:
        return told
    at, low_at, high_at = (None if one is None else max(one, now) for one in told[:3])
    return Eta(at, low_at, high_at, told.reason)
