"""Whoever reads a database leaves no trace of it, live, stopped or killed as it may be."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.store.hand import new, open_store, put
from waqcore.export import read_attempts, read_lane_events, read_messages, snapshot
from waqcore.store.errors import NewerDatabaseError, OlderDatabaseError, StoreError
from waqcore.store.readonly import ReadOnly


@pytest.fixture
def engine() -> str:
    """What is told here is SQLite's alone."""
    return "sqlite"


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'queue.db'}"


Read = Callable[[Path], object]

READS: dict[str, Read] = {
    "messages": lambda folder: list(read_messages(url(folder))),
    "attempts": lambda folder: list(read_attempts(url(folder))),
    "lane events": lambda folder: list(read_lane_events(url(folder))),
    "snapshot": lambda folder: snapshot(url(folder)),
}


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("state", ["open", "closed"])
def test_reading_leaves_no_trace(folder: Path, read: str, state: str) -> None:
    store = open_store(folder)
    put(store, new(1))
    if state == "closed":
        store.close()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    READS[read](folder)

    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    store.close()
    # The index of the log, in shared memory, notes who reads.
    assert after.keys() == before.keys()
    assert [name for name in after if after[name] != before[name]] in ([], ["queue.db-shm"])


def test_what_a_killed_process_left_in_the_log_is_told_too(folder: Path) -> None:
    store = open_store(folder)
    put(store, new(1))
    there = folder / "there"
    there.mkdir()
    left = {name: (folder / name).read_bytes() for name in ("queue.db", "queue.db-wal")}
    for name, content in left.items():
        (there / name).write_bytes(content)
    store.close()

    assert [one.id for one in read_messages(url(there))] == ["m1"]
    assert {name: (there / name).read_bytes() for name in left} == left


def test_a_database_that_is_written_while_it_is_read_as_at_rest_is_read_again(
    folder: Path,
) -> None:
    open_store(folder).close()
    reads: list[int] = []

    def work(connection: Connection) -> int:
        count = connection.exec_driver_sql("SELECT count(*) FROM waq_message").scalar_one()
        if not reads:
            store = open_store(folder)
            put(store, new(1))
            store.close()
        reads.append(count)
        return int(count)

    assert ReadOnly(url(folder)).read(work) == 1
    assert reads == [0, 1]


def test_a_database_opened_and_closed_over_and_over_is_read_all_the_same(folder: Path) -> None:
    open_store(folder).close()
    reads: list[int] = []

    def work(connection: Connection) -> int:
        count = connection.exec_driver_sql("SELECT count(*) FROM waq_message").scalar_one()
        store = open_store(folder)
        put(store, new(len(reads)))
        store.close()
        reads.append(count)
        return int(count)

    assert ReadOnly(url(folder)).read(work) == 5
    assert reads == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("read", READS)
def test_a_database_that_is_not_there_is_told_and_not_made(folder: Path, read: str) -> None:
    with pytest.raises(StoreError, match=r"there is no database .*queue\.db"):
        READS[read](folder)

    assert list(folder.iterdir()) == []


def test_what_is_no_queue_is_told(folder: Path) -> None:
    path = folder / "queue.db"
    path.write_text("a letter, not a database\n" * 100)
    with pytest.raises(StoreError, match=r"queue\.db is not a database"):
        read_messages(url(folder))

    path.unlink()
    with sqlite3.connect(path) as theirs:
        theirs.execute("CREATE TABLE theirs (x)")
    theirs.close()
    with pytest.raises(StoreError, match="is a database, but holds no queue"):
        read_messages(url(folder))

    with pytest.raises(StoreError, match="must name a SQLite file"):
        read_messages("mysql://x/y")


@pytest.mark.parametrize(
    ("revision", "error", "words"),
    [
        ("9999", NewerDatabaseError, "schema 9999.*install the newer waqcore"),
        ("0000", OlderDatabaseError, "schema 0000.*open it once with a command that may write"),
    ],
)
def test_a_database_of_another_version_is_refused(
    folder: Path, revision: str, error: type[StoreError], words: str
) -> None:
    open_store(folder).close()
    with sqlite3.connect(folder / "queue.db") as database:
        database.execute("UPDATE waq_schema_version SET version_num = ?", (revision,))
    database.close()

    with pytest.raises(error, match=words):
        read_messages(url(folder))


def test_an_address_of_unusual_characters_is_read(folder: Path) -> None:
    there = folder / "100% #1 é"
    there.mkdir()
    store = open_store(there)
    put(store, new(1))

    assert [one.id for one in read_messages(url(there))] == ["m1"]
    store.close()
    assert [one.id for one in read_messages(url(there))] == ["m1"]
