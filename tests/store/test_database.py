"""The file itself: durable, shared fairly, refused with a clear line where it cannot be used."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.store.hand import new, open_store, put, rows
from waqcore.store.database import Database
from waqcore.store.errors import StoreError, UnwritableDatabaseError

ROOT = Path(__file__).parents[2]


def a_table(folder: Path) -> Database:
    database = Database(f"sqlite:///{folder / 'queue.db'}")
    database.write(lambda c: c.exec_driver_sql("CREATE TABLE t (n INTEGER UNIQUE)"))
    return database


def insert(connection: Connection, n: int) -> int:
    connection.exec_driver_sql("INSERT INTO t VALUES (?)", (n,))
    return n


def held(database: Database) -> list[int]:
    return database.read(
        lambda c: list(c.exec_driver_sql("SELECT n FROM t ORDER BY n").scalars().all())
    )


def test_writes_of_many_threads_all_arrive_and_each_hears_its_own_result(folder: Path) -> None:
    database = a_table(folder)
    heard: dict[int, int] = {}

    def write(start: int) -> None:
        for n in range(start, start + 50):
            heard[n] = database.write(lambda c, n=n: insert(c, n))  # type: ignore[misc]

    _all_at_once(write, [n * 50 for n in range(8)])

    assert held(database) == list(range(400))
    assert heard == {n: n for n in range(400)}
    database.close()


def test_writers_who_wait_share_one_commit(folder: Path) -> None:
    database = a_table(folder)
    commits: list[Sequence[int]] = []

    def note(connection: Connection, items: Sequence[int]) -> list[int]:
        commits.append(items)
        return [insert(connection, n) for n in items]

    _behind_a_slow_write(database, lambda n: database.write_jointly(note, n), 20)

    assert len(commits) == 1
    assert held(database) == list(range(20))
    database.close()


def test_a_write_that_fails_fails_its_own_caller_and_no_neighbour(folder: Path) -> None:
    database = a_table(folder)
    errors: dict[int, str] = {}

    def work(connection: Connection, items: Sequence[int]) -> list[int]:
        if 7 in items:
            raise ValueError("seven")
        return [insert(connection, n) for n in items]

    def write(n: int) -> None:
        try:
            assert database.write_jointly(work, n) == n
        except ValueError as error:
            errors[n] = str(error)

    _behind_a_slow_write(database, write, 12)

    assert errors == {7: "seven"}
    assert held(database) == [n for n in range(12) if n != 7]
    database.close()


def test_work_that_fails_leaves_nothing_behind_and_the_next_goes_on(folder: Path) -> None:
    database = a_table(folder)

    def half(connection: Connection) -> None:
        insert(connection, 1)
        raise ValueError("halfway")

    with pytest.raises(ValueError, match="halfway"):
        database.write(half)
    database.write(lambda c: insert(c, 2))

    assert held(database) == [2]
    database.close()


def test_a_read_sees_one_snapshot_while_others_write(folder: Path) -> None:
    database = a_table(folder)
    database.write(lambda c: insert(c, 1))

    def look(connection: Connection) -> tuple[int, int]:
        count = "SELECT count(*) FROM t"
        before = connection.exec_driver_sql(count).scalar_one()
        database.write(lambda c: insert(c, 2))
        return before, connection.exec_driver_sql(count).scalar_one()

    assert database.read(look) == (1, 1)
    assert held(database) == [1, 2]
    database.close()


def test_the_data_version_changes_with_the_commits_of_others_alone(folder: Path) -> None:
    ours = a_table(folder)
    others = Database(f"sqlite:///{folder / 'queue.db'}")
    before = ours.data_version()

    ours.write(lambda c: insert(c, 1))
    after_ours = ours.data_version()
    others.write(lambda c: insert(c, 2))
    after_others = ours.data_version()

    assert before == after_ours
    assert after_others != before
    ours.close()
    others.close()


def test_two_databases_take_turns_at_one_file(folder: Path) -> None:
    databases = [a_table(folder), Database(f"sqlite:///{folder / 'queue.db'}")]

    def write(half: int) -> None:
        for n in range(half, 300, 2):
            databases[half].write(lambda c, n=n: insert(c, n))  # type: ignore[misc]

    _all_at_once(write, [0, 1])

    assert held(databases[0]) == list(range(300))
    for database in databases:
        database.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.store.hand import new, open_store, put
store = open_store(Path(sys.argv[1]))
for n in range(20):
    print(*put(store, new(n)), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_acknowledged_is_there_after_a_kill(folder: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )

    store = open_store(folder)
    assert ended.returncode == -9
    assert [id_ for (id_,) in rows(store, "SELECT id FROM waq_message ORDER BY seq")] == (
        ended.stdout.split()
    )
    assert len(ended.stdout.split()) == 20
    store.close()


def test_the_file_is_durable_and_read_beside_a_writer(folder: Path) -> None:
    store = open_store(folder)

    def pragma(name: str) -> object:
        return store.write(lambda c: c.exec_driver_sql(f"PRAGMA {name}").scalar_one())

    assert pragma("journal_mode") == "wal"
    assert pragma("synchronous") == 2  # FULL: a commit survives a power cut.
    assert pragma("foreign_keys") == 1
    store.close()


def test_a_restart_finds_every_message_as_it_was(folder: Path) -> None:
    store = open_store(folder)
    put(store, new(1, reference="REG-1", idempotency_key="k"), new(2, send_at=2**53))
    before = rows(store, "SELECT * FROM waq_message")
    store.close()

    store = open_store(folder)

    assert rows(store, "SELECT * FROM waq_message") == before
    store.close()


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///:memory:", "postgresql://localhost/queue", "mysql://x/y"]
)
def test_a_url_that_names_no_file_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="must name a SQLite file"):
        Database(url)


def test_a_text_that_is_no_url_is_refused() -> None:
    with pytest.raises(StoreError, match=r"not a database URL: 'queue\.db'"):
        Database("queue.db")


def test_a_password_in_a_refused_url_is_not_shown() -> None:
    with pytest.raises(StoreError) as caught:
        Database("postgresql://waq:secret@localhost/queue")

    assert "secret" not in str(caught.value)


def test_a_folder_that_does_not_exist_is_named(folder: Path) -> None:
    with pytest.raises(StoreError, match=r"folder of the database does not exist: .*missing"):
        Database(f"sqlite:///{folder / 'missing' / 'queue.db'}")


def test_a_file_that_is_no_database_is_named_and_left_as_it_is(folder: Path) -> None:
    path = folder / "notes.txt"
    path.write_text("Dear diary, this is not a database.\n" * 100)

    with pytest.raises(StoreError, match=r"notes\.txt is not a database"):
        Database(f"sqlite:///{path}")

    assert path.read_text().startswith("Dear diary")


def test_a_folder_where_no_file_can_be_made_is_named(folder: Path) -> None:
    (folder / "queue.db.lock").mkdir()

    with pytest.raises(StoreError, match="cannot write beside the database"):
        Database(f"sqlite:///{folder / 'queue.db'}")


def _all_at_once(write: Callable[[int], None], starts: list[int]) -> None:
    threads = [threading.Thread(target=write, args=(start,)) for start in starts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _behind_a_slow_write(database: Database, write: Callable[[int], object], count: int) -> None:
    """Let so many writers come while another one writes."""
    inside, go_on = threading.Event(), threading.Event()

    def slow(_connection: Connection) -> None:
        inside.set()
        go_on.wait()

    leader = threading.Thread(target=database.write, args=(slow,))
    leader.start()
    inside.wait()
    followers = [threading.Thread(target=write, args=(n,)) for n in range(count)]
    for follower in followers:
        follower.start()
    while len(database._commits._waiting) < count:
        pass
    go_on.set()
    for thread in (leader, *followers):
        thread.join()


def test_a_database_that_another_program_holds_locked_is_named(folder: Path) -> None:
    database = a_table(folder)
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


def test_an_interrupt_in_a_shared_commit_is_the_leaders_alone(folder: Path) -> None:
    database = a_table(folder)

    def interrupted(_connection: Connection) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        database.write(interrupted)

    database.write(lambda connection: insert(connection, 1))
    assert held(database) == [1]
    database.close()
