"""The database itself, on both engines: durable, shared fairly, each told of its own work."""

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.engines import address
from tests.store.hand import new, open_store, put, rows
from tests.store.plain import a_table, held, insert
from waqcore.store.database import Database, open_database
from waqcore.store.file import File
from waqcore.store.server import Server

ROOT = Path(__file__).parents[2]


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


def test_two_handles_take_turns_at_one_database(folder: Path) -> None:
    databases = [a_table(folder), open_database(address(folder))]

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


def test_a_restart_finds_every_message_as_it_was(folder: Path) -> None:
    store = open_store(folder)
    put(store, new(1, reference="REG-1", idempotency_key="k"), new(2, send_at=2**53))
    before = rows(store, "SELECT * FROM waq_message")
    store.close()

    store = open_store(folder)

    assert rows(store, "SELECT * FROM waq_message") == before
    store.close()


def _all_at_once(write: Callable[[int], None], starts: list[int]) -> None:
    threads = [threading.Thread(target=write, args=(start,)) for start in starts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _behind_a_slow_write(database: Database, write: Callable[[int], object], count: int) -> None:
    """Let so many writers come while another one writes."""
    inside, go_on = threading.Event(), threading.Event()

    def slow(_connection: Connection, items: Sequence[None]) -> Sequence[None]:
        inside.set()
        go_on.wait()
        return items

    leader = threading.Thread(target=database.write_jointly, args=(slow, None))
    leader.start()
    inside.wait()
    followers = [threading.Thread(target=write, args=(n,)) for n in range(count)]
    for follower in followers:
        follower.start()
    assert isinstance(database, File | Server)
    while len(database._commits._waiting) < count:
        pass
    go_on.set()
    for thread in (leader, *followers):
        thread.join()


def test_an_interrupt_in_a_shared_commit_is_the_leaders_alone(folder: Path) -> None:
    database = a_table(folder)

    def interrupted(_connection: Connection) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        database.write(interrupted)

    database.write(lambda connection: insert(connection, 1))
    assert held(database) == [1]
    database.close()
