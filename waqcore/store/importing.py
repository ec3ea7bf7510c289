"""Messages taken over from another system, with the calls it had made for them."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, update

from waqcore.store import enqueue, events
from waqcore.store.events import Happening
from waqcore.store.fresh import NewMessage
from waqcore.store.tables import message


class TakenOver(NamedTuple):
    """A message of another system."""

    new: NewMessage
    failures: int
    """What counts of the calls it had made towards our own limit."""
    tried: bool
    """It was called for before: it may have been delivered, since a call without an answer was
    counted there as one that failed."""


_known = (
    update(message)
    .where(message.c.id == bindparam("of"))
    .values(failures=bindparam("counted"), maybe_duplicate=1)
)


def take_over(
    connection: Connection, messages: Sequence[TakenOver], said: Happening, wall: int
) -> int:
    """Queue messages of another system; returns how many were not there yet.

    Raises:
        SuppressedError, IdempotencyError: see `enqueue`; nothing was stored.
    """
    (ids,) = enqueue.enqueue(connection, [[one.new for one in messages]])
    fresh = [one for one, id_ in zip(messages, ids, strict=True) if one.new.id == id_]
    tried = [{"of": one.new.id, "counted": one.failures} for one in fresh if one.tried]
    if tried:
        connection.execute(_known, tried)
    if fresh:
        events.record(connection, [said._replace(messages=len(fresh))], wall)
    return len(fresh)
