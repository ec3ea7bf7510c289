"""A table of numbers in a database of either engine, to test the database itself."""

from pathlib import Path

from sqlalchemy import Connection, text

from tests.engines import address
from waqcore.store.database import Database, open_database


def a_table(folder: Path) -> Database:
    """The database of a folder, with an empty table."""
    database = open_database(address(folder))
    database.write(lambda c: c.exec_driver_sql("CREATE TABLE t (n INTEGER UNIQUE)"))
    return database


def insert(connection: Connection, n: int) -> int:
    """Add a number."""
    connection.execute(text("INSERT INTO t VALUES (:n)"), {"n": n})
    return n


def held(database: Database) -> list[int]:
    """The numbers there are."""
    return database.read(
        lambda c: list(c.exec_driver_sql("SELECT n FROM t ORDER BY n").scalars().all())
    )
