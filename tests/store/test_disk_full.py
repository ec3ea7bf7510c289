"""A disk that is full: the caller is told, nothing is half stored, and it works again after."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.store.hand import begin, ended, join, new, open_store, put, rows, take
from waqcore.core.outcome import Accepted
from waqcore.store.errors import UnwritableDatabaseError
from waqcore.store.store import Store


@pytest.fixture
def engine() -> str:
    """What is told here is SQLite's alone."""
    return "sqlite"


BODY = "x" * 3_000


def limit_pages(store: Store, more: int) -> None:
    """Let the file grow by so many pages and no further, as a disk with so much room."""

    def limit(connection: Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + more}")

    store.write(limit)


def test_a_full_disk_is_told_and_nothing_is_half_stored(folder: Path) -> None:
    store = open_store(folder)
    limit_pages(store, 5)
    acknowledged: list[str] = []

    def fill() -> None:
        for n in range(100):
            acknowledged.extend(put(store, new(n, body=BODY)))

    with pytest.raises(UnwritableDatabaseError, match="full: nothing was stored"):
        fill()

    assert 0 < len(acknowledged) < 100
    assert [id_ for (id_,) in rows(store, "SELECT id FROM waq_message")] == acknowledged
    store.close()


def test_a_batch_that_does_not_fit_leaves_none_of_its_messages(folder: Path) -> None:
    store = open_store(folder)
    limit_pages(store, 5)

    with pytest.raises(UnwritableDatabaseError):
        put(store, *(new(n, body=BODY) for n in range(20)))

    assert rows(store, "SELECT count(*) FROM waq_message") == [(0,)]
    store.close()


def test_it_works_again_once_there_is_room(folder: Path) -> None:
    store = open_store(folder)
    limit_pages(store, 5)
    with pytest.raises(UnwritableDatabaseError):
        put(store, *(new(n, body=BODY) for n in range(20)))

    limit_pages(store, 1_000)
    put(store, *(new(n, body=BODY) for n in range(20)))

    assert rows(store, "SELECT count(*) FROM waq_message") == [(20,)]
    assert rows(store, "PRAGMA integrity_check") == [("ok",)]
    store.close()


def test_calls_go_on_being_settled_on_a_full_disk_that_can_still_be_overwritten(
    folder: Path,
) -> None:
    store = open_store(folder)
    me = join(store, "d1")
    put(store, new(1))
    limit_pages(store, 0)

    (claim,) = take(store, me).claims
    assert begin(store, claim) == [claim]
    take(store, me, ended(store, claim, Accepted()))

    assert rows(store, "SELECT state FROM waq_message") == [("sent",)]
    store.close()


LIMITED = """
import resource, signal, sys
from waqcore import Queue, StoreError
from waqcore.store.errors import UnwritableDatabaseError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
environ = {
    "WAQ_DATABASE_URL": f"sqlite:///{sys.argv[1]}/queue.db",
    "WAQ_GATEWAY": "sandbox",
    "WHATSAPP_SENDER": "628114040707",
}
with Queue.from_env(environ) as queue:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
    stored = 0
    try:
        for n in range(1_000):
            queue.enqueue("081234567890", "x" * 3_000)
            stored += 1
    except UnwritableDatabaseError as error:
        print("told", stored)
    print("held", queue.status().queue_length)
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    queue.enqueue("081234567890", "there is room again")
    print("after", queue.status().queue_length)
"""


def test_a_file_that_may_not_grow_is_told_like_a_full_disk(folder: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED, str(folder)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        timeout=60,
        check=False,
    )

    assert ran.stderr == ""
    told, held, after = (int(line.split()[1]) for line in ran.stdout.splitlines())
    assert 0 < told < 1_000
    assert (held, after) == (told, told + 1)
