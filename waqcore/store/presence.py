"""Dispatchers as rows: who lives, until when, and who is known to be dead."""

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from waqcore.clock import Now
from waqcore.core.instants import HOUR
from waqcore.store.tables import dispatcher

FORGET_US = HOUR
"""A row this long past its lease is of use to nobody: whatever it held has been taken over."""


class Process(NamedTuple):
    """What a dispatcher's process is called where it runs."""

    host: str
    """The boot and the process namespace: only there does `name` mean anything."""
    name: str
    """The process id and when that process started, since ids are used again."""


def join(connection: Connection, id_: str, process: Process, now: Now, lease_us: int) -> None:
    """Add a dispatcher, alive for one lease, and forget those long dead."""
    connection.execute(delete(dispatcher).where(dispatcher.c.lease_until < now.steady - FORGET_US))
    connection.execute(
        insert(dispatcher).values(
            id=id_,
            host=process.host,
            process=process.name,
            started_at=now.wall,
            lease_until=now.steady + lease_us,
        )
    )


def beat(connection: Connection, id_: str, now: Now, lease_us: int) -> bool:
    """Renew a dispatcher's lease; False if its row is gone and it must join again."""
    renewed = connection.execute(
        update(dispatcher).where(dispatcher.c.id == id_).values(lease_until=now.steady + lease_us)
    )
    return renewed.rowcount == 1


def leave(connection: Connection, id_: str) -> None:
    """Take a dispatcher out; whatever it still held is free to take over at once."""
    connection.execute(delete(dispatcher).where(dispatcher.c.id == id_))


def bury(connection: Connection, host: str, dead: Callable[[str], bool]) -> int:
    """Take out the dispatchers of this host whose process is dead, without waiting for their lease.

    Returns how many there were.
    """
    here = connection.execute(
        select(dispatcher.c.id, dispatcher.c.process).where(dispatcher.c.host == host)
    ).all()
    gone = [id_ for id_, name in here if dead(name)]
    if gone:
        connection.execute(delete(dispatcher).where(dispatcher.c.id.in_(gone)))
    return len(gone)


class Alive(NamedTuple):
    """A dispatcher as others see it."""

    id: str
    process: str
    started_at: int
    lease_until: int


def alive(connection: Connection, now: Now) -> list[Alive]:
    """The dispatchers whose lease has not run out."""
    rows = connection.execute(
        select(
            dispatcher.c.id, dispatcher.c.process, dispatcher.c.started_at, dispatcher.c.lease_until
        )
        .where(dispatcher.c.lease_until > now.steady)
        .order_by(dispatcher.c.started_at)
    )
    return [Alive(*row) for row in rows]
