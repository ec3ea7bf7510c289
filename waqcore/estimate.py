"""Forecasts for messages of a live queue, from all that is known of it at one instant."""

from datetime import datetime

from sqlalchemy import Connection

from waqcore.clock import Now
from waqcore.core import forecast
from waqcore.core.course import Place
from waqcore.core.instants import NEVER
from waqcore.core.lane import Lane
from waqcore.core.message import Priority, State
from waqcore.core.outlook import Outlook, nothing_comes, outlook
from waqcore.core.policy import Sender
from waqcore.core.schedule import quiet_until
from waqcore.message import Eta, instant
from waqcore.store import lanes, position, rates
from waqcore.store.position import Position
from waqcore.store.review import MessageRow
from waqcore.store.store import Store


class Estimator:
    """Forecasts at one instant, over one connection."""

    def __init__(self, connection: Connection, store: Store) -> None:
        self._connection = connection
        self._store = store
        self.now: Now = store.now()
        self._lanes: dict[str, Lane] = {}
        self._outlooks: dict[str, Outlook] = {}

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
        place = position.Place(row.sender, row.priority, row.seq, _due_at(row))
        return self.eta_at(row, position.position(self._connection, place, self.now))

    def eta_at(self, row: MessageRow, found: Position) -> Eta:
        """When a message at a known position should be called for."""
        sender = self._store.senders.get(row.sender)
        if sender is None:
            reason = f"sender {row.sender} is no longer configured"
            return Eta(at=None, ahead=found.ahead, exact=found.exact, reason=reason)
        # A wall clock set back since must not make it a message of the future.
        arrived_at = min(self.now.steady, self.now.to_steady(row.enqueued_at))
        send_at = 0 if row.send_at is None else self.now.to_steady(row.send_at)
        place = Place(
            Priority(row.priority),
            max(arrived_at, send_at, row.retry_at),
            found.ahead,
            found.loud,
            self._later(row),
        )
        told = self.forecast(sender, place)
        return Eta(
            at=self._wall(told.at),
            low_at=self._wall(told.low_at),
            high_at=self._wall(told.high_at),
            ahead=found.ahead,
            exact=found.exact,
            reason=told.reason,
        )

    def forecast(self, sender: Sender, place: Place) -> forecast.Eta:
        """When a message at a place of a lane should be called for; instants are steady."""
        now, policy = self.now.steady, sender.policy
        quiet = forecast.quiet_span(policy.quiet, now, self.now.midnight)
        lane, expected = self.lane(sender.number), self._outlook(sender)
        return forecast.eta(lane, place, now, policy, expected, quiet)

    def quiet_until(self, sender: Sender) -> int:
        """The end of the quiet hours in force; 0 outside them."""
        return quiet_until(sender.policy.quiet, self.now.steady, self.now.midnight)

    def _outlook(self, sender: Sender) -> Outlook:
        number, policy = sender.number, sender.policy
        if number not in self._outlooks:
            known = rates.load(self._connection, [number]).get(number)
            self._outlooks[number] = (
                nothing_comes(policy) if known is None else outlook(known, self.now.steady, policy)
            )
        return self._outlooks[number]

    def _later(self, row: MessageRow) -> tuple[tuple[int, int], ...]:
        place = position.Place(row.sender, row.priority, row.seq, _due_at(row))
        due = position.later(self._connection, place, self.now)
        return tuple((self.now.to_steady(at), n) for at, n in due)

    def _wall(self, steady_at: int | None) -> datetime | None:
        if steady_at is None or steady_at >= NEVER:
            return None
        return instant(self.now.to_wall(steady_at))


def _due_at(row: MessageRow) -> int:
    return row.enqueued_at if row.send_at is None else max(row.enqueued_at, row.send_at)
