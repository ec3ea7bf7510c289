"""Where a database is: a file of ours, or a server."""

from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from waqcore.store.errors import StoreError

_SERVERS = ("postgresql", "postgres", "postgresql+psycopg")
"""How a server's URL may begin; the second is what hosting providers write."""


def is_server(url: str) -> bool:
    """Whether a database URL names a PostgreSQL server, and no file.

    Raises:
        StoreError: it is no URL.
    """
    return _parsed(url).drivername in _SERVERS


def path_of(url: str) -> Path:
    """The file of a database URL.

    Raises:
        StoreError: the URL is not one, or names no file.
    """
    parsed = _parsed(url)
    if (
        parsed.get_backend_name() != "sqlite"
        or not parsed.database
        or parsed.database == ":memory:"
    ):
        raise StoreError(
            "WAQ_DATABASE_URL must name a SQLite file (sqlite:///waqcore.db) or a PostgreSQL "
            f"database (postgresql://user@host/queue), not {shown(parsed)!r}: "
            "a queue must outlive its process"
        )
    return Path(parsed.database)


def server_of(url: str) -> URL:
    """The URL of a server, as SQLAlchemy takes it for psycopg.

    Raises:
        StoreError: it names no database.
    """
    parsed = _parsed(url).set(drivername="postgresql+psycopg")
    if not parsed.database:
        raise StoreError(
            f"WAQ_DATABASE_URL names no database on the server: {shown(parsed)!r}; "
            "write it as postgresql://user@host/queue"
        )
    return parsed


def shown(url: URL) -> str:
    """A URL as it may be shown: without its password, and without options that may hold one."""
    return url.set(query={}).render_as_string(hide_password=True)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Not shown: it may hold a password all the same.
        named = repr(url) if "@" not in url else "(it has an @ in it, and is not shown)"
        raise StoreError(
            f"WAQ_DATABASE_URL is not a database URL: {named}; write it as sqlite:///waqcore.db "
            "or postgresql://user@host/queue"
        ) from None
    return parsed
