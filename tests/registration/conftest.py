"""A queue to register at, on each engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.payments.stage import OnEngine, a_queue
from tests.store.hand import HandClock
from waqcore.queue import Queue


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def queue(tmp_path: Path, clock: HandClock, on_engine: OnEngine) -> Iterator[Queue]:
    with a_queue(tmp_path, clock, on_engine) as queue:
        yield queue
