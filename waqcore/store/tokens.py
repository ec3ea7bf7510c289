"""Tokens of the API as rows: their digests, never themselves."""

from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from waqcore.store import exclusive
from waqcore.store.tables import token


class TokenRow(NamedTuple):
    """A token as it is kept; instants on the wall."""

    name: str
    digest: str
    scopes: str
    """By comma."""
    created_at: int
    revoked_at: int | None
    """None: it holds."""


_columns = tuple(token.c[name] for name in TokenRow._fields)


def add(connection: Connection, row: TokenRow) -> bool:
    """Keep a token; False if there is, or was, one of that name."""
    exclusive.alone(connection, "tokens")
    known = select(token.c.name).where(token.c.name == row.name)
    if connection.scalar(known) is not None:
        return False
    connection.execute(insert(token).values(row._asdict()))
    return True


def listing(connection: Connection) -> list[TokenRow]:
    """All there are or were, oldest first."""
    rows = connection.execute(select(*_columns).order_by(token.c.created_at, token.c.name))
    return [TokenRow(*row) for row in rows]


def revoke(connection: Connection, name: str, wall: int) -> bool:
    """End a token; False if there is none of that name that holds."""
    ended = connection.execute(
        update(token)
        .where(token.c.name == name, token.c.revoked_at.is_(None))
        .values(revoked_at=wall)
    )
    return ended.rowcount == 1
