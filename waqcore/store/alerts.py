"""How far people were told of alerts, and which conditions stand: once for all processes."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select, update

from waqcore.clock import Now
from waqcore.store import events
from waqcore.store.events import Happening
from waqcore.store.tables import alert, event

TOLD = "told"
"""The row that says up to which event people were told."""


class AlertRow(NamedTuple):
    """An event that people should hear of; the instant is on the wall."""

    id: int
    at: int
    actor: str
    action: str
    sender: str | None
    detail: str


class Claimed(NamedTuple):
    """What is to be told now."""

    alerts: Sequence[AlertRow]
    more: int
    """How many others go with them, untold."""
    last: int
    """The last event of all of them."""


def begin(connection: Connection) -> None:
    """Tell from now on: what happened before anybody asked for alerts is no news."""
    if connection.scalar(select(alert.c.name).where(alert.c.name == TOLD)) is None:
        newest = connection.scalar(select(func.max(event.c.id))) or 0
        connection.execute(insert(alert).values(name=TOLD, position=newest))


def any_untold(connection: Connection, actions: Collection[str], now: Now) -> bool:
    """Whether there is something to tell, and nobody is at it."""
    row = connection.execute(
        select(alert.c.position, alert.c.busy_until).where(alert.c.name == TOLD)
    ).first()
    if row is None:
        return True
    position, busy_until = row
    return busy_until <= now.steady and bool(_untold(connection, actions, position, 1))


def claim(
    connection: Connection, actions: Collection[str], now: Now, *, until: int, limit: int
) -> Claimed | None:
    """Take what is to be told; None: there is nothing, or another process is at it."""
    begin(connection)
    taken = connection.execute(
        update(alert)
        .where(alert.c.name == TOLD, alert.c.busy_until <= now.steady)
        .values(busy_until=until)
    )
    if taken.rowcount == 0:
        return None
    position = connection.scalar(select(alert.c.position).where(alert.c.name == TOLD)) or 0
    found = _untold(connection, actions, position, limit)
    if not found:
        release(connection, position, 0)
        return None
    more = (event.c.id > found[-1].id, event.c.action.in_(actions))
    last, left = connection.execute(select(func.max(event.c.id), func.count()).where(*more)).one()
    return Claimed(found, left, last or found[-1].id)


def release(connection: Connection, position: int, until: int) -> None:
    """Note up to which event people were told, and when they may be told more."""
    connection.execute(
        update(alert).where(alert.c.name == TOLD).values(position=position, busy_until=until)
    )


def _untold(
    connection: Connection, actions: Collection[str], position: int, limit: int
) -> list[AlertRow]:
    columns = tuple(event.c[name] for name in AlertRow._fields)
    query = select(*columns).where(event.c.id > position, event.c.action.in_(actions))
    rows = connection.execute(query.order_by(event.c.id).limit(limit))
    return [AlertRow(*row) for row in rows]


def stands(connection: Connection, condition: str) -> bool:
    """Whether a condition was last seen to hold."""
    return bool(connection.scalar(select(alert.c.raised).where(alert.c.name == condition)))


def note(
    connection: Connection, condition: str, said: Happening, wall: int, *, holds: bool
) -> bool:
    """Note that a condition holds, or no longer does, as one event; False: somebody has already."""
    if connection.scalar(select(alert.c.name).where(alert.c.name == condition)) is None:
        connection.execute(insert(alert).values(name=condition))
    changed = connection.execute(
        update(alert)
        .where(alert.c.name == condition, alert.c.raised == int(not holds))
        .values(raised=int(holds))
    )
    if changed.rowcount:
        events.record(connection, [said], wall)
    return bool(changed.rowcount)
