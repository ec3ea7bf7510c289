"""New messages into the queue: all of a caller's, or none."""

import sys
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.exc import DBAPIError

from waqcore.core.message import State
from waqcore.store import exclusive
from waqcore.store.among import among
from waqcore.store.errors import StoreError
from waqcore.store.events import CHANNEL
from waqcore.store.lanes import chunks
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


class SuppressedError(StoreError):
    """The recipient has opted out."""

    def __init__(self, recipient: str, reason: str) -> None:
        super().__init__(
            f"{recipient} has opted out ({reason or 'no reason noted'}): nothing was queued; "
            "take the number off the suppression list first if they opted in again"
        )
        self.recipient = recipient


class IdempotencyError(StoreError):
    """The key was used before, for something else."""

    def __init__(self, sender: str, key: str) -> None:
        super().__init__(
            f"the idempotency key {key!r} of sender {sender} belongs to a message with other "
            "content: nothing was queued; use one key for one message"
        )
        self.key = key


# Sender by sender: SQLite serves no row values from a partial index, and would read every message.
_keyed = select(message.c.idempotency_key, message.c.id, message.c.content_hash).where(
    message.c.sender == bindparam("sender"),
    among(message.c.idempotency_key, "keys"),
)
_suppressed = select(suppression.c.recipient, suppression.c.reason).where(
    among(suppression.c.recipient, "recipients")
)


def enqueue(connection: Connection, batches: Sequence[Sequence[NewMessage]]) -> list[list[str]]:
    """Insert batches of messages; returns their ids, the first's where a key was used.

    Raises:
        SuppressedError: a recipient has opted out.
        IdempotencyError: a key was used for other content, before or in these very batches.
    """
    for _ in range(RACES_MAX):
        first = _first_by_key(connection, [one for batch in batches for one in batch])
        new: list[NewMessage] = []
        ids = [[_place(one, first, new) for one in batch] for batch in batches]
        if _insert_all(connection, new) == len(new):
            return ids
        _take_back(connection, new)
        _refuse_suppressed(connection, new)
        # Else somebody else was first with a key: theirs is the message that stands.
        assert exclusive.several_write(connection), "an insert left out a message for no reason"
    raise StoreError("others use the same idempotency keys over and over: try again")


RACES_MAX = 5
"""Times that somebody else may be first with a key, before a batch is given up."""


def _insert_all(connection: Connection, new: Sequence[NewMessage]) -> int:
    """Insert at the driver, but with SQLAlchemy's errors; returns how many rows were.

    Through SQLAlchemy's execution an insert was measured to take two to three times as long. Many
    at a step: the driver lets other threads have the interpreter at each, and a row a step made
    32 threads take half as long again.
    """
    if not connection.in_transaction():
        connection.begin()  # Its caller's to commit, as with any statement.
    cursor = _cursor(connection)
    inserted = done = 0
    try:
        for size in _SIZES:
            while done + size <= len(new):
                row_by_row = tuple(chain.from_iterable(new[done : done + size]))
                statement, names = _insert(connection.dialect, size)
                values = row_by_row if names is None else dict(zip(names, row_by_row, strict=True))
                cursor.execute(statement, values)
                inserted += cursor.rowcount
                done += size
    except _errors(connection) as error:
        raise DBAPIError.instance(
            None,
            None,
            error,
            _errors(connection),
            hide_parameters=True,
            dialect=connection.dialect,
        ) from error
    finally:
        cursor.close()
    return inserted


_SIZES = (64, 16, 4, 1)
"""Messages in one statement: few sizes, so that the driver keeps them all prepared."""


def _cursor(connection: Connection) -> Any:
    """A cursor of the driver that takes statements as `_insert` gives them.

    psycopg's usual one reads so long a statement anew each time, in search of its placeholders:
    half of what a hundred messages cost here. Its raw one hands it to the server as it is.
    """
    if _is_raw(connection.dialect):
        return sys.modules["psycopg"].RawCursor(connection.connection.driver_connection)
    return connection.connection.cursor()


