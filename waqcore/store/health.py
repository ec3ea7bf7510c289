"""How a database is, seen without changing it: can it be read, written, trusted?"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from sqlalchemy import Connection, Engine, NullPool, create_engine, text, update
from sqlalchemy.exc import SQLAlchemyError

from waqcore.store import schema, steady
from waqcore.store.address import is_server, path_of, server_of
from waqcore.store.errors import StoreError
from waqcore.store.steady import Setting
from waqcore.store.tables import clock

WAIT_S = 5
"""Seconds to wait for a lock or a server before it is called out of reach."""

CHECKED_BYTES_MAX = 1_000_000_000
"""A larger file is not read through: that would take longer than somebody waits for an answer."""


class Health(NamedTuple):
    """What was found."""

    revision: str | None
    """The schema's; None: there are no tables of ours yet, or the file is broken."""
    fault: str = ""
    """Why it cannot be written to; empty: it can."""
    broken: str = ""
    """What is wrong with the file; empty: nothing, or it was not looked at."""
    server: str = ""
    """The server's version; empty: it is a file."""
    clocks: Setting | None = None
    """How the clocks stood when somebody last looked; None: nobody has, the schema is older, or
    it is a server, whose own clock rules."""

    def usable(self) -> bool:
        """Whether it can be opened as it is, without an upgrade."""
        return self.revision == schema.HEAD and not self.broken


def look(url: str) -> Health:
    """Look at a database.

    Raises:
        StoreError: it cannot be reached or read.
    """
    try:
        return _server(url) if is_server(url) else _file(path_of(url))
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise StoreError(_said(error)) from error


def _file(path: Path) -> Health:
    address = f"file:{quote(str(path.resolve()))}?mode=rw"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, timeout=WAIT_S, isolation_level=None)

    with closing(connect()) as connection:
        broken = _broken(connection) if path.stat().st_size <= CHECKED_BYTES_MAX else ""
    if broken:
        return Health(None, broken=broken)
    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    with engine.connect() as reading:
        revision = schema.revision(reading)
        clocks = steady.known(reading) if revision == schema.HEAD else None
    return Health(revision, _fault(engine, revision, "BEGIN IMMEDIATE"), clocks=clocks)


def _broken(connection: sqlite3.Connection) -> str:
    try:
        ((said, *_), *_) = connection.execute("PRAGMA quick_check(1)")
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorname != "SQLITE_CORRUPT":
            raise
        return str(error)
    return "" if said == "ok" else " ".join(str(said).split())


def _server(url: str) -> Health:
    engine = create_engine(
        server_of(url),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"connect_timeout": WAIT_S},
    )
    with engine.connect() as reading:
        revision = schema.revision(reading)
        server = str(reading.scalar(text("SHOW server_version")))
    return Health(revision, _fault(engine, revision, None), server=server)


def _fault(engine: Engine, revision: str | None, begin: str | None) -> str:
    """Why nothing can be written; a write is tried, and taken back."""
    if revision is None:
        return ""  # There is no table to try it on.
    try:
        with _taken_back(engine, begin) as connection:
            connection.execute(update(clock).values(only=1))
    except (SQLAlchemyError, sqlite3.Error) as error:
        return _said(error)
    return ""


def _said(error: Exception) -> str:
    """The driver's own words, of which the first line says it."""
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


@contextmanager
def _taken_back(engine: Engine, begin: str | None) -> Iterator[Connection]:
    with engine.connect() as connection:
        if begin is not None:  # sqlite3 itself would not begin before the first change.
            connection.exec_driver_sql(begin)
        try:
            yield connection
        finally:
            connection.rollback()
            if begin is not None and (driver := connection.connection.driver_connection):
                driver.rollback()
