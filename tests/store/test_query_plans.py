"""A long queue costs no more than a short one: every query on a hot path is served by its index."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from tests.scenario import on_a_ram_disk
from tests.store import hand
from tests.virtual_time import EPOCH
from waqcore.core.instants import DAY
from waqcore.core.lane import Lease
from waqcore.core.message import State
from waqcore.store import (
    attempts,
    controls,
    enqueue,
    export,
    messages,
    position,
    returns,
    review,
    standing,
)
from waqcore.store.controls import Filter
from waqcore.store.export import Which
from waqcore.store.position import Place
from waqcore.store.store import Store


@pytest.fixture
def engine() -> str:
    """What is told here is SQLite's alone."""
    return "sqlite"


QUEUED = 50_000
TOMORROW = EPOCH + DAY

LEASE = Lease("d1/7/1", 7, "d1", EPOCH, EPOCH, EPOCH)

_FILL = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
INSERT INTO waq_message (id, sender, recipient, body, priority, content_hash, enqueued_at, send_at,
                     idempotency_key, expires_at, retry_at)
SELECT '{name}' || i, '{sender}', '+62812' || i, 'body', 1 + i % 3, 'h', {wall} + i, {send_at},
       '{name}' || i, {expires_at}, CASE WHEN i % 100 = 99 THEN {wall} + 60000000 ELSE 0 END
FROM n
"""


@pytest.fixture(scope="module", params=["queued", "scheduled"])
def long(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A store with a long queue: all of it due, or all of it for tomorrow."""
    with on_a_ram_disk(tmp_path_factory.mktemp("plans")) as folder:
        store = hand.open_store(folder)
        _fill(store, QUEUED, scheduled=request.param == "scheduled")
        yield store
        store.close()


Hot = Callable[[Connection, Store], object]

HOT: dict[str, Hot] = {
    "heads": lambda c, s: messages.heads(c, [hand.SENDER], s.now()),
    "next_due": lambda c, s: messages.next_due(c, [hand.SENDER], s.now()),
    "by_seq": lambda c, s: messages.by_seq(c, [1, 2, 3], s.now()),
    "position": lambda c, s: position.position(c, Place(hand.SENDER, 1, 900, EPOCH), s.now()),
    "backing off": lambda c, s: returns.backing_off(c, hand.SENDER, s.now()),
    "in flight": lambda c, s: returns.in_flight(c, LEASE),
    "idempotency": lambda c, s: enqueue._first_by_key(c, [hand.new(1, idempotency_key="a7")]),
    "by_ids": lambda c, s: review.by_ids(c, ("a1", "a2")),
    "heads for people": lambda c, s: review.heads(c, hand.SENDER, EPOCH, 10),
    "any_expired": lambda c, s: controls.any_expired(c, s.now()),
    "to review": lambda c, s: review.count(c, Filter(states=(State.FAILED, State.UNKNOWN))),
    "being sent": lambda c, s: review.listing(c, Filter(states=(State.SENDING,)), limit=10),
    "of a batch": lambda c, s: review.count(c, Filter(batch="batch_1")),
    "of a reference": lambda c, s: review.count(c, Filter(reference="REG-1")),
    "attempts": lambda c, s: review.attempts(c, 7),
    "exported messages": lambda c, s: export.messages(c, 5_000, 50_000, Which(EPOCH), 0),
    "exported calls": lambda c, s: export.attempts(c, 5_000, 50_000, Which(EPOCH), 0),
    "standing": lambda c, s: list(standing._messages(c, [hand.SENDER], 0)),
    "called": lambda c, s: attempts.called(c, LEASE),
}


@pytest.mark.parametrize("name", HOT)
def test_no_hot_query_scans_a_table_or_sorts_the_queue(long: Store, name: str) -> None:
    plans = _plans(long, HOT[name])

    assert plans
    for plan in plans:
        scans = ("SCAN waq_message", "SCAN waq_attempt")
        assert not [step for step in plan if step.startswith(scans)]
        assert not [step for step in plan if "TEMP B-TREE FOR ORDER BY" in step]
        assert any("USING" in step for step in plan)


def test_the_heads_of_a_lane_come_from_the_index_of_places(long: Store) -> None:
    (plan,) = _plans(long, HOT["heads"])

    searches = [step for step in plan if step.startswith("SEARCH waq_message")]
    assert [step for step in searches if "waq_message_place" in step]
    assert all("waq_message_place" in step or "PRIMARY KEY" in step for step in searches)


def test_what_is_due_next_comes_from_the_indexes_of_what_waits(long: Store) -> None:
    (plan,) = _plans(long, HOT["next_due"])

    searches = " ".join(step for step in plan if step.startswith("SEARCH waq_message"))
    assert "waq_message_scheduled" in searches
    assert "waq_message_retry" in searches


def test_a_key_used_before_comes_from_its_index(long: Store) -> None:
    (plan,) = _plans(long, HOT["idempotency"])

    assert any("waq_message_idempotency" in step for step in plan)


@pytest.mark.parametrize("name", ["heads", "next_due", "by_seq", "position", "idempotency"])
def test_a_query_does_no_more_work_on_a_long_queue_than_on_a_short_one(
    long: Store, name: str, folder: Path
) -> None:
    short = hand.open_store(folder)
    _fill(short, 2_000, scheduled=False)

    works = [_work(store, HOT[name]) for store in (short, long)]

    assert works[1] <= works[0] + 200
    short.close()


def _fill(store: Store, count: int, *, scheduled: bool) -> None:
    values = {
        "count": count,
        "name": "a",
        "sender": hand.SENDER,
        "wall": EPOCH - count,
        "send_at": f"{TOMORROW} + i" if scheduled else "NULL",
        "expires_at": f"CASE WHEN i % 10 = 0 THEN {TOMORROW + DAY} + i END",
    }
    store.write(lambda connection: connection.exec_driver_sql(_FILL.format(**values)))


def _plans(store: Store, hot: Hot) -> list[list[str]]:
    """How SQLite would run every statement that a piece of work makes."""
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, values: Any, _x: Any, _many: Any) -> None:
        asked.append((statement, values))

    def explain(connection: Connection) -> list[list[str]]:
        event.listen(connection, "before_cursor_execute", note)
        hot(connection, store)
        event.remove(connection, "before_cursor_execute", note)
        return [
            [
                row[3]
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            ]
            for statement, values in asked
        ]

    return store.read(explain)


def _work(store: Store, hot: Hot) -> int:
    """How many steps of SQLite's machine a piece of work takes, in tens."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    def work(connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.set_progress_handler(count, 10)
        hot(connection, store)
        driver.set_progress_handler(None, 0)

    store.read(work)
    return steps
