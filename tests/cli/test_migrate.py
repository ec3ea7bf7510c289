"""`waq migrate` says from which schema to which, on both engines."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.cli.conftest import Waq
from tests.engines import address
from tests.store import first_release
from waqcore.store import schema


@pytest.fixture
def template() -> str:
    """Empty."""
    return "template0"


def test_it_makes_the_tables_once(
    waq: Waq, tmp_path: Path, on_engine: Callable[[Path], AbstractContextManager[Path]]
) -> None:
    with on_engine(tmp_path) as folder:
        first = waq("migrate", WAQ_DATABASE_URL=address(folder))
        again = waq("migrate", WAQ_DATABASE_URL=address(folder))

    assert (first.exit_code, again.exit_code) == (0, 0)
    assert first.output == f"made the tables, at schema {schema.HEAD}\n"
    assert again.output == f"the database is at schema {schema.HEAD}: nothing to do\n"


def test_it_says_from_which_schema_it_came(
    waq: Waq, tmp_path: Path, on_engine: Callable[[Path], AbstractContextManager[Path]]
) -> None:
    with on_engine(tmp_path) as folder:
        first_release.Database(folder).make()

        told = waq("migrate", WAQ_DATABASE_URL=address(folder))

    assert told.output == f"upgraded the database from schema 0001 to {schema.HEAD}\n"
