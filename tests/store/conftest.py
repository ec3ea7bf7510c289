"""A folder for databases where a sync costs nothing."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.scenario import on_a_ram_disk


@pytest.fixture
def folder(
    tmp_path: Path, on_engine: Callable[[Path], AbstractContextManager[Path]]
) -> Iterator[Path]:
    """An empty folder, on a RAM disk where the machine has one, for a database of each engine."""
    with on_a_ram_disk(tmp_path) as quick, on_engine(quick) as ready:
        yield ready
