"""A connection to a server that breaks: what is done over, what is found, and what is in doubt."""

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
from waqcore.store import into_server
from waqcore.store.database import open_database
from waqcore.store.errors import DoubtfulCommitError, StoreError
from waqcore.store.fresh import NewMessage
from waqcore.store.server import Server


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