def _is_raw(dialect: Dialect) -> bool:
    """Whether the driver has such a cursor: not where a caller's own connection is asynchronous."""
    return dialect.name == "postgresql" and not dialect.is_async


def _errors(connection: Connection) -> type[Exception]:
    return connection.dialect.loaded_dbapi.Error


@cache
def _insert(dialect: Dialect, size: int) -> tuple[str, list[str] | None]:
    """An insert of so many messages, as the driver takes it; and the names of its values, row by
    row, None where they go by place.

    The opted-out are left out by the insert itself, so that no enqueue pays for a look beforehand.
    """
    fields = NewMessage._fields
    rows = [
        [bindparam(f"{name}_{n}", type_=message.c[name].type) for name in fields]
        for n in range(size)
    ]
    new = union_all(
        *(
            select(
                *(value.label(name) for name, value in zip(fields, row, strict=True)),
                literal_column(str(n)).label("place"),
            )
            for n, row in enumerate(rows)
        )
    ).subquery()
    opted_out = exists().where(suppression.c.recipient == new.c.recipient)
    chosen = select(*(new.c[name] for name in fields)).where(~opted_out)
    if dialect.name == "sqlite":
        statement = insert(message).from_select(list(fields), chosen)
        return str(statement.compile(dialect=dialect)), None
    # Here: whoever works with a file needs none of it.
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.dialects.postgresql import psycopg

    # Many may write at once: another may have used a key that was free when we looked, and is
    # waited for. In order, so that numbers are given in it whatever the planner makes of the rest.
    told = (
        postgresql.insert(message)
        .from_select(list(fields), chosen.order_by(new.c.place))
        .on_conflict_do_nothing(
            index_elements=[message.c.sender, message.c.idempotency_key],
            index_where=message.c.idempotency_key.is_not(None),
        )
        .returning(_told_where_nothing_waits())
    )
    if _is_raw(dialect):
        by_place = psycopg.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
        return str(told.compile(dialect=by_place)), None
    names = [value.key for row in rows for value in row]
    return str(told.compile(dialect=dialect)), names


def _told_where_nothing_waits() -> ColumnElement[str]:
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
    notify = func.pg_notify(literal_column(f"'{CHANNEL}'"), literal_column("''"))
    return case((waits.is_distinct_from(literal_column("0")), notify))


_First = dict[tuple[str, str], tuple[str, str]]


def _place(one: NewMessage, first: _First, new: list[NewMessage]) -> str:
    """Take a message in, unless its key already stands for one; returns the id that stands."""
    if one.idempotency_key is not None:
        key = (one.sender, one.idempotency_key)
        id_, content_hash = first.setdefault(key, (one.id, one.content_hash))
        if content_hash != one.content_hash:
            raise IdempotencyError(*key)
        if id_ != one.id:
            return id_
    new.append(one)
    return one.id


def _take_back(connection: Connection, new: Sequence[NewMessage]) -> None:
    """Leave nothing of a refused batch: the transaction may be its caller's, who may go on."""
    for chunk in chunks([one.id for one in new]):
        connection.execute(delete(message).where(message.c.id.in_(chunk)))


def _refuse_suppressed(connection: Connection, new: Sequence[NewMessage]) -> None:
    for chunk in chunks([one.recipient for one in new]):
        found = connection.execute(_suppressed, {"recipients": chunk}).first()
        if found is not None:
            raise SuppressedError(*found)


def _first_by_key(connection: Connection, new: Sequence[NewMessage]) -> _First:
    keys: dict[str, list[str]] = {}
    for one in new:
        if one.idempotency_key is not None:
            keys.setdefault(one.sender, []).append(one.idempotency_key)
    return {
        (sender, key): (id_, content_hash)
        for sender in keys
        for chunk in chunks(keys[sender])
        for key, id_, content_hash in connection.execute(_keyed, {"sender": sender, "keys": chunk})
    }
