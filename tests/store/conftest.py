"""A folder for databases where a sync costs nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenario import on_a_ram_disk


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """An empty folder, on a RAM disk where the machine has one."""
    with on_a_ram_disk(tmp_path) as quick:
        yield quick
