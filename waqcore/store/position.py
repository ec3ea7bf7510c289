"""How many messages go before another: exact up to a bound, from the dispatcher's tally beyond."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    ScalarSelect,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
)

from waqcore.clock import Now
from waqcore.core.message import Priority
from waqcore.store import exclusive
from waqcore.store.messages import QUEUED
from waqcore.store.tables import message, tally

EXACT_MAX = 1_000
"""Messages ahead that are counted one by one; counting a million for each look would cost as much
as sending them."""

LATER_MAX = 50
"""Instants of scheduled messages that a forecast looks ahead to."""


class Position(NamedTuple):
    """A queued message's place in its lane."""

    ahead: int
    """Messages due now that go before it."""
    exact: bool
    """False: from the tally, about a second old."""
    loud: int = 0
    """Those of them that quiet hours do not hold."""
    calm: bool = False
    """Whether it is known that nothing of its lane backs off or is for later."""


class Place(NamedTuple):
    """What a position is asked for."""

    sender: str
    priority: int
    seq: int
    due_at: int
    """First-due instant, wall."""


_lane = select(message.c.seq).where(message.c.sender == bindparam("sender"), QUEUED).limit(1)
# The last of each, not whether there is one: else a planner that expects many reads them all.
_last_retry = _lane.with_only_columns(message.c.retry_at).where(
    message.c.retry_at > literal_column("0")  # As the index states it.
)
_last_due = _lane.with_only_columns(message.c.send_at).where(message.c.send_at.is_not(None))
_calm = and_(
    func.coalesce(_last_retry.order_by(message.c.retry_at.desc()).scalar_subquery(), 0)
    <= bindparam("steady", type_=BigInteger),
    func.coalesce(_last_due.order_by(message.c.send_at.desc()).scalar_subquery(), 0)
    <= bindparam("wall", type_=BigInteger),
).label("calm")


def _before(priority: int) -> Select[*tuple[int, ...]]:
    """Counts what goes before a message of a priority: of each up to it those that go at once, and
    those whose instant has come. One statement: most of what each costs is its way to the database.
    """
    counts: list[ScalarSelect[int]] = []
    for rank in range(priority + 1):
        waiting = select(literal(1).label("one")).where(
            message.c.sender == bindparam("sender"), message.c.priority == rank, QUEUED
        )
        at_once = waiting.where(message.c.send_at.is_(None))
        if rank == priority:
            at_once = at_once.where(message.c.seq < bindparam("seq"))
        until = bindparam("due_at" if rank == priority else "wall", type_=BigInteger)
        counts += (
            select(func.count()).select_from(some.limit(EXACT_MAX + 1).subquery()).scalar_subquery()
            for some in (at_once, waiting.where(message.c.send_at <= until))
        )
    return select(_calm, *counts)


_BEFORE = tuple(_before(priority) for priority in range(len(Priority) + 1))
"""By priority, and for a message of none at all."""

_in_line = (
    select(message.c.seq)
    .where(
        message.c.sender == bindparam("sender"),
        message.c.priority == bindparam("priority"),
        QUEUED,
        message.c.send_at.is_(None),
    )
    .limit(1)
)
# By `send_at` too, though all have none, as the index of places is: see `messages`.
_first = _in_line.order_by(message.c.send_at, message.c.seq).scalar_subquery()
_last = _in_line.order_by(message.c.send_at.desc(), message.c.seq.desc()).scalar_subquery()
_tallied = select(tally.c.priority, tally.c.queued - tally.c.scheduled, _first, _last).where(
    tally.c.sender == bindparam("sender")
)

_later = (
    select(message.c.send_at, func.count())
    .where(
        message.c.sender == bindparam("sender"),
        QUEUED,
        message.c.send_at.is_not(None),
        message.c.send_at > bindparam("wall"),
        (message.c.priority < bindparam("priority"))
        | (
            (message.c.priority == bindparam("priority"))
            & (message.c.send_at < bindparam("due_at"))
        ),
    )
    .group_by(message.c.send_at)
    .order_by(message.c.send_at)
    .limit(LATER_MAX)
)


def position(connection: Connection, place: Place, now: Now) -> Position:
    """Count what goes before a queued message, strictly by priority."""
    values = {
        "sender": place.sender,
        "seq": place.seq,
        "due_at": min(now.wall, place.due_at - 1),
        "wall": now.wall,
        "steady": now.steady,
    }
    calm, *counts = connection.execute(_BEFORE[place.priority], values).one()
    ahead, loud = sum(counts), sum(counts[: 2 * (Priority.HIGH + 1)])
    exact = ahead <= EXACT_MAX
    if not exact:
        ahead = _estimate(connection, place)
    return Position(ahead, exact, min(loud, ahead), bool(calm))


