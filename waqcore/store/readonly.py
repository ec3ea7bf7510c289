"""A database read without a trace: nothing is created, upgraded or written, and no lock is kept."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DatabaseError

from waqcore.store import schema
from waqcore.store.address import is_server, path_of
from waqcore.store.commit import T, Work
from waqcore.store.errors import NewerDatabaseError, OlderDatabaseError, StoreError
from waqcore.store.file import BUSY_TIMEOUT_S

RESTS_MAX = 5
"""Tries to read a database at rest before it is read as one in use: whoever opens and closes it
over and over would else keep a long read from ever ending."""

_Rest = tuple[int, int]


class ReadOnly:
    """A database that somebody else may be writing to."""

    def __init__(self, url: str) -> None:
        """Look at the database at a URL: `sqlite:///waqcore.db` or `postgresql://user@host/queue`.

        Raises:
            StoreError: there is none, it is not waqcore's, or it is of another version.
        """
        self._source = _server(url) if is_server(url) else _File(url)
        _refuse_other_schema(self.read(schema.revision), self._source.name)

    def read(self, work: Work[T]) -> T:
        """Run work that only reads, on one consistent snapshot.

        It may run twice, so it must have no effect but its result.

        Raises:
            StoreError: the database cannot be read.
        """
        return self._source.read(work)


class _Source(Protocol):
    @property
    def name(self) -> str: ...

    def read(self, work: Work[T]) -> T: ...


def _server(url: str) -> _Source:
    # Imported here: whoever reads a file needs no client of a server.
    from waqcore.store.server import ReadServer

    return ReadServer(url)


class _File:
    """A file, read so that not even those beside it change."""

    def __init__(self, url: str) -> None:
        self.path = path_of(url)
        self._at_rest = _engine(self.path, "mode=ro&immutable=1")
        self._in_use = _engine(self.path, "mode=ro")
        if not self.path.is_file():
            raise StoreError(f"there is no database {self.path}: is WAQ_DATABASE_URL right?")

    @property
    def name(self) -> str:
        """What it is called where it is refused."""
        return str(self.path)

    def read(self, work: Work[T]) -> T:
        """Run work that only reads; twice, if the file changes meanwhile."""
        for _ in range(RESTS_MAX):
            rest = _rest(self.path)
            if rest is None:
                break
            # A reader of a database in WAL leaves two files beside one that nobody had open, and
            # they are its own: whoever writes next might not be allowed to touch them. So one at
            # rest is read as if it could not change, and once more if it did.
            try:
                result = _run(self._at_rest, work)
            except DatabaseError as error:
                if _rest(self.path) == rest:
                    raise self._unreadable(error) from error
                continue
            if _rest(self.path) == rest:
                return result
        try:
            return _run(self._in_use, work)
        except DatabaseError as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: DatabaseError) -> StoreError:
        if getattr(error.orig, "sqlite_errorname", "") == "SQLITE_NOTADB":
            return StoreError(f"{self.path} is not a database: is WAQ_DATABASE_URL right?")
        return StoreError(
            f"the database {self.path} cannot be read ({error.orig}): check its rights, "
            "and those of the files beside it"
        )


def _rest(path: Path) -> _Rest | None:
    """How a file stands that nobody has open; None: somebody has, or left it without closing it."""
    if any(Path(f"{path}{suffix}").exists() for suffix in ("-wal", "-journal")):
        return None
    try:
        seen = path.stat()
    except OSError:
        return None  # Gone: to open it will say so.
    return seen.st_mtime_ns, seen.st_size


def _run(engine: Engine, work: Work[T]) -> T:
    with engine.connect() as connection:
        return work(connection)


def _engine(path: Path, how: str) -> Engine:
    address = f"{path.resolve().as_uri()}?{how}"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            address, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )

    # Opened for each read and closed after it: a snapshot that is kept lets the log grow.
    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        with closing(driver.cursor()) as cursor:
            cursor.execute("BEGIN")

    return engine


def _refuse_other_schema(found: str | None, name: str) -> None:
    if found is None:
        raise StoreError(f"{name} is a database, but holds no queue: is WAQ_DATABASE_URL right?")
    # Migrations are numbered, and to ask Alembic for their order would cost 10 MB.
    if found > schema.HEAD:
        raise NewerDatabaseError(found, schema.HEAD)
    if found < schema.HEAD:
        raise OlderDatabaseError(found, schema.HEAD)
