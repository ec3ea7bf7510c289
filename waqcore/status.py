"""What stands in the queue, what each lane waits for, and when it will be clear."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from waqcore.clock import Now
from waqcore.core import forecast
from waqcore.core.instants import NEVER
from waqcore.core.lane import Lane
from waqcore.core.message import Priority, State
from waqcore.core.policy import Sender
from waqcore.core.schedule import quiet_until
from waqcore.message import Eta, Message, instant, message_of
from waqcore.store import lanes, presence, review
from waqcore.store.controls import Filter
from waqcore.store.position import Place, Position, Tally, count, position
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


class Estimator:
    """Forecasts at one instant, over one connection."""

    def __init__(self, connection: Connection, store: Store) -> None:
        self._connection = connection
        self._store = store
        self.now: Now = store.now()
        self._lanes: dict[str, Lane] = {}

    def lane(self, sender: str) -> Lane:
        """A lane as it stands."""
        if sender not in self._lanes:
            found = lanes.load(self._connection, [sender], self.now)
            self._lanes[sender] = found.get(sender, Lane(sender))
        return self._lanes[sender]

    def eta(self, row: MessageRow) -> Eta | None:
        """When a message should be called for; None if it is not queued."""
        if row.state != State.QUEUED:
            return None
        due_at = row.enqueued_at if row.send_at is None else max(row.enqueued_at, row.send_at)
        place = Place(row.sender, row.priority, row.seq, due_at)
        return self.eta_at(row, position(self._connection, place, self.now))

    def eta_at(self, row: MessageRow, place: Position) -> Eta:
        """When a message at a known position should be called for."""
        sender = self._store.senders.get(row.sender)
        if sender is None:
            reason = f"sender {row.sender} is no longer configured"
            return Eta(at=None, ahead=place.ahead, exact=place.exact, reason=reason)
        # A wall clock set back since must not make it a message of the future.
        arrived_at = min(self.now.steady, self.now.to_steady(row.enqueued_at))
        send_at = 0 if row.send_at is None else self.now.to_steady(row.send_at)
        found = forecast.eta(
            self.lane(row.sender),
            place.ahead,
            self.now.steady,
            sender.policy,
            due_at=max(arrived_at, send_at, row.retry_at),
            quiet_until=self._quiet(sender) if row.priority > Priority.HIGH else 0,
        )
        at = None if found.at is None else instant(self.now.to_wall(found.at))
        return Eta(at=at, ahead=place.ahead, exact=place.exact, reason=found.reason)

    def lane_status(self, sender: Sender, queued: int, scheduled: int) -> LaneStatus:
        """What a lane does, and when its last message should go."""
        due = queued - scheduled
        condition, reason, until = self._condition(sender, due)
        clear_at = None
        if due:
            found = forecast.eta(
                self.lane(sender.number),
                due - 1,
                self.now.steady,
                sender.policy,
                due_at=0,
                quiet_until=self._quiet(sender),
            )
            clear_at = None if found.at is None else instant(self.now.to_wall(found.at))
        known = 0 < until < NEVER
        return LaneStatus(
            sender=sender.number,
            queued=queued,
            scheduled=scheduled,
            condition=condition,
            reason=reason,
            until=instant(self.now.to_wall(until)) if known else None,
            clear_at=clear_at,
        )

    def _condition(self, sender: Sender, due: int) -> tuple[str, str, int]:
        now, lane = self.now.steady, self.lane(sender.number)
        pause = lane.paused(now)
        if lane.lease is not None:
            return "sending", "", 0
        if pause is not None:
            return "paused", f"{pause.reason} (by {pause.by})", pause.until
        if lane.trouble.open:
            return "breaker open", "the gateway fails; probing", lane.trouble.probe_at
        holds = self._holds(sender, lane)
        if holds and due:
            until, condition = max(holds)
            return condition, "", until
        return ("ready" if due else "idle"), "", 0

    def _holds(self, sender: Sender, lane: Lane) -> list[tuple[int, str]]:
        """What keeps a lane from calling now, by when each ends."""
        named = (
            (lane.paced_until, "pacing"),
            (lane.opens_at, "gathering"),
            (lane.closed_until, "closed"),
            (self._quiet(sender), "quiet hours"),
            (
                lane._replace(paced_until=0, opens_at=0, closed_until=0).ready_at(sender.policy),
                "capped",
            ),
        )
        return [(until, condition) for until, condition in named if until > self.now.steady]

    def _quiet(self, sender: Sender) -> int:
        return quiet_until(sender.policy.quiet, self.now.steady, self.now.midnight)


def read_status(connection: Connection, store: Store) -> Status:
    """Look at the whole queue."""
    estimator = Estimator(connection, store)
    now = estimator.now
    counted = count(connection, now)
    queued: Counter[str] = Counter()
    scheduled: Counter[str] = Counter()
    for one in counted:
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
            estimator.lane_status(sender, queued[sender.number], scheduled[sender.number])
            for sender in store.senders.values()
        ],
        dispatchers=len(presence.alive(connection, now)),
    )


def _by_priority(counted: list[Tally]) -> dict[str, int]:
    queued = {priority.word: 0 for priority in Priority if priority is not Priority.BYPASS}
    for one in counted:
        queued[one.priority.word] = queued.get(one.priority.word, 0) + one.queued
    return queued


def _next(estimator: Estimator, connection: Connection, by_sender: Counter[str]) -> list[Message]:
    """The next messages to go, over the busiest lanes, in the order they should go."""
    busiest = [sender for sender, _ in by_sender.most_common(LANES_MAX)]
    found = [
        (row, estimator.eta_at(row, Position(ahead, exact=True)))
        for sender in busiest
        for ahead, row in enumerate(review.heads(connection, sender, estimator.now.wall, NEXT_MAX))
    ]
    unknown = instant(2**53)
    found.sort(key=lambda one: (one[1].at or unknown, one[0].priority, one[0].seq))
    return [_fixed(row, eta, estimator.now) for row, eta in found[:NEXT_MAX]]


def _fixed(row: MessageRow, eta: Eta, now: Now) -> Message:
    return message_of(row, now.to_wall, lambda: eta)
