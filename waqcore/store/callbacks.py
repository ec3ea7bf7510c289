"""Where applications want to be called back, as rows."""

from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, update

from waqcore.store import events, outbox
from waqcore.store.events import Happening
from waqcore.store.tables import callback


class CallbackRow(NamedTuple):
    """An application's address; instants on the wall but `closed_until`."""

    id: str
    url: str
    events: str
    """`,message.sent,message.failed,`"""
    secret: str
    created_at: int
    closed_until: int = 0
    disabled_at: int | None = None
    """None: it is told."""
    disabled_reason: str = ""


_columns = tuple(callback.c[name] for name in CallbackRow._fields)


def add(connection: Connection, row: CallbackRow, actor: str) -> None:
    """Keep a new one."""
    connection.execute(insert(callback).values(row._asdict()))
    said = Happening(actor, "add callback", detail=f"{row.id}: {row.url}")
    events.record(connection, [said], row.created_at)


def count(connection: Connection) -> int:
    """How many there are."""
    return connection.scalar(select(func.count()).select_from(callback)) or 0


def listing(connection: Connection) -> list[CallbackRow]:
    """All there are, oldest first."""
    rows = connection.execute(select(*_columns).order_by(callback.c.created_at, callback.c.id))
    return [CallbackRow(*row) for row in rows]


def find(connection: Connection, id_: str) -> CallbackRow | None:
    """One of them; None: there is none of that id."""
    row = connection.execute(select(*_columns).where(callback.c.id == id_)).first()
    return None if row is None else CallbackRow(*row)


def remove(connection: Connection, id_: str, actor: str, wall: int) -> bool:
    """Forget one and all that it was to be told; False: there is none of that id."""
    gone = connection.execute(delete(callback).where(callback.c.id == id_)).rowcount == 1
    said = Happening(actor, "remove callback", detail=id_)
    events.record(connection, [said] if gone else [], wall)
    return gone


def close(connection: Connection, id_: str, until: int) -> None:
    """Tell one nothing until an instant on the steady axis."""
    connection.execute(update(callback).where(callback.c.id == id_).values(closed_until=until))


def disable(connection: Connection, id_: str, reason: str, actor: str, wall: int) -> None:
    """Tell one nothing any more."""
    done = connection.execute(
        update(callback)
        .where(callback.c.id == id_, callback.c.disabled_at.is_(None))
        .values(disabled_at=wall, disabled_reason=reason)
    )
    if done.rowcount == 1:
        outbox.give_up(connection, id_, reason)
        said = Happening(actor, "callback disabled", detail=f"{id_}: {reason}")
        events.record(connection, [said], wall)
