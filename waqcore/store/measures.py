"""What metrics are made of: the queue counted, and the calls that have ended since a look."""

from typing import NamedTuple

from sqlalchemy import Connection, case, func, select

from waqcore.clock import Now
from waqcore.store.messages import QUEUED, REVIEWED
from waqcore.store.tables import attempt, message

PORTION = 10_000
"""Calls read at one look: some 50 ms. What is left is read at the next."""

_due_at = case(
    (message.c.send_at > message.c.enqueued_at, message.c.send_at), else_=message.c.enqueued_at
)


class Waiting(NamedTuple):
    """The queued messages of one sender and priority."""

    sender: str
    priority: int
    queued: int
    scheduled: int
    """Those of them that are for later."""
    due_since: int | None
    """When the one that is due for longest fell due, on the wall; None: none is."""


class Ended(NamedTuple):
    """A call that has ended; instants on the wall, but `called_at` on the steady axis."""

    message_seq: int
    number: int
    sender: str
    priority: int
    due_at: int
    started_at: int
    called_at: int | None
    """None: it is not known to have left."""
    finished_at: int
    outcome: str


def waiting(connection: Connection, now: Now) -> list[Waiting]:
    """Count the queue; linear in its length."""
    later = message.c.send_at > now.wall
    rows = connection.execute(
        select(
            message.c.sender,
            message.c.priority,
            func.count(),
            func.sum(case((later, 1), else_=0)),
            func.min(case((later, None), else_=_due_at)),
        )
        .where(QUEUED)
        .group_by(message.c.sender, message.c.priority)
    )
    return [Waiting(*row) for row in rows]


def reviewed(connection: Connection) -> list[tuple[str, str, int]]:
    """Messages that are being sent, failed or unknown, by sender and state."""
    rows = connection.execute(
        select(message.c.sender, message.c.state, func.count())
        .where(REVIEWED)
        .group_by(message.c.sender, message.c.state)
    )
    return [(sender, state, n) for sender, state, n in rows]


def ended(connection: Connection, since: int) -> list[Ended]:
    """The calls that have ended since an instant, as they ended; the first of them."""
    rows = connection.execute(
        select(
            attempt.c.message_seq,
            attempt.c.number,
            message.c.sender,
            message.c.priority,
            _due_at,
            attempt.c.started_at,
            attempt.c.called_at,
            attempt.c.finished_at,
            attempt.c.outcome,
        )
        .join_from(attempt, message, message.c.seq == attempt.c.message_seq)
        .where(attempt.c.finished_at.is_not(None), attempt.c.finished_at >= since)
        .order_by(attempt.c.finished_at)
        .limit(PORTION)
    )
    return [Ended(*row) for row in rows]
