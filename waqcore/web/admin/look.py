"""What the overview shows, read at one instant."""

from collections import Counter
from dataclasses import dataclass

from waqcore.core.instants import DAY, HOUR, MINUTE
from waqcore.core.lane import Lane, PausedBy
from waqcore.core.message import State
from waqcore.message import Message
from waqcore.queue import Queue
from waqcore.status import LaneStatus, Status
from waqcore.store import lanes, pulse, samples
from waqcore.store.controls import Filter
from waqcore.store.pulse import Pulse
from waqcore.store.samples import LastCall, Sample

FAILED_MAX = 5
"""Failed messages on the overview; the rest has a page of its own."""

CALLS_MAX = 2_000
"""Calls that the success rate and the last calls of senders are taken from: some 3 ms."""

LANES_MAX = 12
"""Lanes with a card: those held, then those with most to send."""

HELD = ("paused", "breaker open", "closed", "capped", "quiet hours")
"""The conditions in which a lane sends nothing for a while."""


@dataclass(frozen=True, kw_only=True)
class LaneCard:
    """One lane as its card shows it."""

    lane: LaneStatus
    last: LastCall | None
    """Its newest call; None: it made none of late."""
    by_person: bool
    """A person paused it."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The queue at one instant, as the overview shows it."""

    status: Status
    failed: list[Message]
    """The newest ones."""
    cards: list[LaneCard]
    lanes_left: int
    """Lanes without a card."""
    outcomes: Counter[str]
    """How the newest calls of the last 24 hours ended."""
    hour: list[Sample]
    day: list[Sample]

    @property
    def success(self) -> float | None:
        """The share of those calls that were accepted; None: there was none."""
        total = self.outcomes.total()
        return self.outcomes["accepted"] / total if total else None

    @property
    def paused(self) -> list[str]:
        """The senders that are paused."""
        return [lane.sender for lane in self.status.lanes if lane.condition == "paused"]

    @property
    def due(self) -> int:
        """Queued messages that are not for later."""
        return self.status.queue_length - self.status.scheduled


class Look:
    """Reads snapshots of one queue."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._minute = 0
        self._day: list[Sample] = []

    def pulse(self) -> Pulse:
        """Changes when a new snapshot would differ from the last."""
        return self._queue.store.read(pulse.pulse)

    def snapshot(self) -> Snapshot:
        """How the queue stands now."""
        queue = self._queue
        status = queue.status()
        wall = queue.store.now().wall
        which = Filter(states=(State.FAILED,))
        last = queue.store.read(lambda connection: samples.last_calls(connection, CALLS_MAX))
        outcomes = queue.store.read(
            lambda connection: samples.outcomes(connection, wall - DAY, CALLS_MAX)
        )
        day = self._sampled(wall)
        shown = sorted(status.lanes, key=lambda lane: (lane.condition not in HELD, -lane.queued))
        shown = shown[:LANES_MAX]
        return Snapshot(
            status=status,
            failed=queue.messages(which, limit=FAILED_MAX) if status.failed else [],
            cards=self._cards(shown, last),
            lanes_left=len(status.lanes) - len(shown),
            outcomes=outcomes,
            hour=[one for one in day if one.minute >= wall - HOUR],
            day=day,
        )

    def _cards(self, shown: list[LaneStatus], last: dict[str, LastCall]) -> list[LaneCard]:
        store = self._queue.store
        senders = [lane.sender for lane in shown]
        found = store.read(lambda connection: lanes.load(connection, senders, store.now()))
        return [
            LaneCard(
                lane=lane,
                last=last.get(lane.sender),
                by_person=_paused_by_person(found.get(lane.sender)),
            )
            for lane in sorted(shown, key=lambda lane: lane.sender)
        ]

    def _sampled(self, wall: int) -> list[Sample]:
        # A day of many senders takes some 30 ms to add up, and changes once a minute.
        minute = wall - wall % MINUTE
        newest = self._day[-1].minute if self._day else 0
        if minute != self._minute or newest < minute - MINUTE:
            self._minute = minute
            self._day = self._queue.store.read(lambda c: samples.since(c, wall - DAY))
        return self._day


def _paused_by_person(lane: Lane | None) -> bool:
    return lane is not None and lane.pause is not None and lane.pause.by is PausedBy.PERSON
