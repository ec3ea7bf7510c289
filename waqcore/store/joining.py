"""A caller's own transaction, whatever library began it, as a connection that writes into it.

It is borrowed: nothing here commits it, rolls it back or closes it.
"""

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, StaticPool

from waqcore.store.errors import StoreError


@contextmanager
def joined(theirs: object, ours: Engine) -> Iterator[Connection]:
    """The transaction of a SQLAlchemy connection or session, or of a psycopg, sqlite3 or Django
    connection.

    Raises:
        StoreError: it is none of these, is of another engine or driver than ours, or has no
            transaction open.
    """
    found = _sqlalchemys(theirs)
    if found is not None:
        _refuse_other_engine(found.dialect.name, ours)
        _refuse_other_driver(found.dialect, ours)
        yield found
        return
    driver = _drivers(theirs)
    _refuse_other_engine("sqlite" if isinstance(driver, sqlite3.Connection) else "postgresql", ours)
    _refuse_none_open(driver)
    # With our dialect, which knows the server already: a new one would ask, and roll back after it.
    pool = StaticPool(lambda: _Borrowed(driver), reset_on_return=None)
    with Engine(pool, ours.dialect, ours.url, hide_parameters=True).connect() as connection:
        yield connection


class _Borrowed:
    """A driver's connection whose end is its owner's affair."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    def cursor(self, *_: Any, **__: Any) -> Any:
        """A cursor that gives rows as tuples, whatever the owner's own give."""
        if isinstance(self._driver, sqlite3.Connection):
            cursor = self._driver.cursor()
            cursor.row_factory = None
            return cursor
        psycopg = sys.modules["psycopg"]
        return psycopg.Cursor(self._driver, row_factory=psycopg.rows.tuple_row)

    def commit(self) -> None:
        """Nothing: the owner commits."""

    def rollback(self) -> None:
        """Nothing: the owner does."""

    def close(self) -> None:
        """Nothing: the owner does."""


def _sqlalchemys(theirs: object) -> Connection | None:
    if isinstance(theirs, Connection):
        return theirs
    # Whoever has a session has loaded this; nobody else needs it.
    orm = sys.modules.get("sqlalchemy.orm")
    if orm is not None and isinstance(theirs, orm.Session | orm.scoped_session):
        connection: Connection = theirs.connection()
        return connection
    return None


def _drivers(theirs: object) -> Any:
    if callable(getattr(theirs, "ensure_connection", None)):  # Django's, or its proxy for one.
        theirs.ensure_connection()  # type: ignore[attr-defined]
        theirs = theirs.connection  # type: ignore[attr-defined]
    psycopg = sys.modules.get("psycopg")
    if isinstance(theirs, sqlite3.Connection) or (
        psycopg is not None and isinstance(theirs, psycopg.Connection)
    ):
        return theirs
    raise StoreError(
        f"connection= takes a SQLAlchemy connection or session, or a psycopg, sqlite3 or Django "
        f"connection, not {type(theirs).__name__}"
    )


def _refuse_other_engine(name: str, ours: Engine) -> None:
    if name != ours.dialect.name:
        raise StoreError(
            f"connection= is of {name}, and the queue is in {ours.dialect.name}: "
            "one transaction cannot be of both"
        )


def _refuse_other_driver(theirs: Dialect, ours: Engine) -> None:
    # Those of PostgreSQL differ in how statements state their values.
    if theirs.name == "postgresql" and theirs.driver != ours.dialect.driver:
        raise StoreError(
            f"connection= is of the driver {theirs.driver}, and the queue writes through "
            f"{ours.dialect.driver}: connect to postgresql+{ours.dialect.driver}://..."
        )


def _refuse_none_open(driver: Any) -> None:
    if isinstance(driver, sqlite3.Connection):
        by_itself = driver.isolation_level is None and not driver.in_transaction
    else:
        idle = driver.info.transaction_status == sys.modules["psycopg"].pq.TransactionStatus.IDLE
        by_itself = driver.autocommit and idle
    if by_itself:
        raise StoreError(
            "connection= commits each statement by itself: begin a transaction first "
            "(Django: `with transaction.atomic():`)"
        )