def positions(connection: Connection, places: Sequence[Place], now: Now) -> dict[int, Position]:
    """The positions of messages of one lane and priority that are due, by sequence number.

    Each goes before those after it. So where no number is missing between the first and the last,
    as after an enqueue of many, one is counted, not all; and where those two are as far apart as
    there are messages, nobody else's lie between them: two are.
    """
    ordered = sorted(places, key=lambda place: (place.due_at, place.seq))
    found: dict[int, Position] = {}
    if ordered and ordered[-1].seq - ordered[0].seq == len(ordered) - 1:
        return _following(ordered, position(connection, ordered[0], now))

    def stretch(first: int, last: int) -> None:
        for end in (first, last):
            if ordered[end].seq not in found:
                found[ordered[end].seq] = position(connection, ordered[end], now)
        if last - first < 2:
            return
        low, high = found[ordered[first].seq], found[ordered[last].seq]
        if low.exact is high.exact and (high.ahead - low.ahead == last - first or not low.exact):
            found.update(_between(ordered[first : last + 1], low, high))
        else:
            middle = (first + last) // 2
            stretch(first, middle)
            stretch(middle, last)

    if ordered:
        stretch(0, len(ordered) - 1)
    return found


def _following(places: Sequence[Place], first: Position) -> dict[int, Position]:
    """The positions of messages that come one right after the other, from the first's."""
    loud = places[0].priority <= Priority.HIGH
    return {
        place.seq: Position(first.ahead + n, first.exact, first.loud + n * loud, first.calm)
        for n, place in enumerate(places)
    }


def _between(places: Sequence[Place], low: Position, high: Position) -> dict[int, Position]:
    """The positions of a stretch by those of its ends, evenly spread."""
    gaps = len(places) - 1
    return {
        place.seq: low._replace(
            ahead=low.ahead + n * (high.ahead - low.ahead) // gaps,
            loud=low.loud + n * (high.loud - low.loud) // gaps,
        )
        for n, place in enumerate(places)
    }


def later(connection: Connection, place: Place, now: Now) -> list[tuple[int, int]]:
    """Instants, wall and rising, at which scheduled messages fall due that go before it then, and
    how many; the first of them."""
    values = {**place._asdict(), "wall": now.wall}
    rows = connection.execute(_later, values)
    return [(at, n) for at, n in rows]


def _estimate(connection: Connection, place: Place) -> int:
    """All of the higher priorities, and of its own the share that lies before it."""
    values = {"sender": place.sender, "priority": place.priority}
    tallied = connection.execute(_tallied, values).all()
    queued: dict[int, int] = {priority: waiting for priority, waiting, *_ in tallied}
    higher = sum(waiting for priority, waiting in queued.items() if priority < place.priority)
    ends: tuple[int | None, int | None] = tallied[0][2:] if tallied else (None, None)
    first, last = (place.seq if end is None else end for end in ends)
    share = (place.seq - first) / (last - first) if last > first else 0.0
    estimate = higher + round(share * queued.get(place.priority, 0))
    return max(EXACT_MAX + 1, estimate)


class Tally(NamedTuple):
    """How many messages of one priority a lane has queued."""

    sender: str
    priority: Priority
    queued: int
    scheduled: int
    """Those of them that are for later."""


def count(connection: Connection, now: Now) -> list[Tally]:
    """Count the queue, lane by lane; linear in its length."""
    return _count(connection, now, [])


def count_long_lanes(connection: Connection, now: Now) -> list[Tally]:
    """Count the lanes too long for `position` to count for each look; linear in the queue's length.

    Which they are is found out in the database: a row for each of thousands of short lanes would
    hold up the calls that are due meanwhile.
    """
    by_sender = select(message.c.sender).where(QUEUED).group_by(message.c.sender)
    long = list(connection.scalars(by_sender.having(func.count() > EXACT_MAX)))
    return _count(connection, now, [message.c.sender.in_(long)]) if long else []


def _count(connection: Connection, now: Now, which: list[ColumnElement[bool]]) -> list[Tally]:
    later = case((message.c.send_at > now.wall, 1), else_=0)
    rows = connection.execute(
        select(message.c.sender, message.c.priority, func.count(), func.sum(later))
        .where(QUEUED, *which)
        .group_by(message.c.sender, message.c.priority)
    )
    return [Tally(sender, Priority(priority), n, later) for sender, priority, n, later in rows]


def store_tally(connection: Connection, counted: Sequence[Tally], now: Now) -> None:
    """Replace the stored tally."""
    exclusive.alone(connection, "tally")
    connection.execute(delete(tally))
    if counted:
        rows = [{**one._asdict(), "counted_at": now.wall} for one in counted]
        connection.execute(insert(tally), rows)
