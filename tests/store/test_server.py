"""What is PostgreSQL's alone: rows that are locked, commits out of order, clocks of many hosts."""

import sys
import threading
import time
from itertools import takewhile
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, text

from tests.engines import address, an_engine
from tests.postgres import Postgres
from tests.store.hand import (
    SENDER,
    HandClock,
    begin,
    ended,
    join,
    new,
    open_store,
    put,
    rows,
    senders,
    take,
)
from tests.store.plain import a_table, held, insert
from tests.virtual_time import EPOCH
from waqcore.clock import SystemClock
from waqcore.core import control
from waqcore.core.instants import HOUR, SECOND
from waqcore.core.outcome import Accepted
from waqcore.export import read_messages
from waqcore.store import controls, enqueue, events, into_server, lanes
from waqcore.store.database import open_database
from waqcore.store.enqueue import SuppressedError
from waqcore.store.errors import StoreError, UnwritableDatabaseError
from waqcore.store.events import Happening, Seen
from waqcore.store.fresh import NewMessage
from waqcore.store.readonly import ReadOnly
from waqcore.store.server import CONNECTIONS, MORE_CONNECTIONS, Server
from waqcore.store.step import SKIPPED_US
from waqcore.store.store import Store

OTHER = "628114040708"


@pytest.fixture
def engine() -> str:
    """What is told here is PostgreSQL's alone."""
    return "postgresql"


def look(store: Store, seen: Seen) -> events.News:
    return store.read(lambda connection: events.news(connection, seen, "d1"))


# Where it is


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_url_may_begin_as_providers_write_it(folder: Path, scheme: str) -> None:
    url = address(folder).replace("postgresql", scheme)
    database = open_database(url)

    assert database.read(lambda c: c.execute(text("SELECT 1")).scalar_one()) == 1
    database.close()


def test_a_server_that_is_not_there_is_told_without_the_password(tmp_path: Path) -> None:
    with pytest.raises(
        StoreError, match=r"cannot be reached.*check that the server runs"
    ) as caught:
        open_database(f"postgresql://waq:secret@/queue?host={tmp_path}&application_name=secret")

    assert "secret" not in str(caught.value)
    assert "waq" in str(caught.value)


def test_a_database_that_is_not_there_is_told(postgres: Postgres) -> None:
    with pytest.raises(StoreError, match="create it first"):
        open_database(postgres.url("nothing"))
    with pytest.raises(StoreError, match="create it first"):
        ReadOnly(postgres.url("nothing"))


def test_a_database_without_a_queue_is_told(postgres: Postgres) -> None:
    with postgres.database() as url, pytest.raises(StoreError, match="holds no queue"):
        read_messages(url)


def test_a_server_without_its_client_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(StoreError, match=r"pip install 'waqcore\[postgres\]'"):
        open_database("postgresql://somewhere/queue")


def test_a_server_that_only_reads_is_told(folder: Path) -> None:
    database = a_table(folder)

    def look_only(connection: Connection) -> None:
        connection.execute(text("SET TRANSACTION READ ONLY"))
        insert(connection, 1)

    with pytest.raises(UnwritableDatabaseError, match=r"read-only.*nothing was stored"):
        database.write(look_only)

    database.write(lambda c: insert(c, 2))
    assert held(database) == [2]
    database.close()


# Commits


