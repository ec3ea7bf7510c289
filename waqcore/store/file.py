"""A SQLite file: durable write transactions, many in one commit, and reads beside them."""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError

from waqcore.store.address import path_of
from waqcore.store.commit import GroupCommit, Item, JointWork, T, Work
from waqcore.store.errors import StoreError, UnwritableDatabaseError

BUSY_TIMEOUT_S = 30
"""How long SQLite itself waits for a lock, in seconds. Only writers that bypass the lock file (a
caller's own transaction, a backup) ever make it wait."""

READ_CACHE_KIB = 256
"""What a connection that reads keeps of the file, in KiB. The commits of others make it forget all
of it, so that more serves one read alone: looks at 300,000 messages were measured to take as long
as with SQLite's own 2,000. But each thread's allocator keeps what it once gave, and a service whose
database had grown to 16 MB held 20 MB more for it."""
WRITE_CACHE_KIB = 1_000
"""The same for the one that writes. What a commit changes should fit in: 128 messages, the most
that the service stores in one, change 880. With 500 a thousand at once were measured to write half
as much again, with 1,000 a twentieth more."""

LOG_PAGES = 4_000
"""Pages of 4 KiB in the log beside the file before a commit copies them into it. Messages of many
senders change a page each, and the same pages again and again: with SQLite's own 1,000 a hundred
messages of as many senders were measured to take a quarter longer at the mean. The longest
commits, those that copy, took 13 ms so and 14 with this many."""

PRIVATE = 0o600
"""The rights of a new file: it holds numbers and texts."""


class File:
    """A database file and this process's one writing connection to it.

    Concurrent writers share commits. Between processes a lock file keeps the turns fair: SQLite's
    own busy handler was measured to starve one process for 5 to 18 s beside another that commits
    in a loop.
    """

    def __init__(self, url: str) -> None:
        """Open the database at an SQLAlchemy URL, such as `sqlite:///waqcore.db`.

        Raises:
            StoreError: the URL is not one, names no file, or its folder cannot be written to.
        """
        self.path = path_of(url)
        self.engine = _engine(url, self.path)
        try:
            # Kept open as long as the database: the lock is this descriptor's.
            self._lock_file = Path(f"{self.path}.lock").open("ab")  # noqa: SIM115
        except OSError as error:
            raise _explained(error, self.path) from error
        try:
            with self._locked():  # A new file is switched to WAL, for which SQLite does not wait.
                if not self.path.exists():
                    self.path.touch(PRIVATE)  # SQLite would let everybody on the machine read it.
                self._connection = self.engine.connect().execution_options(waq_write=True)
                driver = self._connection.connection.driver_connection
                assert driver is not None
                self._driver: sqlite3.Connection = driver
                _keep(driver, WRITE_CACHE_KIB)
        except (OSError, DatabaseError) as error:
            self._lock_file.close()
            raise _explained(error, self.path) from error
        self._commits = GroupCommit(self._transaction, partial(_explained, path=self.path))

    def write(self, work: Work[T]) -> T:
        """Run work in a write transaction and return once it is on disk.

        Work may run twice (again alone, where it shared a commit with work that failed), so it
        must have no effect but through its connection.

        Raises:
            UnwritableDatabaseError: the disk is full or read-only; nothing was stored.
        """
        return self.write_jointly(lambda connection, _: (work(connection),), None)

    def autocommit(self, work: Work[T]) -> T:
        """As `write`: a file has no trips to save.

        Raises:
            UnwritableDatabaseError: the disk is full or read-only; nothing was stored.
        """
        return self.write(work)

    def write_jointly(self, work: JointWork[Item, T], item: Item) -> T:
        """As `write`, with the items of all callers who wait with the same work done as one.

        Raises:
            UnwritableDatabaseError: the disk is full or read-only; nothing was stored.
        """
        return self._commits.take_part(work, item)

    def read(self, work: Work[T]) -> T:
        """Run work that only reads, on one consistent snapshot."""
        with self.engine.connect() as connection:
            return work(connection)

    def data_version(self) -> int | None:
        """A number that changes when another connection commits; None while ours is in use.

        Raises:
            StoreError: the database cannot be read.
        """

        def look() -> int:
            cursor = self._connection.connection.cursor()
            try:
                version: int = cursor.execute("PRAGMA data_version").fetchone()[0]
            except sqlite3.Error as error:
                raise StoreError(f"the database {self.path} cannot be read: {error}") from error
            finally:
                cursor.close()
            return version

        return self._commits.alone(look)

    def close(self) -> None:
        """Let go of every connection and of the lock file."""
        self._connection.close()
        self.engine.dispose()
        self._lock_file.close()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        # Begun and committed at the driver: through SQLAlchemy a durable enqueue was measured to
        # take a tenth longer. It holds the write lock from its start, since it may read first.
        with self._locked():
            _begin(self._driver, "BEGIN IMMEDIATE", self.path)
            try:
                yield self._connection
                self._driver.execute("COMMIT")
            except BaseException:
                if self._driver.in_transaction:
                    self._driver.execute("ROLLBACK")
                raise

    @contextmanager
    def _locked(self) -> Iterator[None]:
        fcntl.flock(self._lock_file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock_file, fcntl.LOCK_UN)


def _engine(url: str, path: Path) -> Engine:
    if not path.parent.is_dir():
        raise StoreError(f"the folder of the database does not exist: {path.parent}; create it")
    engine = create_engine(
        url,
        hide_parameters=True,
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # We begin transactions ourselves, below.
        cursor = connection.cursor()
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            f"wal_autocheckpoint = {LOG_PAGES}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        _keep(connection, READ_CACHE_KIB)
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("waq_write", False):
            return  # Its transactions begin and end in `_transaction`.
        driver = connection.connection.driver_connection
        assert driver is not None
        _begin(driver, "BEGIN", path)

    return engine


def _keep(driver: sqlite3.Connection, kib: int) -> None:
    driver.execute(f"PRAGMA cache_size = {-kib}")  # Below zero it is KiB, above it is pages.


def _begin(driver: sqlite3.Connection, statement: str, path: Path) -> None:
    try:
        driver.execute(statement)
    except sqlite3.Error as error:
        raise UnwritableDatabaseError(
            f"the database {path} is not to be had ({error}): nothing was stored; look for "
            f"another program that holds it locked for more than {BUSY_TIMEOUT_S} s"
        ) from error


def _explained(error: BaseException, path: Path) -> BaseException:
    """Turn what a full or read-only disk raises into what to do about it."""
    if isinstance(error, OSError):
        return UnwritableDatabaseError(
            f"cannot write beside the database {path}: {error.strerror}; "
            "check the folder's rights and that its disk is not read-only"
        )
    name = getattr(getattr(error, "orig", error), "sqlite_errorname", "")
    if name == "SQLITE_FULL":
        return UnwritableDatabaseError(
            f"the disk of {path} is full: nothing was stored; free some space and try again"
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_IOERR")):
        return UnwritableDatabaseError(
            f"the database {path} cannot be written to ({name}): nothing was stored; "
            "check its rights, and that its disk is not read-only or full"
        )
    if name == "SQLITE_NOTADB":
        return StoreError(f"{path} is not a database; name another file in WAQ_DATABASE_URL")
    return error
