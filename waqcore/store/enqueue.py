"""New messages into the queue: all of a caller's, or none."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, tuple_

from waqcore.store.errors import StoreError
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


_insert = insert(message)
_keyed = select(
    message.c.sender, message.c.idempotency_key, message.c.id, message.c.content_hash
).where(tuple_(message.c.sender, message.c.idempotency_key).in_(bindparam("keys", expanding=True)))
_suppressed = select(suppression.c.recipient, suppression.c.reason).where(
    suppression.c.recipient.in_(bindparam("recipients", expanding=True))
)
_any_suppressed = select(suppression.c.recipient).limit(1)


def enqueue(connection: Connection, new: Sequence[NewMessage]) -> list[str]:
    """Insert messages; returns their ids in order, of the first where a key was used before.

    Raises:
        SuppressedError: a recipient has opted out.
        IdempotencyError: a key was used for other content, before or in this very batch.
    """
    _refuse_suppressed(connection, new)
    first = _first_by_key(connection, new)
    ids: list[str] = []
    rows: list[dict[str, object]] = []
    for one in new:
        key = (one.sender, one.idempotency_key)
        if one.idempotency_key is not None and key in first:
            id_, content_hash = first[key]
            if content_hash != one.content_hash:
                raise IdempotencyError(one.sender, one.idempotency_key)
            ids.append(id_)
            continue
        if one.idempotency_key is not None:
            first[key] = (one.id, one.content_hash)
        ids.append(one.id)
        rows.append(one._asdict())
    if rows:
        connection.execute(_insert, rows)
    return ids


def _refuse_suppressed(connection: Connection, new: Sequence[NewMessage]) -> None:
    if connection.scalar(_any_suppressed) is None:
        return
    for chunk in chunks([one.recipient for one in new]):
        found = connection.execute(_suppressed, {"recipients": chunk}).first()
        if found is not None:
            raise SuppressedError(*found)


def _first_by_key(
    connection: Connection, new: Sequence[NewMessage]
) -> dict[tuple[str, str | None], tuple[str, str]]:
    keys = [(one.sender, one.idempotency_key) for one in new if one.idempotency_key is not None]
    return {
        (sender, key): (id_, content_hash)
        for chunk in chunks(keys)
        for sender, key, id_, content_hash in connection.execute(_keyed, {"keys": chunk})
    }
