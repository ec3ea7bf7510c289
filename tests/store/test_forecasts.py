"""Forecasts are kept beside what then happened, and only the newest."""

from pathlib import Path

import pytest
from sqlalchemy import insert

from tests.store.hand import new, open_store, put, rows
from tests.virtual_time import EPOCH
from waqcore.core.instants import SECOND
from waqcore.store import forecasts
from waqcore.store.forecasts import Fared, Forecast
from waqcore.store.store import Store
from waqcore.store.tables import attempt

S = SECOND


def _called(store: Store, seq: int, at: int, number: int = 1) -> None:
    store.write(
        lambda connection: connection.execute(
            insert(attempt).values(message_seq=seq, number=number, token="t", started_at=at)
        )
    )


def test_a_forecast_fares_by_its_messages_first_call(folder: Path) -> None:
    store = open_store(folder)
    put(store, new(1), new(2), new(3))
    made = [
        Forecast(1, EPOCH, EPOCH + 10 * S, EPOCH + 5 * S, EPOCH + 20 * S),
        Forecast(2, EPOCH, EPOCH + 20 * S, EPOCH + 15 * S, None),
        Forecast(3, EPOCH - 1, EPOCH + 30 * S, EPOCH + 25 * S, EPOCH + 60 * S),
    ]
    store.write(lambda connection: forecasts.keep(connection, made))
    _called(store, 1, EPOCH + 12 * S)
    _called(store, 1, EPOCH + 99 * S, number=2)
    _called(store, 3, EPOCH + 31 * S)

    fared = store.read(lambda connection: list(forecasts.fared(connection, EPOCH)))

    assert fared == [Fared(EPOCH + 10 * S, EPOCH + 5 * S, EPOCH + 20 * S, EPOCH + 12 * S)]
    store.close()


def test_only_the_newest_are_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecasts, "KEPT", 2)
    store = open_store(folder)
    put(store, *(new(n) for n in range(1, 5)))
    for seq in (1, 2, 3, 4):
        made = Forecast(seq, EPOCH + seq, EPOCH, EPOCH, None)
        store.write(lambda connection, one=made: forecasts.keep(connection, [one]))  # type: ignore[misc]

    assert rows(store, "SELECT message_seq FROM waq_forecast ORDER BY 1") == [(3,), (4,)]
    store.close()
