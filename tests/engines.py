"""Which engine a test's database is of: its folder says so."""

from pathlib import Path

from sqlalchemy import Engine, NullPool, create_engine, make_url

NOTE = "database.url"
"""A file in the folder of a test whose database is a server's."""

READY = "waq_ready"
"""A database on the server with our tables, which others are copied from: to make them anew takes
longer."""


def address(folder: Path) -> str:
    """The URL of the one database of a test's folder."""
    note = folder / NOTE
    return note.read_text() if note.exists() else f"sqlite:///{folder / 'queue.db'}"


def is_server(folder: Path) -> bool:
    """Whether the database of a test's folder is a server's."""
    return (folder / NOTE).exists()


def an_engine(folder: Path) -> Engine:
    """An application's own way to the database of a test's folder."""
    url = make_url(address(folder))
    if is_server(folder):
        url = url.set(drivername="postgresql+psycopg")
    return create_engine(url, poolclass=NullPool)
