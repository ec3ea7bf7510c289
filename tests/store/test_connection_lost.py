"""A connection to a server that breaks: what is done over, what is found, and what is in doubt."""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Dialect, text

from tests.engines import address
from tests.postgres import Postgres
from tests.store.hand import new, open_store, put, rows
from tests.store.plain import a_table, held, insert
from waqcore.store import controls, into_server
from waqcore.store.database import open_database
from waqcore.store.enqueue import SuppressedError
from waqcore.store.errors import DoubtfulCommitError, StoreError
from waqcore.store.events import Happening
from waqcore.store.fresh import NewMessage
from waqcore.store.server import Server
from waqcore.store.store import Store


@pytest.fixture
def engine() -> str:
    """What is told here is PostgreSQL's alone."""
    return "postgresql"


def test_a_server_that_was_restarted_is_written_to_and_read_as_before(own: Postgres) -> None:
    with own.database() as url:
        database = open_database(url)
        database.write(lambda c: c.execute(text("CREATE TABLE t (n INTEGER UNIQUE)")))
        own.restart()
        database.write(lambda c: insert(c, 1))
        own.restart()
        database.write_jointly(lambda c, items: [insert(c, n) for n in items], 2)
        own.restart()

        assert held(database) == [1, 2]
        database.close()


def test_a_server_that_is_down_is_told_and_found_again(own: Postgres) -> None:
    with own.database() as url:
        database = open_database(url)
        database.write(lambda c: c.execute(text("CREATE TABLE t (n INTEGER UNIQUE)")))
        own.stop()
        with pytest.raises(StoreError, match="check that the server runs"):
            database.write(lambda c: insert(c, 1))
        own.start()
        database.write(lambda c: insert(c, 2))

        assert held(database) == [2]
        database.close()


Torn = Callable[[int], bool]


def breaking(monkeypatch: pytest.MonkeyPatch, folder: Path, *, at: Torn, stored: bool) -> list[int]:
    """Break the connection of inserts, counted from 1, after what they store or before; returns
    the numbers of those that were begun."""
    begun: list[int] = []
    insert_ = into_server.insert

    def torn(cursor: Any, dialect: Dialect, new: Sequence[NewMessage]) -> int:
        begun.append(len(begun) + 1)
        if not at(begun[-1]):
            return insert_(cursor, dialect, new)
        if stored:
            insert_(cursor, dialect, new)
        pid = cursor.connection.info.backend_pid
        with psycopg.connect(address(folder), autocommit=True) as killer:
            killer.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
        return insert_(cursor, dialect, new)

    monkeypatch.setattr(into_server, "insert", torn)
    return begun


@pytest.mark.parametrize("stored", [True, False])
def test_a_message_whose_connection_broke_is_stored_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, stored: bool
) -> None:
    store = open_store(folder)
    begun = breaking(monkeypatch, folder, at=lambda n: n == 1, stored=stored)

    ids = put(store, new(1, idempotency_key="a1"))

    assert (begun, ids) == ([1, 2], ["m1"])
    assert rows(store, "SELECT id, state FROM waq_message") == [("m1", "queued")]
    store.close()


@pytest.mark.parametrize("stored", [True, False])
def test_a_batch_whose_connection_broke_is_stored_once_and_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, stored: bool
) -> None:
    store = open_store(folder)
    begun = breaking(monkeypatch, folder, at=lambda n: n == 1, stored=stored)

    ids = put(store, new(3), new(1), new(2))

    assert (begun, ids) == ([1, 2], ["m3", "m1", "m2"])
    assert rows(store, "SELECT id FROM waq_message ORDER BY seq") == [("m3",), ("m1",), ("m2",)]
    store.close()


def together(store: Store, *batches: list[NewMessage]) -> list[list[str] | Exception]:
    """Have batches handed over by callers of their own, who share a commit; returns what each
    heard, in order."""
    leads, waits = threading.Event(), threading.Event()

    def hold(connection: Connection, items: Sequence[None]) -> Sequence[None]:
        leads.set()
        assert waits.wait(10)
        return items

    heard: list[list[str] | Exception] = [[] for _ in batches]

    def hand_over(n: int) -> None:
        try:
            heard[n] = put(store, *batches[n])
        except Exception as error:
            heard[n] = error

    threads = [threading.Thread(target=lambda: store.write_jointly(hold, None))]
    threads[0].start()
    assert leads.wait(10)
    assert isinstance(store.database, Server)
    waiting = store.database._commits._waiting
    for n in range(len(batches)):
        threads.append(threading.Thread(target=hand_over, args=(n,)))
        threads[-1].start()
        while len(waiting) < n + 1:
            time.sleep(0.001)
    waits.set()
    for thread in threads:
        thread.join()
    return heard


KEYED = {"idempotency_key": "k"}


@pytest.mark.parametrize("before", [{}, KEYED])
@pytest.mark.parametrize("beside", [{}, {"idempotency_key": "another"}])
def test_what_was_stored_in_doubt_says_nothing_of_what_shares_its_next_commit(
    folder: Path, before: dict[str, Any], beside: dict[str, Any]
) -> None:
    store = open_store(folder)
    put(store, new(1, **before))
    store.write(
        lambda c: c.execute(text("UPDATE waq_message SET body = 'called for' WHERE seq = 1"))
    )

    heard = together(store, [new(1, **before)], [new(2, **beside), new(3)])

    assert heard == [["m1"], ["m2", "m3"]]
    kept = rows(store, "SELECT seq, id, body = 'called for' FROM waq_message ORDER BY id")
    assert kept[0] == (1, "m1", True)  # Not deleted and inserted anew.
    assert [id_ for _, id_, _ in kept] == ["m1", "m2", "m3"]
    store.close()


def test_who_has_opted_out_is_refused_beside_what_was_stored_in_doubt(folder: Path) -> None:
    store = open_store(folder)
    put(store, new(1))
    said = Happening("test", "suppress")
    store.write(lambda c: controls.suppress(c, new(2).recipient, "", said, store.now()))

    stored, refused = together(store, [new(1)], [new(2)])

    assert stored == ["m1"]
    assert isinstance(refused, SuppressedError)
    assert rows(store, "SELECT id FROM waq_message") == [("m1",)]
    store.close()


def test_a_message_whose_connection_breaks_each_time_is_in_doubt(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(folder)
    begun = breaking(monkeypatch, folder, at=lambda n: True, stored=False)

    with pytest.raises(DoubtfulCommitError, match="safe with the same idempotency key"):
        put(store, new(1))

    assert begun == [1, 2, 3]
    store.close()


def test_what_commits_by_itself_is_not_done_over_once_its_connection_broke(folder: Path) -> None:
    database = a_table(folder)
    tries: list[int] = []

    def torn(connection: Connection) -> None:
        tries.append(insert(connection, len(tries)))
        connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(DoubtfulCommitError, match="may or may not be stored"):
        database.autocommit(torn)

    assert tries == held(database) == [0]
    database.close()


def test_whoever_is_cut_off_while_it_listens_is_told_and_can_listen_anew(folder: Path) -> None:
    store = open_store(folder)
    assert isinstance(store.database, Server)
    ear = store.database.ear()

    with psycopg.connect(address(folder), autocommit=True) as somebody:
        somebody.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE query = 'LISTEN waqcore' AND datname = current_database()"
        )

    def hear_on() -> None:
        until = time.monotonic() + 5
        while time.monotonic() < until:
            ear.hear()

    with pytest.raises(StoreError, match="no longer heard"):
        hear_on()
    ear.close()
    again = store.database.ear()

    assert not again.hear()
    again.close()
    store.close()
