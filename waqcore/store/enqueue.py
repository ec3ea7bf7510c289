"""New messages into the queue: all of a caller's, or none."""

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
    delete,
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
from waqcore.store.among import among
from waqcore.store.each import encoded, recordset
from waqcore.store.errors import RepeatableDoubtError, StoreError
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
_stored = select(message.c.id).where(message.c.id == bindparam("id"))
_suppressed = select(suppression.c.recipient, suppression.c.reason).where(
    among(suppression.c.recipient, "recipients")
)


def enqueue_jointly(
    connection: Connection, batches: Sequence[Sequence[NewMessage]]
) -> list[list[str]]:
    """As `enqueue`, in a transaction that is for this alone: on a server a single message commits
    by itself, in one trip instead of three.

    Raises:
        SuppressedError, IdempotencyError: as `enqueue`.
        RepeatableDoubtError: the connection broke; the message may be stored, and to enqueue the
            very same once more finds it.
    """
    new = [one for batch in batches for one in batch]
    alone = len(new) == 1 and exclusive.several_write(connection)
    if alone and not connection.in_transaction():
        (one,) = new
        if _commit_alone(connection, one) or connection.scalar(_stored, {"id": one.id}):
            return [[one.id for one in batch] for batch in batches]
    return enqueue(connection, batches)


def _commit_alone(connection: Connection, one: NewMessage) -> bool:
    """Insert a message and commit; False where it was left out: somebody has opted out, its key was
    used, or it was stored before, by a try of which nobody heard the end."""
    driver: Any = connection.connection.driver_connection
    driver.autocommit = True
    try:
        return _insert_all(connection, [one]) == 1
    except DBAPIError as error:
        if error.connection_invalidated:
            raise RepeatableDoubtError(
                "the connection broke as a message was stored: it may or may not be; to hand it "
                "over again is safe with the same idempotency key"
            ) from error
        raise
    finally:
        if not driver.closed:
            driver.autocommit = False


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
