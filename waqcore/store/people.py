"""Who may open the dashboard, the key their sessions are signed with, and the sessions ended."""

from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from waqcore.store import exclusive
from waqcore.store.tables import secret, signed_out, user


class UserRow(NamedTuple):
    """Somebody with a password."""

    name: str
    role: str
    password: str
    """Salt, cost and scrypt of it."""
    changed_at: int
    """When the password was set, on the wall."""


_columns = tuple(user.c[name] for name in UserRow._fields)


def find(connection: Connection, name: str) -> UserRow | None:
    """Somebody by name; None: there is nobody of that name."""
    row = connection.execute(select(*_columns).where(user.c.name == name)).one_or_none()
    return None if row is None else UserRow(*row)


def listing(connection: Connection) -> list[UserRow]:
    """Everybody, by name."""
    return [UserRow(*row) for row in connection.execute(select(*_columns).order_by(user.c.name))]


def add(connection: Connection, row: UserRow) -> bool:
    """Add somebody; False if there is somebody of that name."""
    exclusive.alone(connection, "people")
    if find(connection, row.name) is not None:
        return False
    connection.execute(insert(user).values(**row._asdict()))
    return True


def set_password(connection: Connection, name: str, password: str, wall: int) -> bool:
    """Replace somebody's password; False if there is nobody of that name."""
    changed = connection.execute(
        update(user).where(user.c.name == name).values(password=password, changed_at=wall)
    )
    return changed.rowcount == 1


def remove(connection: Connection, name: str) -> bool:
    """Take somebody out; False if there is nobody of that name."""
    return connection.execute(delete(user).where(user.c.name == name)).rowcount == 1


def key(connection: Connection, name: str) -> str | None:
    """A key kept here, in hexadecimal; None: nobody has made it yet."""
    found: str | None = connection.scalar(select(secret.c.value).where(secret.c.name == name))
    return found


def keep_key(connection: Connection, name: str, value: str, wall: int) -> str:
    """Keep a key unless there is one; returns the one there is now."""
    exclusive.alone(connection, "keys")
    known = key(connection, name)
    if known is not None:
        return known
    connection.execute(insert(secret).values(name=name, value=value, made_at=wall))
    return value


def end_session(connection: Connection, session: str, until: int, wall: int) -> None:
    """Remember that a session was ended until its cookie is too old anyway."""
    exclusive.alone(connection, "sessions")
    connection.execute(delete(signed_out).where(signed_out.c.until < wall))
    known = select(signed_out.c.session).where(signed_out.c.session == session)
    if connection.scalar(known) is None:
        connection.execute(insert(signed_out).values(session=session, until=until))


def has_ended(connection: Connection, session: str) -> bool:
    """Whether somebody signed out of a session."""
    known = select(signed_out.c.session).where(signed_out.c.session == session)
    return connection.scalar(known) is not None
