"""Registers the five when it is time, and looks at what became of their messages."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from waqcore.core.message import State
from waqcore.demo.scenario import MESSAGES, Planned, Registration
from waqcore.message import Eta, Message
from waqcore.queue import Queue
from waqcore.status import Status

OVER = {State.SENT, State.FAILED, State.CANCELLED, State.EXPIRED, State.UNKNOWN}
"""States that nobody leaves without a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One message as it stands; instants in seconds after the first registration."""

    planned: Planned
    id: str = ""
    """Empty: its user has not registered yet."""
    state: State | None = None
    """None: as `id`."""
    reason: str = ""
    queued_s: float | None = None
    """None: as `id`."""
    eta_s: float | None = None
    """Predicted when it was queued; None: as `id`, or unknown."""
    eta_now_s: float | None = None
    """Predicted now; None: it is not queued, or unknown."""
    sent_s: float | None = None
    """When the call that delivered it began; None: not sent."""

    @property
    def off_s(self) -> float | None:
        """Sent later than predicted when it was queued; None: not sent, or nothing predicted."""
        if self.sent_s is None or self.eta_s is None:
            return None
        return self.sent_s - self.eta_s


class Following:
    """One run of the scenario."""

    def __init__(self, queue: Queue, plan: Sequence[Registration]) -> None:
        self._queue = queue
        self._to_come = list(plan)
        self._began_at: datetime | None = None  # None: nobody has registered yet.
        self.began_us = 0
        """The first registration on the host's steady clock, CLOCK_MONOTONIC."""
        planned = [message for one in plan for message in one.messages]
        planned.sort(key=lambda message: message.place)
        self.rows = [Row(planned=message) for message in planned]
        """All ten, in the order in which they should leave."""

    @property
    def now_s(self) -> float:
        """Seconds since the first registration; 0 before it."""
        return (_steady_us() - self.began_us) / 1e6 if self.began_us else 0.0

    @property
    def next_s(self) -> float | None:
        """When the next registration is; None: all have registered."""
        return self._to_come[0].at_s if self._to_come else None

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to any message."""
        return all(row.state in OVER for row in self.rows)

    def register(self) -> None:
        """Register whoever's time has come."""
        while self._to_come and self._to_come[0].at_s <= self.now_s:
            registration = self._to_come.pop(0)
            if not self.began_us:
                self.began_us = _steady_us()
            drafts = [planned.draft for planned in registration.messages]
            for planned, message in zip(
                registration.messages, self._queue.enqueue_many(drafts), strict=True
            ):
                self._queued(planned.place, message)

    def look(self) -> Status:
        """See what became of everything queued; returns how the queue stands."""
        found = {message.id: message for message in self._queue.messages(limit=MESSAGES)}
        status = self._queue.status()
        etas = {message.id: message.eta for message in status.next}
        for n, row in enumerate(self.rows):
            if row.id and row.state not in OVER:
                self.rows[n] = self._seen(row, found[row.id], etas.get(row.id))
        return status

    def since(self, at: datetime) -> float:
        """An instant in seconds after the first registration, which there has been."""
        assert self._began_at is not None
        return (at - self._began_at).total_seconds()

    def _queued(self, place: int, message: Message) -> None:
        self._began_at = self._began_at or message.enqueued_at
        eta_s = self._at(message.eta)
        self.rows[place - 1] = replace(
            self.rows[place - 1],
            id=message.id,
            state=message.state,
            queued_s=self.since(message.enqueued_at),
            eta_s=eta_s,
            eta_now_s=eta_s,
        )

    def _seen(self, row: Row, message: Message, eta: Eta | None) -> Row:
        sent_s = None
        if message.state is State.SENT:
            sent_s = self.since(self._queue.attempts(message.id)[-1].started_at)
        return replace(
            row,
            state=message.state,
            reason=message.reason,
            eta_now_s=self._at(eta),
            sent_s=sent_s,
        )

    def _at(self, eta: Eta | None) -> float | None:
        return None if eta is None or eta.at is None else self.since(eta.at)


def _steady_us() -> int:
    return time.monotonic_ns() // 1_000
