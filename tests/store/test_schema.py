"""Migrations make exactly the tables the code knows; a newer database is refused."""

import sqlite3
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import IntegrityError

from tests.store.hand import SENDER, new, open_store, put, rows
from waqcore.store import schema
from waqcore.store.errors import NewerDatabaseError
from waqcore.store.store import Store
from waqcore.store.tables import metadata

MIGRATIONS = Path(schema.__file__).parent / "migrations"


def test_the_migrations_make_the_tables_the_code_knows(folder: Path) -> None:
    store = open_store(folder)

    differences = store.read(
        lambda connection: compare_metadata(MigrationContext.configure(connection), metadata)
    )

    assert differences == []
    store.close()


def test_the_migrations_make_the_checks_and_indexes_the_code_knows(folder: Path) -> None:
    """Alembic compares neither checks nor conditions of indexes nor STRICT: the text does."""
    store = open_store(folder)
    fresh = sqlite3.connect(folder / "fresh.db")
    from sqlalchemy import create_engine

    engine = create_engine(f"sqlite:///{folder / 'fresh.db'}")
    metadata.create_all(engine)
    engine.dispose()

    listed = (
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'"
    )
    migrated = {name: _clauses(sql) for name, sql in rows(store, listed)}
    known = {name: _clauses(sql) for name, sql in fresh.execute(listed)}
    fresh.close()
    store.close()

    assert migrated == known


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_a_database_of_a_newer_waqcore_is_refused_and_left_as_it_is(folder: Path) -> None:
    open_store(folder).close()
    path = folder / "queue.db"
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    with pytest.raises(NewerDatabaseError, match=r"schema 9999.*install the newer waqcore"):
        open_store(folder)

    connection = sqlite3.connect(path)
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
    connection.close()


@pytest.mark.parametrize("attempt", range(15))
def test_all_who_open_an_empty_database_at_once_get_one_schema(folder: Path, attempt: int) -> None:
    """Some rounds of it: without a lock about one in fifteen fails, as SQLite changes to WAL."""
    barrier = threading.Barrier(4)
    stores: list[Store] = []

    def open_at_once() -> None:
        barrier.wait()
        stores.append(open_store(folder))

    threads = [threading.Thread(target=open_at_once) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(stores) == 4
    assert rows(stores[0], "SELECT version_num FROM alembic_version") == [(schema.HEAD,)]
    assert rows(stores[0], "SELECT sender FROM lane") == [(SENDER,)]
    for store in stores:
        store.close()


@pytest.mark.parametrize(
    "nonsense",
    [
        "UPDATE message SET state = 'lost'",
        "UPDATE message SET state = 'sending'",
        "UPDATE message SET lease_token = 't'",
        "UPDATE message SET priority = 4",
        "UPDATE message SET priority = 'high'",
        "UPDATE message SET on_unknown = 'perhaps'",
        "UPDATE message SET unresolved = 2",
        "UPDATE message SET send_at = 10, expires_at = 10",
        "UPDATE message SET enqueued_at = 'today'",
        "UPDATE message SET body = NULL",
        "UPDATE message SET seq = 1, id = 'm2' WHERE id = 'm1'",
        "INSERT INTO attempt (message_seq, number, token, started_at) VALUES (1, 0, 't', 1)",
        "INSERT INTO attempt (message_seq, number, token, started_at) VALUES (99, 1, 't', 1)",
        "INSERT INTO attempt (message_seq, number, token, started_at, outcome)"
        " VALUES (1, 1, 't', 1, 'accepted')",
        "UPDATE lane SET lease_token = 't'",
        "UPDATE lane SET lease_message = 1",
        "UPDATE lane SET lease_holder = 'd1'",
        "UPDATE lane SET pause_by = 'nobody'",
        "UPDATE lane SET paced_until = NULL",
        "INSERT INTO clock VALUES (2, 'boot', 0, 0)",
    ],
)
def test_the_database_refuses_nonsense(folder: Path, nonsense: str) -> None:
    store = open_store(folder)
    put(store, new(1), new(2))

    with pytest.raises(IntegrityError):
        store.write(lambda connection: connection.exec_driver_sql(nonsense))

    store.close()


def test_deleting_a_message_takes_its_attempts_along(folder: Path) -> None:
    store = open_store(folder)
    put(store, new(1))
    for statement in (
        "INSERT INTO attempt (message_seq, number, token, started_at) VALUES (1, 1, 't', 1)",
        "DELETE FROM message",
    ):
        store.write(lambda connection, one=statement: connection.exec_driver_sql(one))  # type: ignore[misc]

    assert rows(store, "SELECT count(*) FROM attempt") == [(0,)]
    store.close()


def test_a_new_message_has_the_largest_sequence_number(folder: Path) -> None:
    store = open_store(folder)
    put(store, new(1), new(2), new(3))
    store.write(lambda connection: connection.exec_driver_sql("DELETE FROM message WHERE seq = 2"))
    put(store, new(4))

    assert rows(store, "SELECT seq, id FROM message") == [(1, "m1"), (3, "m3"), (4, "m4")]
    store.close()


def _clauses(sql: str) -> list[str]:
    """The words of a statement in an order of their own: migrations add constraints by name."""
    return sorted(
        sql.replace("(", " ").replace(")", " ").replace(",", " ").replace('"', "").split()
    )
