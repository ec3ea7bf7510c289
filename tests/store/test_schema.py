"""Migrations make exactly the tables the code knows; a newer database is refused."""

import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.exc import DataError, IntegrityError

from tests.engines import an_engine, is_server
from tests.store.hand import SENDER, new, open_store, put, rows
from waqcore.store import schema
from waqcore.store.errors import NewerDatabaseError
from waqcore.store.store import Store
from waqcore.store.tables import metadata


@pytest.fixture
def template() -> str:
    """Empty: here our tables are made."""
    return "template0"


MIGRATIONS = Path(schema.__file__).parent / "migrations"


def test_the_migrations_make_the_tables_the_code_knows(folder: Path) -> None:
    with _migrated(folder).connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE}
        )

        assert compare_metadata(context, metadata) == []


LISTED = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL",
    "postgresql": """
        SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL
        SELECT table_name || '.' || column_name,
               concat_ws(' ', data_type, is_nullable, column_default)
        FROM information_schema.columns WHERE table_schema = 'public'
    """,
}


def test_the_migrations_make_the_checks_and_indexes_the_code_knows(
    folder: Path, engine: str
) -> None:
    """Alembic compares neither checks nor conditions of indexes nor STRICT: the text does."""
    store = open_store(folder)
    made = {name: _clauses(sql) for name, sql in rows(store, LISTED[engine])}
    store.close()
    _empty(folder)

    with _migrated(folder).connect() as connection:
        migrated = {name: _clauses(sql) for name, sql in connection.execute(text(LISTED[engine]))}

    assert len(migrated) > 20
    assert migrated == made


def _migrated(folder: Path) -> Engine:
    """A database that went through every migration there ever was."""
    made = an_engine(folder)
    with made.begin() as connection:
        schema.migrate(connection, None)
    return made


def _empty(folder: Path) -> None:
    """Take out all there is in a database."""
    if is_server(folder):
        with an_engine(folder).begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
    else:
        (folder / "queue.db").unlink()


def test_an_applications_own_migrations_may_share_the_database(folder: Path) -> None:
    with an_engine(folder).begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num TEXT)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('theirs')"))

    store = open_store(folder)

    assert store.read(schema.revision) == schema.HEAD
    assert rows(store, "SELECT version_num FROM alembic_version") == [("theirs",)]
    store.close()


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_a_database_of_a_newer_waqcore_is_refused_and_left_as_it_is(folder: Path) -> None:
    open_store(folder).close()
    theirs = an_engine(folder)
    with theirs.begin() as connection:
        connection.execute(text("UPDATE waq_schema_version SET version_num = '9999'"))

    with pytest.raises(NewerDatabaseError, match=r"schema 9999.*install the newer waqcore"):
        open_store(folder)

    with theirs.connect() as connection:
        found = connection.scalars(text("SELECT version_num FROM waq_schema_version")).all()
    assert found == ["9999"]


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
    assert rows(stores[0], "SELECT version_num FROM waq_schema_version") == [(schema.HEAD,)]
    assert rows(stores[0], "SELECT sender FROM waq_lane") == [(SENDER,)]
    for store in stores:
        store.close()


@pytest.mark.parametrize(
    "nonsense",
    [
        "UPDATE waq_message SET state = 'lost'",
        "UPDATE waq_message SET state = 'sending'",
        "UPDATE waq_message SET lease_token = 't'",
        "UPDATE waq_message SET priority = 4",
        "UPDATE waq_message SET priority = 'high'",
        "UPDATE waq_message SET on_unknown = 'perhaps'",
        "UPDATE waq_message SET unresolved = 2",
        "UPDATE waq_message SET send_at = 10, expires_at = 10",
        "UPDATE waq_message SET enqueued_at = 'today'",
        "UPDATE waq_message SET body = NULL",
        "UPDATE waq_message SET seq = 1, id = 'm2' WHERE id = 'm1'",
        "INSERT INTO waq_attempt (message_seq, number, token, started_at) VALUES (1, 0, 't', 1)",
        "INSERT INTO waq_attempt (message_seq, number, token, started_at) VALUES (99, 1, 't', 1)",
        "INSERT INTO waq_attempt (message_seq, number, token, started_at, outcome)"
        " VALUES (1, 1, 't', 1, 'accepted')",
        "UPDATE waq_lane SET lease_token = 't'",
        "UPDATE waq_lane SET lease_message = 1",
        "UPDATE waq_lane SET lease_holder = 'd1'",
        "UPDATE waq_lane SET pause_by = 'nobody'",
        "UPDATE waq_lane SET paced_until = NULL",
        "INSERT INTO waq_clock VALUES (2, 'boot', 0, 0)",
    ],
)
def test_the_database_refuses_nonsense(folder: Path, nonsense: str) -> None:
    store = open_store(folder)
    put(store, new(1), new(2))

    with pytest.raises((IntegrityError, DataError)):
        store.write(lambda connection: connection.exec_driver_sql(nonsense))

    store.close()


def test_deleting_a_message_takes_its_attempts_along(folder: Path) -> None:
    store = open_store(folder)
    put(store, new(1))
    for statement in (
        "INSERT INTO waq_attempt (message_seq, number, token, started_at) VALUES (1, 1, 't', 1)",
        "DELETE FROM waq_message",
    ):
        store.write(lambda connection, one=statement: connection.exec_driver_sql(one))  # type: ignore[misc]

    assert rows(store, "SELECT count(*) FROM waq_attempt") == [(0,)]
    store.close()


def test_a_new_message_has_the_largest_sequence_number(folder: Path) -> None:
    store = open_store(folder)
    put(store, new(1), new(2), new(3))
    store.write(
        lambda connection: connection.exec_driver_sql("DELETE FROM waq_message WHERE seq = 2")
    )
    put(store, new(4))

    assert rows(store, "SELECT seq, id FROM waq_message") == [(1, "m1"), (3, "m3"), (4, "m4")]
    store.close()


def _clauses(sql: str) -> list[str]:
    """The words of a statement in an order of their own: migrations add constraints by name."""
    return sorted(
        sql.replace("(", " ").replace(")", " ").replace(",", " ").replace('"', "").split()
    )
