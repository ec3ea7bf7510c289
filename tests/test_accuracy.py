"""How forecasts fared, told from thousands of them without holding them all."""

import tracemalloc
from pathlib import Path

from sqlalchemy import Connection, insert

from tests.store.hand import new, open_store, put
from waqcore.core.instants import SECOND
from waqcore.status import accuracy_of
from waqcore.store import forecasts
from waqcore.store.forecasts import Forecast
from waqcore.store.tables import attempt

MANY = 5_000


def test_accuracy_is_told_from_forecasts_that_are_not_all_held(tmp_path: Path) -> None:
    """A row takes some 260 bytes, what is needed of it 50; an open page looks each second."""
    store = open_store(tmp_path)
    put(store, *(new(n) for n in range(1, MANY + 1)))
    now = store.now()

    def call_each_a_second_late(connection: Connection) -> None:
        made = [
            Forecast(seq, now.wall, at := now.wall + 60 * SECOND + seq, at, at + seq % 2 * SECOND)
            for seq in range(1, MANY + 1)
        ]
        forecasts.keep(connection, made)
        calls = [
            {
                "message_seq": one.message_seq,
                "number": 1,
                "token": "t",
                "started_at": one.at + SECOND,
            }
            for one in made
        ]
        connection.execute(insert(attempt), calls)

    store.write(call_each_a_second_late)
    store.read(lambda connection: accuracy_of(connection, now))

    tracemalloc.start()
    told = store.read(lambda connection: accuracy_of(connection, now))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert told is not None
    assert (told.forecasts, told.off_s, told.inside) == (MANY, 1.0, 0.5)
    assert peak_bytes < 100 * MANY
    store.close()
