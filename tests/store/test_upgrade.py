"""A filled database of the first release is upgraded while that release goes on working."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from tests.bench.dispatching import dispatching
from tests.engines import address, an_engine
from tests.store import first_release
from tests.store.first_release import EACH, SENDERS, Load, Sql, enqueue
from waqcore.store import schema, server
from waqcore.store.database import open_database
from waqcore.store.errors import UnwritableDatabaseError
from waqcore.store.tables import metadata

WAQ = Path(sys.executable).with_name("waq")
BUSY = 100
"""Messages handed over before the upgrade, and after it."""
WITHIN_S = 30.0
LOCK_MS = 200
"""What nobody who enqueues waits for: a commit takes a hundredth of it."""

COLUMNS = "id, sender, recipient, body, priority, reference, idempotency_key, content_hash"
ALL = f"{COLUMNS}, state, attempts, failures, unresolved, lease_token, ended_at, reason"


@pytest.fixture
def template() -> str:
    """Empty: here the tables are the first release's."""
    return "template0"


@pytest.fixture
def old(folder: Path) -> first_release.Database:
    """A filled database of the first release."""
    database = first_release.Database(folder)
    database.make()
    with database.session() as sql:
        first_release.fill(sql)
    return database


def test_nobody_who_works_meanwhile_is_refused_and_nothing_is_lost(
    folder: Path, old: first_release.Database
) -> None:
    with old.session() as sql:
        before = {row[0]: row for row in sql.run(f"SELECT {ALL} FROM waq_message")}
        with Load(old) as load:
            _await(lambda: len(load.enqueued) >= BUSY and len(load.sent) >= BUSY / 10)
            told, meanwhile = _migrate(folder, load)
            since = len(load.enqueued), len(load.sent)
            _await(lambda: len(load.enqueued) >= since[0] + BUSY and len(load.sent) > since[1])
        after = {row[0]: row for row in sql.run(f"SELECT {ALL} FROM waq_message")}
        twice = sql.run("SELECT message_seq FROM waq_attempt WHERE number > 1")
        called = Counter(id_ for (id_,) in sql.run(
            "SELECT id FROM waq_message AS m JOIN waq_attempt AS a ON a.message_seq = m.seq"
        ))  # fmt: skip

    assert load.errors == []
    assert told == f"upgraded the database from schema 0001 to {schema.HEAD}\n"
    assert meanwhile > 0
    assert len(before) == len(SENDERS) * sum(EACH.values())
    assert set(after) == set(before) | set(load.enqueued)
    untouched = set(before) - set(load.sent)
    assert [after[id_] for id_ in sorted(untouched)] == [before[id_] for id_ in sorted(untouched)]
    states = {id_: row[8] for id_, row in after.items()}
    assert {states[id_] for id_ in load.sent} == {"sent"}
    assert {states[id_] for id_ in set(load.enqueued) - set(load.sent)} == {"queued"}
    assert len(set(load.sent)) == len(load.sent)
    assert twice == []
    assert all(called[id_] == 1 for id_ in load.sent)
    with an_engine(folder).connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE}
        )
        assert compare_metadata(context, metadata) == []


def test_what_the_first_release_has_left_is_sent_by_this_one(
    folder: Path, old: first_release.Database
) -> None:
    environ = {
        "WAQ_DATABASE_URL": address(folder),
        "WAQ_GATEWAY": "sandbox",
        "WAQ_PACE_SECONDS": "0",
        "WAQ_BACKOFF_SECONDS": "0.1",
        "WHATSAPP_SENDER": SENDERS[0],
        "WAQ_SENDERS": ",".join(SENDERS[1:]),
    }
    unended = "SELECT count(*) FROM waq_message WHERE state IN ('queued', 'sending')"
    with old.session() as sql:
        with dispatching(environ):
            _await(lambda: sql.run(unended) == [(0,)])
        states = dict(sql.run("SELECT state, count(*) FROM waq_message GROUP BY state"))
        (cut,) = sql.run(
            "SELECT count(*), min(maybe_duplicate), min(attempts) FROM waq_message"
            " WHERE substr(id, 14, 7) = 'sending'"
        )

    left = {state: each * len(SENDERS) for state, each in EACH.items()}
    left["sent"] += left.pop("queued") + left.pop("sending")
    assert states == left
    assert cut == (len(SENDERS), 1, 2)


def _migrate(folder: Path, load: Load) -> tuple[str, int]:
    """`waq migrate`; what it said, and how many messages were handed over while it ran."""
    environ = {**os.environ, "WAQ_DATABASE_URL": address(folder)}
    before = len(load.enqueued)
    ran = subprocess.run([WAQ, "migrate"], env=environ, capture_output=True, text=True)
    return ran.stdout + ran.stderr, len(load.enqueued) - before


def _await(happened: Callable[[], bool]) -> None:
    until = time.monotonic() + WITHIN_S
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
class TestOnAServer:
    """Where several write at once: what an upgrade holds of the tables that were there before."""

    def test_it_holds_nothing_that_an_enqueue_waits_for(
        self, folder: Path, old: first_release.Database
    ) -> None:
        with an_engine(folder).connect() as upgrading, old.session() as sql:
            schema.migrate(upgrading, first_release.REVISION)
            sql.run("SELECT set_config('lock_timeout', ?, false)", str(LOCK_MS))

            enqueue(sql, "meanwhile", SENDERS[0])
            held = _held(upgrading.connection.driver_connection, sql)

            upgrading.rollback()
        # Of the lane's row an enqueue reads nothing; a call writes lane, message and attempt.
        assert {table: modes - READS for table, modes in held.items() if modes - READS} == {
            "waq_attempt": {"ShareLock"},
            schema.VERSION_TABLE: {"RowExclusiveLock"},
        }

    def test_it_writes_no_table_anew(self, folder: Path, old: first_release.Database) -> None:
        files = "SELECT relname, relfilenode FROM pg_class WHERE starts_with(relname, 'waq')"
        with old.session() as sql:
            before = set(sql.run(files))
            with an_engine(folder).begin() as connection:
                schema.migrate(connection, first_release.REVISION)

            assert before <= set(sql.run(files))

    def test_behind_a_long_transaction_it_gives_up_and_has_changed_nothing(
        self,
        folder: Path,
        old: first_release.Database,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setitem(server._SETTINGS, "lock_timeout", LOCK_MS)
        database = open_database(address(folder))
        with old.session() as sql, sql.transaction():
            sql.run("UPDATE waq_attempt SET detail = 'long'")

            with pytest.raises(UnwritableDatabaseError, match="long transaction"):
                schema.ensure(database)

            assert database.read(schema.revision) == first_release.REVISION
            assert sql.run("SELECT to_regclass('waq_outbox')") == [(None,)]
        schema.ensure(database)
        assert database.read(schema.revision) == schema.HEAD
        database.close()


READS = {"AccessShareLock"}


def _held(driver: Any, sql: Sql) -> dict[str, set[str]]:
    """The locks a connection holds on tables that others can see."""
    assert isinstance(driver, psycopg.Connection)
    rows = sql.run(
        "SELECT relname, mode FROM pg_locks JOIN pg_class ON pg_class.oid = relation"
        " WHERE pid = ? AND relkind = 'r' AND starts_with(relname, 'waq')",
        driver.info.backend_pid,
    )
    held: dict[str, set[str]] = {}
    for table, mode in rows:
        held.setdefault(table, set()).add(mode)
    return held
