"""One database, of whichever engine: durable writes, many in one commit, reads beside them."""

from collections.abc import Hashable
from typing import Protocol

from sqlalchemy import Engine

from waqcore.store.address import is_server, path_of
from waqcore.store.commit import Item, JointWork, T, Work
from waqcore.store.file import File

__all__ = ["Database", "open_database", "path_of"]


class Database(Protocol):
    """What the store needs of an engine."""

    @property
    def engine(self) -> Engine:
        """Where connections come from."""
        ...

    def write(self, work: Work[T]) -> T:
        """Run work in a write transaction and return once it is on disk.

        Work may run more than once, so it must have no effect but through its connection.

        Raises:
            StoreError: the database cannot be written to; the text says why and what to do.
        """
        ...

    def write_jointly(self, work: JointWork[Item, T], item: Item) -> T:
        """As `write`, with the items of all callers who wait with the same work done as one.

        Raises:
            StoreError: as `write`.
        """
        ...

    def autocommit(self, work: Work[T]) -> T:
        """Run work that is whole after each of its statements, which may commit by themselves.

        Raises:
            StoreError: as `write`; a `DoubtfulCommitError` where the last statement may be stored.
        """
        ...

    def read(self, work: Work[T]) -> T:
        """Run work that only reads, on one consistent snapshot."""
        ...

    def data_version(self) -> Hashable | None:
        """What changes when another connection commits; None: it cannot be told just now.

        Raises:
            StoreError: the database cannot be read.
        """
        ...

    def close(self) -> None:
        """Let go of every connection."""
        ...


def open_database(url: str) -> Database:
    """Open the database at a URL: `sqlite:///waqcore.db` or `postgresql://user@host/queue`.

    Raises:
        StoreError: the URL is not one, or the database cannot be used; the text says what to do.
    """
    if not is_server(url):
        return File(url)
    # Imported here: whoever works with a file needs no client of a server.
    from waqcore.store.server import Server

    return Server(url)
