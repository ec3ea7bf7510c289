"""Stories are played on both engines."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest


@pytest.fixture
def tmp_path(
    tmp_path: Path, on_engine: Callable[[Path], AbstractContextManager[Path]]
) -> Iterator[Path]:
    """The folder of a story, for a database of each engine."""
    with on_engine(tmp_path) as ready:
        yield ready
