"""What is SQLite's alone: the file itself, its lock, and what to do where it cannot be used."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.engines import address
from tests.store.hand import new, open_store, put
from tests.store.plain import a_table, held, insert
from waqcore.export import read_messages
from waqcore.store.database import open_database
from waqcore.store.errors import StoreError, UnwritableDatabaseError
from waqcore.store.file import File

ROOT = Path(__file__).parents[2]


@pytest.fixture
def engine() -> str:
    """What is told here is SQLite's alone."""
    return "sqlite"


def test_the_data_version_changes_with_the_commits_of_others_alone(folder: Path) -> None:
    ours = a_table(folder)
    others = File(f"sqlite:///{folder / 'queue.db'}")
    before = ours.data_version()

    ours.write(lambda c: insert(c, 1))
    after_ours = ours.data_version()
    others.write(lambda c: insert(c, 2))
    after_others = ours.data_version()

    assert before == after_ours
    assert after_others != before
    ours.close()
    others.close()


def test_the_file_is_durable_and_read_beside_a_writer(folder: Path) -> None:
    store = open_store(folder)

    def pragma(name: str) -> object:
        return store.write(lambda c: c.exec_driver_sql(f"PRAGMA {name}").scalar_one())

    assert pragma("journal_mode") == "wal"
    assert pragma("synchronous") == 2  # FULL: a commit survives a power cut.
    assert pragma("foreign_keys") == 1
    store.close()


READERS = """
import sys, threading
import psutil
from waqcore.store.file import File

database, together = File(sys.argv[1]), threading.Barrier(9)

def read(connection):
    connection.exec_driver_sql("SELECT count(*) FROM t").scalar_one()
    together.wait()
    connection.exec_driver_sql("SELECT count(*) FROM t WHERE body LIKE '%y'").scalar_one()
    together.wait()

threads = [threading.Thread(target=database.read, args=(read,)) for _ in range(8)]
for thread in threads:
    thread.start()
together.wait()
before = psutil.Process().memory_info().rss
together.wait()
print(psutil.Process().memory_info().rss - before)
"""


def test_what_readers_hold_does_not_grow_with_the_file(folder: Path) -> None:
    """Eight that each keep 2,000 KiB of it, as SQLite would have them, hold 16 MiB more."""
    database = a_table(folder)
    database.write(lambda c: c.exec_driver_sql("ALTER TABLE t ADD body TEXT"))
    rows = [(n, "x" * 200) for n in range(20_000)]
    database.write(lambda c: c.exec_driver_sql("INSERT INTO t VALUES (?, ?)", rows))
    database.close()

    told = subprocess.run(
        [sys.executable, "-c", READERS, address(folder)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=True,
    ).stdout

    assert int(told) < 8 * 1024 * 1024


def test_a_connection_that_writes_keeps_more_than_one_that_reads(folder: Path) -> None:
    database = a_table(folder)

    def kept(connection: Connection) -> int:
        return -int(connection.exec_driver_sql("PRAGMA cache_size").scalar_one())

    assert (database.write(kept), database.read(kept)) == (1_000, 256)
    database.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://x/y"])
def test_a_url_that_names_no_file_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="must name a SQLite file"):
        open_database(url)


def test_a_text_that_is_no_url_is_refused() -> None:
    with pytest.raises(StoreError, match=r"not a database URL: 'queue\.db'"):
        open_database("queue.db")


def test_a_password_in_a_refused_url_is_not_shown() -> None:
    with pytest.raises(StoreError) as caught:
        open_database("mysql://waq:secret@localhost/queue?password=secret")

    assert "secret" not in str(caught.value)


def test_a_folder_that_does_not_exist_is_named(folder: Path) -> None:
    with pytest.raises(StoreError, match=r"folder of the database does not exist: .*missing"):
        File(f"sqlite:///{folder / 'missing' / 'queue.db'}")


def test_a_file_that_is_no_database_is_named_and_left_as_it_is(folder: Path) -> None:
    path = folder / "notes.txt"
    path.write_text("Dear diary, this is not a database.\n" * 100)

    with pytest.raises(StoreError, match=r"notes\.txt is not a database"):
        File(f"sqlite:///{path}")

    assert path.read_text().startswith("Dear diary")


def test_a_folder_where_no_file_can_be_made_is_named(folder: Path) -> None:
    (folder / "queue.db.lock").mkdir()

    with pytest.raises(StoreError, match="cannot write beside the database"):
        File(f"sqlite:///{folder / 'queue.db'}")


def test_a_database_that_another_program_holds_locked_is_named(folder: Path) -> None:
    database = a_table(folder)
    assert isinstance(database, File)
    database.write(lambda connection: connection.exec_driver_sql("PRAGMA busy_timeout = 0"))
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(UnwritableDatabaseError, match="locked"):
        database.write(lambda connection: insert(connection, 1))

    other.execute("ROLLBACK")
    other.close()
    database.write(lambda connection: insert(connection, 2))
    assert held(database) == [2]
    database.close()


def test_no_snapshot_is_held_between_portions(folder: Path) -> None:
    """Else the log could not be emptied, and would grow for as long as an export is piped into
    something slow."""
    store = open_store(folder)
    put(store, *(new(n) for n in range(2, 10_002)))
    records = read_messages(address(folder))
    next(records)
    put(store, new(1))

    def checkpoint(connection: Connection) -> tuple[int, ...]:
        return tuple(connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one())

    with store.database.engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        busy, *_ = checkpoint(connection)
    assert busy == 0
    assert len(list(records)) == 9_999
    store.close()