def test_transactions_that_wait_for_each_other_are_both_done_in_the_end(folder: Path) -> None:
    database = a_table(folder)
    for n in (1, 2):
        database.write(lambda c, n=n: insert(c, n))  # type: ignore[misc]
    barrier = threading.Barrier(2, timeout=5)
    tries: list[int] = []

    def cross(first: int, second: int) -> None:
        def work(connection: Connection) -> None:
            tries.append(first)
            change = text("UPDATE t SET n = n WHERE n = :n")
            connection.execute(change, {"n": first})
            if tries.count(first) == 1:
                barrier.wait()
            connection.execute(change, {"n": second})

        database.write(work)

    threads = [threading.Thread(target=cross, args=pair) for pair in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # The one that was ended may take its first row again before the other wakes up, and be ended
    # again: how often is the server's affair.
    assert set(tries) == {1, 2}
    assert len(tries) > 2
    database.close()


def test_a_commit_is_on_disk_whatever_the_server_is_set_to(own: Postgres) -> None:
    own.sql("ALTER SYSTEM SET synchronous_commit = off")
    own.restart()
    with own.database() as url:
        database = open_database(url)

        shown = database.write(lambda c: c.execute(text("SHOW synchronous_commit")).scalar_one())

        assert shown == "on"
        database.close()


def test_a_frozen_process_does_not_keep_its_locks(folder: Path) -> None:
    database = a_table(folder)

    shown = database.write(
        lambda c: c.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one()
    )

    assert shown == "10s"  # Within a lease.
    database.close()


# Locks


def test_an_enqueue_does_not_wait_for_a_busy_lane(folder: Path) -> None:
    store = open_store(folder)

    with psycopg.connect(address(folder)) as theirs:
        theirs.execute("SELECT 1 FROM waq_lane FOR UPDATE")
        put(store, new(1))

    assert rows(store, "SELECT id FROM waq_message") == [("m1",)]
    store.close()


def test_a_call_does_not_wait_for_enqueues_of_its_sender_that_are_still_open(folder: Path) -> None:
    store = open_store(folder)
    me = join(store, "d1")
    put(store, new(1))

    with an_engine(folder).connect() as theirs:
        enqueue.enqueue(theirs, [[new(2)]])
        (claim,) = take(store, me).claims
        begin(store, claim)
        take(store, me, ended(store, claim, Accepted()), room=0)
        held_of_lanes = rows(
            store,
            "SELECT mode FROM pg_locks WHERE relation = 'waq_lane'::regclass"
            f" AND pid = {theirs.scalar(text('SELECT pg_backend_pid()'))}",
        )
        theirs.commit()

    assert held_of_lanes == []
    states = rows(store, "SELECT id, state FROM waq_message ORDER BY seq")
    assert states == [("m1", "sent"), ("m2", "queued")]
    store.close()


def test_a_lane_that_another_has_is_skipped_and_looked_at_soon(folder: Path) -> None:
    store = open_store(folder, fleet=senders(SENDER, OTHER))
    me = join(store, "d1")
    put(store, new(1), new(2, sender=OTHER))

    with psycopg.connect(address(folder)) as theirs:
        theirs.execute("SELECT 1 FROM waq_lane WHERE sender = %s FOR NO KEY UPDATE", (SENDER,))
        decided = take(store, me)

    assert [claim.stored.sender for claim in decided.claims] == [OTHER]
    assert decided.waits[SENDER] == store.steady() + SKIPPED_US
    assert [claim.stored.sender for claim in take(store, me).claims] == [SENDER]
    store.close()


def test_a_takeover_waits_for_a_call_that_is_just_being_begun(folder: Path) -> None:
    """Else it would take for not sent what is called for the moment after."""
    clock = HandClock()
    store = open_store(folder, clock)
    put(store, new(1, on_unknown="hold"))
    (claim,) = take(store, join(store, "d1")).claims
    clock.advance(20)
    anew = join(store, "d2")
    inside, go_on = threading.Event(), threading.Event()

    def begin_slowly(connection: Connection) -> None:
        from waqcore.store import attempts

        assert attempts.begin(connection, [claim], store.now()) == [claim]
        inside.set()
        go_on.wait(5)

    beginning = threading.Thread(target=store.write, args=(begin_slowly,))
    beginning.start()
    inside.wait(5)
    taking = threading.Thread(target=take, args=(store, anew), kwargs={"room": 0})
    taking.start()
    time.sleep(0.2)  # The takeover is at the message by now, and waits.
    go_on.set()
    beginning.join()
    taking.join()

    assert rows(store, "SELECT state, attempts, unresolved FROM waq_message") == [("unknown", 1, 1)]
    store.close()


def test_a_pause_and_a_turn_do_not_overwrite_each_other(folder: Path) -> None:
    store = open_store(folder, fleet=senders(pace_us=0))
    me = join(store, "d1")
    put(store, *(new(n) for n in range(60)))
    over = threading.Event()
    pressed: list[int] = []

    def press() -> None:
        while not over.is_set():
            store.write(
                lambda connection: controls.change_lanes(
                    connection,
                    [SENDER],
                    lambda lane, now: control.pause(
                        lane, f"{len(pressed)}", now.steady, now.steady
                    ),
                    store.now(),
                    Happening("test", "pause"),
                )
            )
            pressed.append(1)

    pressing = threading.Thread(target=press)
    pressing.start()
    sent = 0
    while sent < 60:
        for claim in take(store, me).claims:
            begin(store, claim)
            take(store, me, ended(store, claim, Accepted()), room=0)
            sent += 1
    over.set()
    pressing.join()

    reason = store.read(lambda c: lanes.load(c, [SENDER], store.now())[SENDER].pause)
    assert reason is not None
    assert reason.reason == f"{len(pressed) - 1}"
    assert rows(store, "SELECT DISTINCT state, attempts FROM waq_message") == [("sent", 1)]
    store.close()


# Commits out of order


def test_a_message_that_is_committed_after_a_later_one_is_news_all_the_same(folder: Path) -> None:
    store = open_store(folder, fleet=senders(SENDER, OTHER))
    seen = store.read(events.latest)
    seen = look(store, seen).seen

    with psycopg.connect(address(folder)) as theirs:
        theirs.execute(
            "INSERT INTO waq_message (id, sender, recipient, body, priority, content_hash, "
            "enqueued_at) VALUES ('early', %s, '+62812', 'early', 2, 'h', 0)",
            (OTHER,),
        )
        put(store, new(1))
        first = look(store, seen)
        quiet = look(store, first.seen)
    second = look(store, quiet.seen)
    after = look(store, second.seen)

    assert first.senders == {SENDER}
    assert quiet.senders == set()
    assert second.senders == {OTHER}
    assert after.senders == set()
    store.close()


def test_the_floor_of_the_news_follows_once_nobody_is_under_way(folder: Path) -> None:
    store = open_store(folder)
    seen = look(store, store.read(events.latest)).seen
    put(store, new(1))
    until = time.monotonic() + 10
    told: list[str] = []
    while (seen.arrivals is None or seen.arrivals.floor != 1) and time.monotonic() < until:
        news = look(store, seen)
        told += news.senders
        seen = news.seen
        time.sleep(0.05)

    assert told == [SENDER]
    assert seen.arrivals is not None
    assert (seen.arrivals.floor, seen.arrivals.counts) == (1, {})
    store.close()


def test_whoever_listens_hears_of_an_enqueue_and_of_what_is_pressed(folder: Path) -> None:
    store = open_store(folder)
    assert isinstance(store.database, Server)
    ear = store.database.ear()

    def hears() -> bool:
        until = time.monotonic() + 5
        while time.monotonic() < until:
            if ear.hear():
                return True
        return False

    put(store, new(1))
    of_the_enqueue = hears()
    store.write(lambda c: events.record(c, [Happening("test", "pause")], 0))
    of_the_press = hears()

    assert of_the_enqueue
    assert of_the_press
    ear.close()
    store.close()


def test_only_an_enqueue_with_nothing_due_before_it_is_told(folder: Path) -> None:
    """Those who tell are committed one at a time."""
    store = open_store(folder)
    with psycopg.connect(address(folder), autocommit=True) as listener:
        listener.execute("LISTEN waqcore")

        def told(*messages: NewMessage) -> bool:
            put(store, *messages)
            store.write(lambda c: c.execute(text("NOTIFY waqcore, 'over'")))
            heard = listener.notifies(timeout=10)
            return bool(list(takewhile(lambda one: one.payload != "over", heard)))

        assert told(new(1))
        assert not told(new(2))
        assert told(new(3, priority=1))
        assert told(new(4, sender=OTHER))
        assert not told(new(5, send_at=EPOCH + HOUR))
        assert told(new(6, send_at=EPOCH + HOUR, priority=3))
        assert told(new(7, priority=3))  # One that is scheduled is not sent before it.
        assert told(new(8, sender=OTHER, priority=3), new(9, sender=OTHER, priority=3))
        store.write(lambda c: c.execute(text("UPDATE waq_message SET retry_at = 9 WHERE seq = 1")))
        assert told(new(10))  # Nor is one that is backing off.
        several, several_more = (
            [new(n, sender=OTHER) for n in range(first, first + into_server.FEW)]
            for first in (20, 50)
        )
        assert not told(*several)
        assert told(*several_more, new(99, sender=OTHER))  # To look would cost more.
    store.close()


def test_a_refused_enqueue_gives_its_connection_back(folder: Path) -> None:
    store = open_store(folder)
    said = Happening("test", "suppress")
    recipient = new(1).recipient
    store.write(lambda c: controls.suppress(c, recipient, "", said, store.now()))

    for _ in range(CONNECTIONS + MORE_CONNECTIONS + 1):
        with pytest.raises(SuppressedError):
            put(store, new(1))

    assert put(store, new(2)) == ["m2"]
    store.close()


# Time


def test_the_present_is_known_to_some_milliseconds_and_never_too_late(folder: Path) -> None:
    store = Store(address(folder), senders(), clock=SystemClock())

    early, late = store.steady(), store.latest()
    told = store.read(
        lambda c: c.execute(
            text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
        ).scalar_one()
    )
    afterwards = store.latest()

    assert early <= late
    assert late - early < SECOND
    assert early <= told <= afterwards
    store.close()


def test_a_clock_that_was_set_under_two_processes_moves_neither(folder: Path) -> None:
    clock = HandClock()
    stores = [open_store(folder, clock) for _ in range(2)]
    before = stores[0].steady()
    clock.wall_step_us = HOUR
    clock.advance(1)
    for store in stores:
        rows(store, "SELECT 1")  # Whoever comes first mends it.

    assert [store.steady() for store in stores] == [before + SECOND] * 2
    assert [store.wall_us() for store in stores] == [clock.wall_us()] * 2
    for store in stores:
        store.close()


def test_a_host_that_was_halted_follows_those_that_were_not(folder: Path) -> None:
    running, halted = HandClock("host-1"), HandClock("host-2")
    halted.server_us = running.server_us  # type: ignore[method-assign]
    stores = [open_store(folder, clock) for clock in (running, halted)]
    running.advance(3_600)
    join(stores[0], "d1")
    for clock in (running, halted):
        clock.advance(5)
    for store in stores:
        rows(store, "SELECT 1")

    assert stores[1].steady() == stores[0].steady()
    assert stores[0].wall_us() == running.wall_us()
    for store in stores:
        store.close()


def test_a_new_host_beside_one_that_dispatches_costs_no_pace(folder: Path) -> None:
    first = open_store(folder, HandClock("host-1"))
    me = join(first, "d1")
    put(first, new(1), new(2))

    second = open_store(folder, HandClock("host-2"))

    assert rows(second, "SELECT paced_until FROM waq_lane") == [(0,)]
    assert len(take(first, me).claims) == 1
    first.close()
    second.close()


def test_a_new_host_whose_clock_disagrees_costs_one_pace(folder: Path) -> None:
    first = open_store(folder, HandClock("host-1"))
    join(first, "d1")
    strange = HandClock("host-2")
    strange.server_us = first.clock.wall_us  # type: ignore[method-assign]
    strange.wall_step_us = HOUR

    second = open_store(folder, strange)

    assert rows(second, "SELECT paced_until FROM waq_lane") == [(second.steady() + 10 * SECOND,)]
    open_store(folder, strange).close()
    first.close()
    second.close()
