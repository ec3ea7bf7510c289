"""What applications are to be told of their messages: written as these end, in that transaction."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import (
    Connection,
    Select,
    bindparam,
    delete,
    insert,
    literal_column,
    select,
    update,
)

from waqcore.clock import Now
from waqcore.core.message import State
from waqcore.store.among import among
from waqcore.store.tables import callback, message, outbox

TOLD = frozenset({State.SENT, State.FAILED, State.UNKNOWN, State.CANCELLED, State.EXPIRED})
"""The states that an application may be told of: all that come to rest."""

PORTION = 1_000
"""Rows let go of in one transaction."""

_PENDING = outbox.c.status == literal_column("'pending'")  # As the index has it, word for word.


class Delivery(NamedTuple):
    """One event on its way to one application; instants on the wall but `due_at`."""

    seq: int
    callback_id: str
    message_id: str
    state: str
    reference: str | None
    attempts: int
    reason: str
    ended_at: int
    status: str
    tries: int
    due_at: int
    tried_at: int | None
    """None: never."""
    http_status: int | None
    """None: no answer."""
    problem: str


class Claimed(NamedTuple):
    """An event to be delivered now, by whoever claimed it."""

    delivery: Delivery
    recipient: str


class Result(NamedTuple):
    """What became of a try."""

    seq: int
    tries: int
    """Its number: what was claimed again meanwhile is not touched."""
    status: str
    due_at: int
    http_status: int | None
    problem: str


_columns = tuple(outbox.c[name] for name in Delivery._fields)

_anybody = select(callback.c.id).where(callback.c.disabled_at.is_(None)).limit(1)

_written = (
    "callback_id",
    "message_id",
    "state",
    "reference",
    "attempts",
    "reason",
    "ended_at",
    "due_at",
)
_wanted = callback.c.events.contains(",message." + message.c.state + ",")
_write = insert(outbox).from_select(
    _written,
    select(
        callback.c.id,
        message.c.id,
        message.c.state,
        message.c.reference,
        message.c.attempts,
        message.c.reason,
        bindparam("wall", type_=outbox.c.ended_at.type),
        bindparam("steady", type_=outbox.c.due_at.type),
    )
    .join_from(message, callback, _wanted)
    .where(
        among(message.c.seq, "seqs"),
        callback.c.disabled_at.is_(None),
    )
    .order_by(message.c.seq, callback.c.id),
)


def write(connection: Connection, seqs: Collection[int], now: Now) -> None:
    """Write that messages have come to rest, for each application that wants to hear of it.

    Where none does this is one look at an empty table, 30 µs a transaction.
    """
    if connection.scalar(_anybody) is None:
        return
    listed = list(seqs)
    for start in range(0, len(listed), 500):  # Parameters in one statement are limited.
        some = listed[start : start + 500]
        connection.execute(_write, {"seqs": some, "wall": now.wall, "steady": now.steady})


_due = (
    select(callback.c.id)
    .where(
        callback.c.disabled_at.is_(None),
        callback.c.closed_until <= bindparam("steady"),
        select(outbox.c.seq)
        .where(
            outbox.c.callback_id == callback.c.id, _PENDING, outbox.c.due_at <= bindparam("steady")
        )
        .correlate(callback)
        .exists(),
    )
    .order_by(callback.c.id)
)


def due(connection: Connection, now: Now) -> list[str]:
    """The callbacks that have something to be delivered now."""
    return list(connection.scalars(_due, {"steady": now.steady}))


def claim(
    connection: Connection, callback_id: str, now: Now, *, until: int, limit: int
) -> list[Claimed]:
    """Take the next events of a callback; until the claim has run out they are nobody else's."""
    query = (
        select(*_columns)
        .where(outbox.c.callback_id == callback_id, _PENDING, outbox.c.due_at <= now.steady)
        .order_by(outbox.c.due_at, outbox.c.seq)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = [Delivery(*row) for row in connection.execute(query)]
    if not found:
        return []
    connection.execute(
        update(outbox)
        .where(outbox.c.seq.in_([one.seq for one in found]))
        .values(tries=outbox.c.tries + 1, due_at=until, tried_at=now.wall)
    )
    numbers = dict(
        connection.execute(
            select(message.c.id, message.c.recipient).where(
                message.c.id.in_({one.message_id for one in found})
            )
        ).all()
    )
    return [
        Claimed(one._replace(tries=one.tries + 1), numbers.get(one.message_id, "")) for one in found
    ]


_settle = (
    update(outbox)
    .where(outbox.c.seq == bindparam("of"), outbox.c.tries == bindparam("nth"), _PENDING)
    .values(
        status=bindparam("became"),
        due_at=bindparam("then"),
        http_status=bindparam("answered"),
        problem=bindparam("why"),
    )
)


def settle(connection: Connection, results: Sequence[Result]) -> None:
    """Write what became of tries."""
    if results:
        names = ("of", "nth", "became", "then", "answered", "why")
        connection.execute(_settle, [dict(zip(names, one, strict=True)) for one in results])


def give_up(connection: Connection, callback_id: str, problem: str) -> None:
    """Stop trying to tell a callback anything of what is pending."""
    connection.execute(
        update(outbox)
        .where(outbox.c.callback_id == callback_id, _PENDING)
        .values(status="given up", problem=problem)
    )


def recent(connection: Connection, callback_id: str, limit: int) -> list[Delivery]:
    """The newest events of a callback, newest first."""
    query = select(*_columns).where(outbox.c.callback_id == callback_id)
    rows = connection.execute(query.order_by(outbox.c.seq.desc()).limit(limit))
    return [Delivery(*row) for row in rows]


def any_old(connection: Connection, before: int) -> bool:
    """Whether something was last tried before a wall instant, and is over."""
    return connection.scalar(_old(before).limit(1)) is not None


def forget(connection: Connection, before: int) -> int:
    """Let go of a portion of what is over, and was last tried before a wall instant."""
    old = list(connection.scalars(_old(before)))
    connection.execute(delete(outbox).where(outbox.c.seq.in_(old)))
    return len(old)


def _old(before: int) -> Select[int]:
    # Among the oldest alone: a look at all of them, each hour, would find no more.
    first = select(outbox.c.seq, outbox.c.status, outbox.c.ended_at).order_by(outbox.c.seq)
    oldest = first.limit(PORTION).subquery()
    return select(oldest.c.seq).where(oldest.c.status != "pending", oldest.c.ended_at < before)
