"""New messages as rows: one statement on a server, few sizes of statement in a file."""

from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, astuple
from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Insert,
    Select,
    any_,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError

from waqcore.core.message import State
from waqcore.store import exclusive
from waqcore.store.each import encoded, recordset
from waqcore.store.events import CHANNEL
from waqcore.store.tables import message, suppression


class NewMessage(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A message that has passed every check but those the database makes.

    What has no value is left out of what a server is sent: it reads that as NULL, in less time.
    """

    id: str
    sender: str
    recipient: str
    body: str
    priority: int
    reference: str | None = None
    idempotency_key: str | None = None
    content_hash: str
    enqueued_at: int
    send_at: int | None = None
    expires_at: int | None = None
    on_unknown: str


FIELDS = NewMessage.__struct_fields__
"""Columns of a new message."""


def insert_all(connection: Connection, new: Sequence[NewMessage]) -> int:
    """Insert, but for the opted-out, whom the insert itself looks for so that no enqueue pays for
    a look beforehand; returns how many rows were: fewer than asked for on a file, none on a
    server, where somebody has opted out. Where a key was used, a server leaves that message out.

    At the driver, but with SQLAlchemy's errors: through its execution a message was measured to
    take a quarter longer on a server, and two to three times as long in a file.
    """
    if not new:
        return 0
    insert_ = _insert_on_server if exclusive.several_write(connection) else _insert_in_file
    cursor = connection.connection.cursor()
    errors = connection.dialect.loaded_dbapi.Error
    try:
        return insert_(cursor, connection.dialect, new)
    except errors as error:
        driver = connection.connection.dbapi_connection
        if connection.dialect.is_disconnect(error, driver, cursor):
            # Raises, in SQLAlchemy: it lets go of all that broke with this one.
            connection.exec_driver_sql("SELECT 1")
        raise DBAPIError.instance(
            None, None, error, errors, hide_parameters=True, dialect=connection.dialect
        ) from error
    finally:
        cursor.close()


def _insert_on_server(cursor: Any, dialect: Dialect, new: Sequence[NewMessage]) -> int:
    keyed = any(one.idempotency_key is not None for one in new)
    if len(new) == 1:
        cursor.execute(_one_for_server(dialect, keyed=keyed), asdict(new[0]), prepare=True)
        return int(cursor.rowcount)
    cursor.execute(
        _for_server(dialect, few=len(new) <= FEW, keyed=keyed), encoded(new), prepare=True
    )
    return int(cursor.fetchone()[0])


def _insert_in_file(cursor: Any, _: Dialect, new: Sequence[NewMessage]) -> int:
    """Many at a step: the driver lets other threads have the interpreter at each, and a row a step
    made 32 threads take half as long again."""
    inserted = done = 0
    for size in _SIZES:
        while done + size <= len(new):
            values = tuple(chain.from_iterable(map(astuple, new[done : done + size])))
            cursor.execute(_for_file(size), values)
            inserted += cursor.rowcount
            done += size
    return inserted


_SIZES = (64, 16, 4, 1)
"""Messages in one statement: few sizes, so that the driver keeps them all prepared."""


@cache
def _for_file(size: int) -> str:
    """An insert of so many messages, as SQLite's driver takes it; its values go by place."""
    new = union_all(
        *(
            select(
                *(
                    bindparam(f"{name}_{n}", type_=message.c[name].type).label(name)
                    for name in FIELDS
                )
            )
            for n in range(size)
        )
    ).subquery()
    opted_out = exists().where(suppression.c.recipient == new.c.recipient)
    chosen = select(*(new.c[name] for name in FIELDS)).where(~opted_out)
    return str(insert(message).from_select(FIELDS, chosen).compile(dialect=sqlite.dialect()))


FEW = 16
"""Messages up to which an insert looks whether anybody need be told. Beyond, it tells: the look
was measured to take a sixth to a quarter of an insert of 100, and to tell costs as much as one
commit, however many."""


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
def _one_for_server(dialect: Dialect, *, keyed: bool) -> str:
    """An insert of one message, its values by name: in a tenth less time than as one of some."""
    values = {name: bindparam(name, type_=message.c[name].type) for name in FIELDS}
    opted_out = exists().where(suppression.c.recipient == values["recipient"])
    put = _put(select(*values.values()).where(~opted_out), keyed=keyed)
    return str(put.returning(_notify_where_nothing_waits()).compile(dialect=dialect))


@cache
def _for_server(dialect: Dialect, *, few: bool, keyed: bool) -> str:
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
    return str(select(func.count(), _notify()).select_from(stored).compile(dialect=dialect))


def _put(chosen: Select[Any], *, keyed: bool) -> Insert:
    # Here: whoever works with a file needs none of it.
    from sqlalchemy.dialects import postgresql

    put = postgresql.insert(message).from_select(FIELDS, chosen)
    # Many may write at once: another may have used a key that was free when we looked, and is
    # waited for. To be ready for that takes a server a sixth longer.
    return put.on_conflict_do_nothing() if keyed else put
