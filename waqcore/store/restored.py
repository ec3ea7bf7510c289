"""A database that came back from a backup: what it would send may have been sent since."""

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from waqcore.clock import Now
from waqcore.core import control
from waqcore.core.lane import Lane
from waqcore.store import controls, events, lanes
from waqcore.store.controls import PORTION
from waqcore.store.events import Happening
from waqcore.store.messages import QUEUED, REVIEWED
from waqcore.store.tables import dispatcher, event, lane, message

BACKED_UP = "backup"
"""The audit's word for the instant a copy was made; the line is in the copy alone."""


class Doubtful(NamedTuple):
    """What of one sender may have been sent since the backup."""

    sender: str
    messages: int


def may_have_left(taken_at: int, now: Now) -> ColumnElement[bool]:
    """Messages that waited or were being sent at the backup, and were due before the present."""
    waiting = or_(QUEUED, REVIEWED & (message.c.state == literal_column("'sending'")))
    due = message.c.send_at.is_(None) | (message.c.send_at <= now.wall)
    return waiting & due & (message.c.enqueued_at <= taken_at)


def doubtful(connection: Connection, taken_at: int, now: Now) -> list[Doubtful]:
    """By sender, the messages that may have been called for after the backup was taken."""
    query = select(message.c.sender, func.count()).where(may_have_left(taken_at, now))
    rows = connection.execute(query.group_by(message.c.sender).order_by(message.c.sender))
    return [Doubtful(*row) for row in rows]


def mark(connection: Connection, taken_at: int, now: Now) -> int:
    """Mark a portion of them as perhaps sent twice; returns how many, 0 when all are."""
    unmarked = (
        select(message.c.seq)
        .where(may_have_left(taken_at, now), message.c.maybe_duplicate == 0)
        .order_by(message.c.seq)
        .limit(PORTION)
    )
    marked = update(message).where(message.c.seq.in_(unmarked)).values(maybe_duplicate=1)
    return connection.execute(marked).rowcount


def stop(
    connection: Connection, reason: str, now: Now, pace_us: Callable[[str], int], said: Happening
) -> list[str]:
    """Pause every lane as a person does and count its pace anew; returns the senders.

    The last call may have left just now, and the backup knows nothing of it.
    """

    def stopped(lane: Lane, now: Now) -> Lane:
        paced = control.restart_pace(lane, now.steady, pace_us(lane.sender), rebooted=False)
        return control.pause(paced, reason, now.steady)

    senders = lanes.known(connection)
    changed = controls.change_lanes(connection, sorted(senders), stopped, now, said)
    return [lane.sender for lane in changed]


def note(connection: Connection, said: Happening, wall: int) -> None:
    """Write into the audit what was marked."""
    events.record(connection, [said], wall)


def backed_up_at(connection: Connection) -> int | None:
    """The wall instant of the copy this database is; None: it is none of `waq backup`."""
    query = select(func.max(event.c.at)).where(event.c.action == BACKED_UP)
    found: int | None = connection.scalar(query)
    return found


def hold(connection: Connection, reason: str, actor: str, wall: int) -> None:
    """Make of a database a copy that sends nothing until somebody has looked at it."""
    connection.execute(
        update(lane).values(pause_by="person", pause_reason=reason, pause_at=wall, pause_until=None)
    )
    connection.execute(delete(dispatcher))  # Whoever ran then does not run on the copy.
    line = {"at": wall, "actor": actor, "action": BACKED_UP, "detail": reason, "messages": 0}
    connection.execute(insert(event).values(**line))
