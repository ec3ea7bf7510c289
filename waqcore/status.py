"""What stands in the queue, what each lane waits for, and when it will be clear."""

import heapq
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from statistics import median

from sqlalchemy import Connection

from waqcore.clock import Now
from waqcore.core.course import Place
from waqcore.core.instants import DAY, NEVER, seconds
from waqcore.core.lane import Lane
from waqcore.core.message import Priority, State
from waqcore.core.policy import Sender
from waqcore.estimate import Estimator
from waqcore.message import Eta, Message, instant, message_of
from waqcore.store import presence, review
from waqcore.store.controls import Filter
from waqcore.store.forecasts import fared
from waqcore.store.position import Position, Tally, count
from waqcore.store.review import MessageRow
from waqcore.store.store import Store

NEXT_MAX = 10
"""Messages shown as the next to go."""
LANES_MAX = 20
"""Lanes whose next messages are looked up for one status; a page of more is read by nobody."""


@dataclass(frozen=True, kw_only=True)
class LaneStatus:
    """One sender's lane."""

    sender: str
    queued: int
    scheduled: int
    """Those of them that are for later."""
    condition: str
    """What it is doing, or why it is not: `idle`, `sending`, `ready`, `pacing`, `gathering`,
    `closed`, `capped`, `quiet hours`, `breaker open`, `paused`."""
    reason: str
    until: datetime | None
    """When that ends as far as is known; None: when somebody or something acts."""
    clear_at: datetime | None
    """When the last message due now should be called for; None: unknown, or none is due."""


