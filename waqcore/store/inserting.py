"""New messages as rows: one statement on a server, few sizes of statement in a file."""

from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    FromClause,
    Integer,
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


class NewMessage(NamedTuple):
    """A message that has passed every check but those the database makes."""

    id: str
    sender: str
    recipient: str
    body: str
    priority: int
    reference: str | None
    idempotency_key: str | None
    content_hash: str
    enqueued_at: int
    send_at: int | None
    expires_at: int | None
    on_unknown: str


def insert_all(connection: Connection, new: Sequence[NewMessage]) -> int:
    """Insert, but for the opted-out, whom the insert itself leaves out so that no enqueue pays for
    a look beforehand; returns how many rows were.

    At the driver, but with SQLAlchemy's errors: through its execution a message was measured to
    take a quarter longer on a server, and two to three times as long in a file.
    """
    if not new:
        return 0
    if not connection.in_transaction():
        connection.begin()  # Its caller's to commit, as with any statement.
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
    rows = [{**one._asdict(), "place": place} for place, one in enumerate(new)]
    cursor.execute(_for_server(dialect, few=len(new) <= FEW), encoded(rows))
    return int(cursor.rowcount)


def _insert_in_file(cursor: Any, _: Dialect, new: Sequence[NewMessage]) -> int:
    """Many at a step: the driver lets other threads have the interpreter at each, and a row a step
    made 32 threads take half as long again."""
    inserted = done = 0
    for size in _SIZES:
        while done + size <= len(new):
            values = tuple(chain.from_iterable(new[done : done + size]))
            cursor.execute(_for_file(size), values)
            inserted += cursor.rowcount
            done += size
    return inserted


_SIZES = (64, 16, 4, 1)
"""Messages in one statement: few sizes, so that the driver keeps them all prepared."""


@cache
def _for_file(size: int) -> str:
    """An insert of so many messages, as SQLite's driver takes it; its values go by place."""
    fields = NewMessage._fields
    new = union_all(
        *(
            select(
                *(
                    bindparam(f"{name}_{n}", type_=message.c[name].type).label(name)
                    for name in fields
                )
            )
            for n in range(size)
        )
    ).subquery()
    chosen = select(*(new.c[name] for name in fields)).where(~_opted_out(new))
    return str(insert(message).from_select(fields, chosen).compile(dialect=sqlite.dialect()))


def _opted_out(new: FromClause) -> ColumnElement[bool]:
    return exists().where(suppression.c.recipient == new.c.recipient)


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
def _for_server(dialect: Dialect, *, few: bool) -> str:
    """An insert of any number of messages, as the driver takes it; its parameters are `encoded`."""
    # Here: whoever works with a file needs none of it.
    from sqlalchemy.dialects import postgresql

    fields = NewMessage._fields
    types = {name: message.c[name].type for name in fields}
    new = recordset({**types, "place": Integer()})
    # In order, so that numbers are given in it whatever the planner makes of the rest. Many may
    # write at once: another may have used a key that was free when we looked, and is waited for.
    chosen = select(*(new.c[name] for name in fields)).where(~_opted_out(new)).order_by(new.c.place)
    put = postgresql.insert(message).from_select(fields, chosen).on_conflict_do_nothing()
    told = put.returning(_notify_where_nothing_waits() if few else _notify())
    return str(told.compile(dialect=dialect))
