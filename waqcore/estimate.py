"""Forecasts for messages of a live queue, from all that is known of it at one instant."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

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
from waqcore.grid import Grids, is_smooth
from waqcore.message import Eta, instant
from waqcore.store import lanes, position, rates, returns, review
from waqcore.store.position import Position
from waqcore.store.returns import Return
from waqcore.store.review import MessageRow
from waqcore.store.store import Store

_PRIORITIES = {priority.value: priority for priority in Priority}
"""Twenty times quicker than asking the enum for each of a burst."""


class Estimator:
    """Forecasts at one instant, over one connection."""

    def __init__(self, connection: Connection, store: Store, grids: Grids | None = None) -> None:
        """`grids` serve where many ask within a second; None: each forecast is its own."""
        self._connection = connection
        self._grids = grids
        self._store = store
        self.now: Now = store.now()
        self._lanes: dict[str, Lane] = {}
        self._outlooks: dict[str, Outlook] = {}
        self._laters: dict[tuple[str, int, int], tuple[tuple[int, int], ...]] = {}
        self._backoffs: dict[str, list[Return]] = {}
        self._in_flight: dict[str, Return | None] = {}
        self._dues: dict[str, int] = {}

    def lane(self, sender: str) -> Lane:
        """A lane as it stands."""
        if sender not in self._lanes:
            found = lanes.load(self._connection, [sender], self.now)
            self._lanes[sender] = found.get(sender, Lane(sender))
        return self._lanes[sender]

    def know(self, senders: Sequence[str]) -> None:
        """Read many lanes at once."""
        found = lanes.load(self._connection, senders, self.now)
        self._lanes |= {sender: found.get(sender, Lane(sender)) for sender in senders}

    def eta(self, row: MessageRow) -> Eta | None:
        """When a message should be called for; None if it is not queued."""
        if row.state != State.QUEUED:
            return None
        return self.eta_at(row, position.position(self._connection, _place(row), self.now))

    def etas(self, rows: Sequence[MessageRow]) -> dict[str, Eta | None]:
        """When each of several messages should be called for, by id; together far cheaper."""
        queued = [(row, _place(row)) for row in rows if row.state == State.QUEUED]
        lanes: dict[tuple[str, int, bool], list[position.Place]] = {}
        for row, place in queued:
            due = place.due_at <= self.now.wall
            lanes.setdefault((row.sender, row.priority, due), []).append(place)
        found: dict[int, Position] = {}
        for (_, _, due), places in lanes.items():
            if due:
                found |= position.positions(self._connection, places, self.now)
            else:
                for place in places:
                    found[place.seq] = position.position(self._connection, place, self.now)
        return {row.id: None for row in rows} | {
            row.id: self._eta_at(row, place, found[row.seq]) for row, place in queued
        }

    def eta_at(self, row: MessageRow, found: Position) -> Eta:
        """When a message at a known position should be called for."""
        return self._eta_at(row, _place(row), found)

    def _eta_at(self, row: MessageRow, mine: position.Place, found: Position) -> Eta:
        sender = self._store.senders.get(row.sender)
        if sender is None:
            reason = f"sender {row.sender} is no longer configured"
            return Eta(at=None, ahead=found.ahead, exact=found.exact, reason=reason)
        # A wall clock set back since must not make it a message of the future.
        arrived_at = min(self.now.steady, self.now.to_steady(row.enqueued_at))
        send_at = 0 if row.send_at is None else self.now.to_steady(row.send_at)
        place = self._standing(mine, found, max(arrived_at, send_at, row.retry_at))
        told = self._along(sender, place)
        return Eta(
            at=self._wall(told.at),
            low_at=self._wall(told.low_at),
            high_at=self._wall(told.high_at),
            ahead=found.ahead,
            exact=found.exact,
            reason=told.reason,
        )

    def _standing(self, mine: position.Place, found: Position, due_at: int) -> Place:
        """Where a message stands; what goes before it and backs off is ahead only once it is back.

        Messages behind it matter only while it is not due itself.
        """
        sender = mine.sender
        ahead, loud = found.ahead, found.loud
        later = () if found.calm else self._later(mine)
        backing_off = [] if found.calm else self._backing_off(sender)
        back = [one for one in backing_off if one.goes_before(mine)]
        if back:
            returning = Counter(dict(later)) + Counter(one.retry_at for one in back)
            later = tuple(sorted(returning.items()))
            ahead = max(0, ahead - len(back))
            loud = max(0, loud - sum(one.priority <= Priority.HIGH for one in back))
        sending = self._sending(sender)
        waits = due_at > self.now.steady
        return Place(
            _PRIORITIES[mine.priority],
            due_at,
            ahead=ahead,
            loud=loud,
            later=later,
            behind=max(0, self._due(sender) - ahead) if waits else 0,
            returning=sending is not None and sending.goes_before(mine),
        )

    def _along(self, sender: Sender, place: Place) -> forecast.Eta:
        if self._grids is None or not is_smooth(place, sender.policy, self.now.steady):
            return self.forecast(sender, place)
        grid = self._grids.of(self.lane(sender.number), place, self.now.steady)

        def exactly(ahead: int) -> forecast.Eta:
            return self.forecast(sender, place._replace(ahead=ahead, loud=min(place.loud, ahead)))

        return grid.eta(place.ahead, self.now.steady, exactly)

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

    def _later(self, mine: position.Place) -> tuple[tuple[int, int], ...]:
        # For all of a lane and priority that are due by now it is the same.
        key = (mine.sender, mine.priority, max(mine.due_at, self.now.wall))
        if key not in self._laters:
            due = position.later(self._connection, mine, self.now)
            self._laters[key] = tuple((self.now.to_steady(at), n) for at, n in due)
        return self._laters[key]

    def _backing_off(self, sender: str) -> list[Return]:
        if sender not in self._backoffs:
            self._backoffs[sender] = returns.backing_off(self._connection, sender, self.now)
        return self._backoffs[sender]

    def _sending(self, sender: str) -> Return | None:
        lease = self.lane(sender).lease
        if lease is None:
            return None
        if sender not in self._in_flight:
            self._in_flight[sender] = returns.in_flight(self._connection, lease)
        return self._in_flight[sender]

    def _due(self, sender: str) -> int:
        """Messages of a lane that are due: as many as go before one of no priority at all."""
        if sender not in self._dues:
            last = position.Place(sender, len(Priority), 0, self.now.wall)
            queued = position.position(self._connection, last, self.now).ahead
            self._dues[sender] = queued - len(self._backing_off(sender))
        return self._dues[sender]

    def _wall(self, steady_at: int | None) -> datetime | None:
        if steady_at is None or steady_at >= NEVER:
            return None
        return instant(self.now.to_wall(steady_at))


def _place(row: MessageRow) -> position.Place:
    return position.Place(row.sender, row.priority, row.seq, _due_at(row))


def _due_at(row: MessageRow) -> int:
    return row.enqueued_at if row.send_at is None else max(row.enqueued_at, row.send_at)


class Joint:
    """The ETAs of several messages, worked out in one look once the first of them is asked for."""

    def __init__(self, store: Store, grids: Grids, rows: Sequence[MessageRow]) -> None:
        self._store = store
        self._grids = grids
        self._rows = rows

    def eta(self, id_: str) -> Eta | None:
        """When one of them should be called for; None: it is not queued any more."""
        return self._etas.get(id_)

    @cached_property
    def _etas(self) -> dict[str, Eta | None]:
        return self._store.read(self._look)

    def _look(self, connection: Connection) -> dict[str, Eta | None]:
        estimator = Estimator(connection, self._store, self._grids)
        return estimator.etas(self._as_they_stand(connection))

    def _as_they_stand(self, connection: Connection) -> Sequence[MessageRow]:
        fresh = all(row.seq == review.UNNUMBERED for row in self._rows)
        numbered = review.numbered(connection, self._rows) if fresh else None
        if numbered is not None:
            return numbered
        ids = tuple(row.id for row in self._rows)
        return list(review.by_ids(connection, ids).values())