@dataclass(frozen=True, kw_only=True)
class Accuracy:
    """How forecasts made in the last 24 hours fared, of those whose messages have been called."""

    forecasts: int
    off_s: float
    """Seconds between forecast and call, whichever came first: the median."""
    inside: float
    """The share of calls that started inside their forecast's range, of which 0.9 should."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """The queue at one instant."""

    at: datetime
    queued: dict[str, int]
    """Queued messages by priority, scheduled ones included."""
    scheduled: int
    """Those of them that are for later."""
    sending: list[Message]
    """The newest of those being sent."""
    in_flight: int
    """How many are being sent."""
    next: list[Message]
    failed: int
    unknown: int
    lanes: list[LaneStatus]
    dispatchers: int
    """Dispatchers alive; 0: nothing will be sent."""
    accuracy: Accuracy | None
    """How good forecasts were of late; None: none has been proved yet."""

    @property
    def queue_length(self) -> int:
        """All queued messages."""
        return sum(self.queued.values())

    @property
    def clear_in_s(self) -> float | None:
        """Seconds until all that is due now should have gone; None: unknown, 0: it has."""
        waiting = [lane for lane in self.lanes if lane.queued > lane.scheduled]
        ends = [lane.clear_at for lane in waiting if lane.clear_at is not None]
        if len(ends) < len(waiting):
            return None
        return max(((end - self.at).total_seconds() for end in ends), default=0.0)


def _lane_status(
    estimator: Estimator, sender: Sender, queued: int, scheduled: int, last: Place | None
) -> LaneStatus:
    """What a lane does, and when its last message, at `last`, should go."""
    condition, reason, until = _condition(estimator, sender, queued - scheduled)
    clear_at = None
    if last is not None:
        found = estimator.forecast(sender, last)
        clear_at = None if found.at is None else instant(estimator.now.to_wall(found.at))
    known = 0 < until < NEVER
    return LaneStatus(
        sender=sender.number,
        queued=queued,
        scheduled=scheduled,
        condition=condition,
        reason=reason,
        until=instant(estimator.now.to_wall(until)) if known else None,
        clear_at=clear_at,
    )


def _condition(estimator: Estimator, sender: Sender, due: int) -> tuple[str, str, int]:
    now, lane = estimator.now.steady, estimator.lane(sender.number)
    pause = lane.paused(now)
    if lane.lease is not None:
        return "sending", "", 0
    if pause is not None:
        return "paused", f"{pause.reason} (by {pause.by})", pause.until
    if lane.trouble.open:
        return "breaker open", "the gateway fails; probing", lane.trouble.probe_at
    holds = _holds(estimator, sender, lane)
    if holds and due:
        until, condition = max(holds)
        return condition, "", until
    return ("ready" if due else "idle"), "", 0


def conditions(connection: Connection, store: Store, due: Mapping[str, int]) -> dict[str, str]:
    """What each lane is doing, or why it is not; `due` says how many messages wait in it."""
    estimator = Estimator(connection, store)
    estimator.know(list(store.senders))
    return {
        number: _condition(estimator, sender, due.get(number, 0))[0]
        for number, sender in store.senders.items()
    }


def _holds(estimator: Estimator, sender: Sender, lane: Lane) -> list[tuple[int, str]]:
    """What keeps a lane from calling now, by when each ends."""
    capped = lane._replace(paced_until=0, opens_at=0, closed_until=0).ready_at(sender.policy)
    named = (
        (lane.paced_until, "pacing"),
        (lane.opens_at, "gathering"),
        (lane.closed_until, "closed"),
        (estimator.quiet_until(sender), "quiet hours"),
        (capped, "capped"),
    )
    return [(until, condition) for until, condition in named if until > estimator.now.steady]


def _last(counted: list[Tally]) -> Place | None:
    """The place of the last message of a lane that is due now; None: none is."""
    due = {one.priority: one.queued - one.scheduled for one in counted}
    waiting = [priority for priority, n in due.items() if n]
    if not waiting:
        return None
    loud = sum(n for priority, n in due.items() if priority <= Priority.HIGH)
    last = max(waiting)
    return Place(last, 0, sum(due.values()) - 1, min(loud, sum(due.values()) - 1))


def read_status(connection: Connection, store: Store) -> Status:
    """Look at the whole queue."""
    estimator = Estimator(connection, store)
    now = estimator.now
    counted = count(connection, now)
    queued: Counter[str] = Counter()
    scheduled: Counter[str] = Counter()
    by_lane: dict[str, list[Tally]] = {}
    for one in counted:
        by_lane.setdefault(one.sender, []).append(one)
        queued[one.sender] += one.queued
        scheduled[one.sender] += one.scheduled
    reviewed = review.count(connection, Filter(states=(State.SENDING, State.FAILED, State.UNKNOWN)))
    sending = review.listing(connection, Filter(states=(State.SENDING,)), limit=NEXT_MAX)
    return Status(
        at=instant(now.wall),
        queued=_by_priority(counted),
        scheduled=sum(one.scheduled for one in counted),
        sending=[message_of(row, now.to_wall, lambda: None) for row in sending],
        in_flight=reviewed.get(State.SENDING, 0),
        next=_next(estimator, connection, queued),
        failed=reviewed.get(State.FAILED, 0),
        unknown=reviewed.get(State.UNKNOWN, 0),
        lanes=[
            _lane_status(
                estimator,
                sender,
                queued[sender.number],
                scheduled[sender.number],
                _last(by_lane.get(sender.number, [])),
            )
            for sender in store.senders.values()
        ],
        dispatchers=len(presence.alive(connection, now)),
        accuracy=accuracy_of(connection, now),
    )


def accuracy_of(connection: Connection, now: Now) -> Accuracy | None:
    """How forecasts of the last 24 hours fared; None: none has been proved yet."""
    inside, off = 0, array("q")
    for one in fared(connection, now.wall - DAY):
        inside += one.low_at <= one.called_at <= (one.high_at or NEVER)
        off.append(abs(one.called_at - one.at))
    if not off:
        return None
    return Accuracy(forecasts=len(off), off_s=seconds(round(median(off))), inside=inside / len(off))


def _by_priority(counted: list[Tally]) -> dict[str, int]:
    queued = {priority.word: 0 for priority in Priority if priority is not Priority.BYPASS}
    for one in counted:
        queued[one.priority.word] = queued.get(one.priority.word, 0) + one.queued
    return queued


def _next(estimator: Estimator, connection: Connection, by_sender: Counter[str]) -> list[Message]:
    """The next messages to go, over the busiest lanes, in the order they should go.

    Of each lane only those are foretold that may be among them: a forecast takes a millisecond.
    """
    runs: list[Iterator[_Foretold]] = []
    for sender, _ in by_sender.most_common(LANES_MAX):
        rows = review.heads(connection, sender, estimator.now.wall, NEXT_MAX)
        runs += (_foretold(estimator, places) for places in _runs(rows, estimator.now))
    found = islice(heapq.merge(*runs, key=_when), NEXT_MAX)
    return [_fixed(row, eta, estimator.now) for row, eta in found]


_Foretold = tuple[MessageRow, Eta]
_Placed = tuple[MessageRow, Position]
_UNKNOWN = instant(2**53)


def _when(one: _Foretold) -> tuple[datetime, int, int]:
    row, eta = one
    return eta.at or _UNKNOWN, row.priority, row.seq


def _foretold(estimator: Estimator, places: Sequence[_Placed]) -> Iterator[_Foretold]:
    for row, place in places:
        yield row, estimator.eta_at(row, place)


def _runs(rows: Sequence[MessageRow], now: Now) -> tuple[list[_Placed], list[_Placed]]:
    """The heads of a lane in two runs, in each of which they go one after the other: those that
    wait for nothing but their turn, and those that back off."""
    waiting: list[_Placed] = []
    backing_off: list[_Placed] = []
    loud = 0
    for ahead, row in enumerate(rows):
        run = backing_off if row.retry_at > now.steady else waiting
        run.append((row, Position(ahead, exact=True, loud=loud)))
        loud += row.priority <= Priority.HIGH
    backing_off.sort(key=lambda one: one[0].retry_at)
    return waiting, backing_off


def _fixed(row: MessageRow, eta: Eta, now: Now) -> Message:
    return message_of(row, now.to_wall, lambda: eta)
