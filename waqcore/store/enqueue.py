"""New messages into the queue: all of a caller's, or none."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from waqcore.store import exclusive
from waqcore.store.among import among
from waqcore.store.errors import RepeatableDoubtError, StoreError
from waqcore.store.fresh import NewMessage
from waqcore.store.inserting import insert_all
from waqcore.store.lanes import chunks
from waqcore.store.tables import message, suppression


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
    """As `enqueue`, in a transaction that is for this alone: on a server it commits by itself, in
    one trip instead of three, unless several messages have keys to be looked up before.

    Raises:
        SuppressedError, IdempotencyError: as `enqueue`.
        RepeatableDoubtError: the connection broke; the message may be stored, and to enqueue the
            very same once more finds it.
    """
    new = [one for batch in batches for one in batch]
    keyless = all(one.idempotency_key is None for one in new)
    alone = exclusive.several_write(connection) and not connection.in_transaction()
    if alone and (keyless or len(new) == 1) and _are_stored(connection, batches, new):
        return [[one.id for one in batch] for batch in batches]
    return enqueue(connection, batches)


def _are_stored(
    connection: Connection, batches: Sequence[Sequence[NewMessage]], new: Sequence[NewMessage]
) -> bool:
    if not new or _commit_alone(connection, new):
        return True
    # Of one caller's all are or none, so that the first tells of them; of another's it does not.
    firsts = [batch[0].id for batch in batches if batch]
    return all(connection.scalar(_stored, {"id": id_}) is not None for id_ in firsts)


def _commit_alone(connection: Connection, new: Sequence[NewMessage]) -> bool:
    """Insert all of some messages and commit, or none; False where it was none: somebody has opted
    out, a key was used, or they were stored before, by a try of which nobody heard the end."""
    driver: Any = connection.connection.driver_connection
    try:
        driver.autocommit = True
        return insert_all(connection, new) == len(new)
    except IntegrityError:
        return False
    except DBAPIError as error:
        if error.connection_invalidated:
            raise RepeatableDoubtError(
                "the connection broke as messages were stored: they may or may not be; to hand "
                "them over again is safe with the same idempotency keys, and may double what has "
                "none"
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
    if not connection.in_transaction():
        connection.begin()  # The insert is made at the driver, of which SQLAlchemy does not know.
    tried: list[NewMessage] = []
    try:
        return _enqueue(connection, batches, tried)
    except StoreError:
        _take_back(connection, tried)
        raise


def _enqueue(
    connection: Connection, batches: Sequence[Sequence[NewMessage]], tried: list[NewMessage]
) -> list[list[str]]:
    every = [one for batch in batches for one in batch]
    stored: set[str] = set()
    for _ in range(RACES_MAX):
        stand = _first_by_key(connection, every)
        placed: list[NewMessage] = []
        ids = [[_place(one, stand, placed) for one in batch] for batch in batches]
        new = [one for one in placed if one.id not in stored]
        tried += new
        inserted = insert_all(connection, new)
        if inserted == len(new):
            return ids
        _refuse_suppressed(connection, new)
        assert exclusive.several_write(connection), "an insert left out a message for no reason"
        if inserted:
            # Somebody else was first with a key, and theirs is the message that stands: what has
            # no key was inserted, and what has one will be found by it.
            stored |= {one.id for one in new if one.idempotency_key is None}
    raise StoreError("others use the same idempotency keys over and over: try again")


RACES_MAX = 5
"""Times that somebody else may be first with a key, before a batch is given up."""

_Standing = dict[tuple[str, str], tuple[str, str]]
"""The id and the content hash of the message that stands for a sender and a key."""


def _place(one: NewMessage, stand: _Standing, new: list[NewMessage]) -> str:
    """Take a message in, unless one stands for its key, be it this very one, stored by a try of
    which nobody heard the end; returns the id that stands."""
    if one.idempotency_key is not None:
        key = (one.sender, one.idempotency_key)
        if key in stand:
            id_, content_hash = stand[key]
            if content_hash != one.content_hash:
                raise IdempotencyError(*key)
            return id_
        stand[key] = (one.id, one.content_hash)
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


def _first_by_key(connection: Connection, new: Sequence[NewMessage]) -> _Standing:
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
