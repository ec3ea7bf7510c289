"""Messages and attempts as people read them."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, select

from waqcore.core.message import Priority, State
from waqcore.store.among import among
from waqcore.store.controls import Filter
from waqcore.store.events import Happening
from waqcore.store.fresh import NewMessage
from waqcore.store.messages import QUEUED
from waqcore.store.tables import attempt, event, message

UNNUMBERED = 0
"""The sequence number of a message whose own is not known yet."""


class MessageRow(NamedTuple):
    """A message whole; instants on the wall, but `retry_at` on the steady axis."""

    seq: int
    id: str
    sender: str
    recipient: str
    body: str
    priority: int
    state: str
    reference: str | None
    idempotency_key: str | None
    enqueued_at: int
    send_at: int | None
    expires_at: int | None
    retry_at: int
    attempts: int
    failures: int
    on_unknown: str
    maybe_duplicate: int
    cancel_requested: int
    reason: str
    provider_id: str | None
    delivery: str | None
    ended_at: int | None
    batch: str | None


def fresh_row(new: NewMessage) -> MessageRow:
    """The row of a message as it is enqueued, but for its sequence number, which it is too early
    to know."""
    return MessageRow(
        UNNUMBERED,
        new.id,
        new.sender,
        new.recipient,
        new.body,
        new.priority,
        State.QUEUED,
        new.reference,
        new.idempotency_key,
        new.enqueued_at,
        new.send_at,
        new.expires_at,
        *(0, 0, 0),
        new.on_unknown,
        *(0, 0, ""),
        *(None, None, None, None),
    )


class AttemptRow(NamedTuple):
    """One call as it was; instants on the wall."""

    number: int
    started_at: int
    finished_at: int | None
    outcome: str | None
    http_status: int | None
    detail: str


class EventRow(NamedTuple):
    """One line of the audit."""

    at: int
    happening: Happening


_columns = tuple(message.c[name] for name in MessageRow._fields)
_by_ids = select(*_columns).where(among(message.c.id, "ids"))
_first, _last = (
    select(message.c.seq).where(message.c.id == bindparam(name)).scalar_subquery()
    for name in ("first", "last")
)
_untouched = select(
    _first,
    _last,
    select(func.count())
    .where(message.c.seq.between(_first, _last), QUEUED, message.c.attempts == 0)
    .scalar_subquery(),
)


def listing(
    connection: Connection, which: Filter, *, limit: int, before_seq: int | None = None
) -> list[MessageRow]:
    """The newest messages a filter names, newest first; `before_seq` continues a listing."""
    query = select(*_columns).where(*which.conditions())
    if before_seq is not None:
        query = query.where(message.c.seq < before_seq)
    rows = connection.execute(query.order_by(message.c.seq.desc()).limit(limit))
    return [MessageRow(*row) for row in rows]


def heads(connection: Connection, sender: str, wall: int, limit: int) -> list[MessageRow]:
    """The first messages of a lane that are due or back off, in the order they should go."""
    found: list[MessageRow] = []
    for priority in Priority:
        lane = (message.c.sender == sender, message.c.priority == priority.value, QUEUED)
        at_once = select(*_columns).where(*lane, message.c.send_at.is_(None))
        scheduled = select(*_columns).where(*lane, message.c.send_at <= wall)
        by_place = (message.c.send_at, message.c.seq)
        for query in (at_once.order_by(*by_place), scheduled.order_by(*by_place)):
            found += [MessageRow(*row) for row in connection.execute(query.limit(limit))]
        if len(found) >= limit:
            break
    found.sort(key=lambda row: (row.priority, max(row.enqueued_at, row.send_at or 0), row.seq))
    return found[:limit]


def by_ids(connection: Connection, ids: tuple[str, ...]) -> dict[str, MessageRow]:
    """Messages by id."""
    rows = connection.execute(_by_ids, {"ids": ids})
    return {row.id: MessageRow(*row) for row in rows}


def numbered(connection: Connection, fresh: Sequence[MessageRow]) -> list[MessageRow] | None:
    """Messages as they were enqueued, one after the other, with the numbers they were given; None:
    something has become of one of them, or others lie between, and they have to be read.

    A row read is a step of the driver, at each of which other threads may have the interpreter. So
    the ends are looked up alone: numbers are given in turn, so that where as many lie between them
    as were enqueued, those are it.
    """
    ends = {"first": fresh[0].id, "last": fresh[-1].id}
    first, last, untouched = connection.execute(_untouched, ends).one()
    if untouched != len(fresh) or last - first != untouched - 1:
        return None
    return [row._replace(seq=first + n) for n, row in enumerate(fresh)]


def count(connection: Connection, which: Filter) -> dict[str, int]:
    """How many messages a filter names, by state."""
    rows = connection.execute(
        select(message.c.state, func.count()).where(*which.conditions()).group_by(message.c.state)
    )
    return dict(rows.all())


def attempts(connection: Connection, message_seq: int) -> list[AttemptRow]:
    """Every call of a message, first to last."""
    columns = tuple(attempt.c[name] for name in AttemptRow._fields)
    rows = connection.execute(
        select(*columns).where(attempt.c.message_seq == message_seq).order_by(attempt.c.number)
    )
    return [AttemptRow(*row) for row in rows]


def audit(connection: Connection, limit: int) -> list[EventRow]:
    """The newest lines of the audit, newest first."""
    columns = tuple(event.c[name] for name in ("at", *Happening._fields))
    rows = connection.execute(select(*columns).order_by(event.c.id.desc()).limit(limit))
    return [EventRow(at, Happening(*rest)) for at, *rest in rows]
