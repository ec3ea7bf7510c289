"""Wrong passwords are counted by address and by name, for a while, by all processes together."""

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.payments.stage import OnEngine
from tests.store.hand import HandClock, open_store, rows
from waqcore.store.store import Store
from waqcore.web.admin.throttle import ADDRESS_MAX, NAME_MAX, WINDOW_US, Throttle

WINDOW_S = WINDOW_US / 1e6


@pytest.fixture
def store(tmp_path: Path, clock: HandClock, on_engine: OnEngine) -> Iterator[Store]:
    with on_engine(tmp_path) as folder, closing(open_store(folder, clock)) as opened:
        yield opened


def test_tries_are_forgotten_after_a_while(store: Store, clock: HandClock) -> None:
    throttle = Throttle(store)
    let_in = [throttle.take("10.0.0.1", "budi") for _ in range(ADDRESS_MAX)]
    clock.advance(100)

    early = throttle.take("10.0.0.1", "budi")
    clock.advance(WINDOW_S - 99)
    late = throttle.take("10.0.0.1", "budi")

    assert let_in == [0.0] * ADDRESS_MAX
    assert early == pytest.approx(WINDOW_S - 100, abs=1)
    assert late == 0.0
    assert len(rows(store, "SELECT key FROM waq_login_try")) == 2, "the latest, by either key"


def test_many_addresses_cannot_try_one_name_for_ever(store: Store) -> None:
    throttle = Throttle(store)
    for n in range(NAME_MAX):
        assert throttle.take(f"10.0.0.{n}", "budi") == 0

    assert throttle.take("10.9.9.9", "budi") > 0
    assert throttle.take("10.9.9.9", "sari") == 0


def test_many_tries_at_once_count_as_many(store: Store) -> None:
    throttle = Throttle(store)
    waits: list[float] = []

    def attempt() -> None:
        waits.append(throttle.take("10.0.0.1", "budi"))

    threads = [threading.Thread(target=attempt) for _ in range(2 * ADDRESS_MAX)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert [wait == 0 for wait in waits].count(True) == ADDRESS_MAX
    assert len(waits) == 2 * ADDRESS_MAX
