"""New messages into a server's database: one statement, which tells whom it must."""

from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Insert,
    Select,
    any_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    select,
)

from waqcore.core.message import State
from waqcore.store.each import encoded, recordset
from waqcore.store.events import CHANNEL
from waqcore.store.fresh import FIELDS, NewMessage
from waqcore.store.tables import message, suppression

FEW = 16
"""Messages up to which an insert looks whether anybody need be told. Beyond, it tells: the look
was measured to take a sixth to a quarter of an insert of 100, and to tell costs as much as one
commit, however many."""


def insert(cursor: Any, dialect: Dialect, new: Sequence[NewMessage]) -> int:
    """Insert all messages, or none where somebody has opted out; one whose key was used is left
    out. Returns how many were inserted."""
    keyed = any(one.idempotency_key is not None for one in new)
    if len(new) == 1:
        statement, values = _one(dialect, keyed=keyed)
        cursor.execute(statement, values(new[0]))
        return int(cursor.rowcount)
    cursor.execute(_some(dialect, few=len(new) <= FEW, keyed=keyed), encoded(new))
    return int(cursor.fetchone()[0])


def _notify() -> ColumnElement[str]:
    return func.pg_notify(literal_column(f"'{CHANNEL}'"), literal_column("''"))


def _notify_where_nothing_waits() -> ColumnElement[str]:
    """Notify, unless a message is due before this one: whoever sends that one will look anyway.

    Of those who notify the server commits one at a time, each to the disk: 100 clients for one
    sender were measured at 340 messages a second where all did, and at 1,800 so. What this leaves
    out wrongly (the one before is being claimed just then) the listener finds within its `LOOK_S`.
    """
    ahead = message.alias("ahead")
    waits = (
        select(ahead.c.retry_at)
        .where(
            ahead.c.sender == literal_column(f"{message.name}.{message.c.sender.name}"),
            ahead.c.priority == literal_column(f"{message.name}.{message.c.priority.name}"),
            ahead.c.state == literal_column(f"'{State.QUEUED.value}'"),
            ahead.c.send_at.is_(None),
        )
        .order_by(ahead.c.send_at, ahead.c.seq)
        .limit(literal_column("1"))
        .scalar_subquery()
    )
    return case((waits.is_distinct_from(literal_column("0")), _notify()))


@cache
def _one(dialect: Dialect, *, keyed: bool) -> tuple[str, Callable[[NewMessage], Any]]:
    """An insert of one message, and what makes its parameters: in an eighth less time than as one
    of some. They go by place; by name the driver was measured to take 10 us longer."""
    values = {name: bindparam(name, type_=message.c[name].type) for name in FIELDS}
    opted_out = exists().where(suppression.c.recipient == values["recipient"])
    put = _put(select(*values.values()).where(~opted_out), keyed=keyed)
    kind: Any = type(dialect)  # Its base is typed without what every dialect takes.
    told = put.returning(_notify_where_nothing_waits()).compile(dialect=kind(paramstyle="format"))
    assert told.positiontup is not None
    return str(told), attrgetter(*told.positiontup)


@cache
def _some(dialect: Dialect, *, few: bool, keyed: bool) -> str:
    """An insert of all of some messages or none, as the driver takes it; its parameters are
    `encoded`, and its one row tells how many were inserted."""
    # Read but once, and in order, so that numbers are given in it.
    new = recordset({name: message.c[name].type for name in FIELDS}).cte("new")
    recipients = func.array(select(new.c.recipient).scalar_subquery())
    opted_out = exists().where(suppression.c.recipient == any_(recipients))
    put = _put(select(new).where(~opted_out), keyed=keyed)
    if few:
        told = put.returning(_notify_where_nothing_waits()).cte("put")
        return str(select(func.count()).select_from(told).compile(dialect=dialect))
    stored = put.returning(literal_column("1")).cte("put")
    news = case((func.count() > literal_column("0"), _notify()))
    return str(select(func.count(), news).select_from(stored).compile(dialect=dialect))


def _put(chosen: Select[Any], *, keyed: bool) -> Insert:
    # Here: whoever works with a file needs none of it.
    from sqlalchemy.dialects import postgresql

    put = postgresql.insert(message).from_select(FIELDS, chosen)
    if not keyed:
        return put  # To be ready for what follows takes a server a sixth longer.
    # Many may write at once: another may have used a key that was free when we looked, and is
    # waited for. A message whose id is there is no such case, but one that is handed over again.
    key = (message.c.sender, message.c.idempotency_key)
    return put.on_conflict_do_nothing(index_elements=key, index_where=key[1].is_not(None))
