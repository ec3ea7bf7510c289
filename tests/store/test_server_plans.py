"""On a server too, every query on a hot path is served by an index, however long the queue."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, event, text

from tests.engines import NOTE
from tests.postgres import Postgres
from tests.store import hand
from tests.store.test_query_plans import HOT
from tests.virtual_time import EPOCH
from waqcore.core.instants import DAY
from waqcore.store.store import Store

QUEUED = 50_000
ENDED = 20_000

_FILL = text(
    """
    INSERT INTO waq_message (id, sender, recipient, body, priority, content_hash, enqueued_at,
                             send_at, idempotency_key, expires_at, retry_at, state, ended_at)
    SELECT :state || i, :sender, '+62812' || i, 'body', 1 + i % 3, 'h', :wall + i, :send_at + i,
           :state || i, CASE WHEN i % 10 = 0 THEN :later + i END,
           CASE WHEN i % 100 = 99 THEN :wall + 60000000 ELSE 0 END, :state, :ended_at + i
    FROM generate_series(1, :count) AS i
    """
)


@pytest.fixture(scope="module", params=["queued", "scheduled"])
def long(
    request: pytest.FixtureRequest, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A store with a long queue, all of it due or for tomorrow, behind many that ended."""
    folder = tmp_path_factory.mktemp("plans")
    with postgres.database("waq_ready") as url:
        (folder / NOTE).write_text(url)
        store = hand.open_store(folder)
        _fill(store, "sent", ENDED, send_at=None, ended_at=EPOCH)
        send_at = EPOCH + DAY if request.param == "scheduled" else None
        _fill(store, "queued", QUEUED, send_at=send_at, ended_at=None)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "INSERT INTO waq_attempt (message_seq, number, token, started_at) "
                "SELECT seq, 1, 't' || seq, 1 FROM waq_message WHERE state = 'sent'"
            )
            connection.execute("VACUUM ANALYZE")
        yield store
        store.close()


@pytest.mark.parametrize("name", sorted(HOT.keys() - {"standing"}))  # That reads all that waits.
def test_no_hot_query_reads_a_whole_table(long: Store, name: str) -> None:
    plans = _plans(long, name)

    assert plans
    for plan in plans:
        for table in ("waq_message", "waq_attempt"):
            assert not [step for step in plan if "Seq Scan" in step and table in step]


def test_the_heads_of_a_lane_come_from_the_index_of_places(long: Store) -> None:
    (plan,) = _plans(long, "heads")

    scans = [step.split("using ")[1].split(" on ")[0] for step in plan if "using waq_" in step]
    assert scans[0] == "waq_message_place"
    assert scans.count("waq_message_pkey") == 1  # For the rest of what was found.


def _fill(store: Store, state: str, count: int, **given: int | None) -> None:
    values = {
        "state": state,
        "count": count,
        "sender": hand.SENDER,
        "wall": EPOCH - count,
        "later": EPOCH + 2 * DAY,
        **given,
    }
    store.write(lambda connection: connection.execute(_FILL, values))


def _plans(store: Store, name: str) -> list[list[str]]:
    """How the server would run every statement that a piece of work makes on messages."""
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, values: Any, _x: Any, _many: Any) -> None:
        asked.append((statement, values))

    def explain(connection: Connection) -> list[list[str]]:
        event.listen(connection, "before_cursor_execute", note)
        HOT[name](connection, store)
        event.remove(connection, "before_cursor_execute", note)
        return [
            [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", values)]
            for statement, values in asked
        ]

    return store.read(explain)
