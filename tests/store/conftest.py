"""A folder for databases where a sync costs nothing, and a server to stop."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.postgres import Postgres, server
from tests.scenario import on_a_ram_disk


@pytest.fixture
def folder(
    tmp_path: Path, on_engine: Callable[[Path], AbstractContextManager[Path]]
) -> Iterator[Path]:
    """An empty folder, on a RAM disk where the machine has one, for a database of each engine."""
    with on_a_ram_disk(tmp_path) as quick, on_engine(quick) as ready:
        yield ready


@pytest.fixture
def own() -> Iterator[Postgres]:
    """A server of the test's own, which it may stop."""
    with server() as running:
        yield running
