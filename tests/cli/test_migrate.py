"""`waq migrate` says from which schema to which, on both engines."""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest

from tests.cli.conftest import Waq
from tests.engines import address
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


def test_it_says_from_which_schema_it_came(waq: Waq, tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as old:
        _first_schema(path)
        assert old.execute("SELECT version_num FROM waq_schema_version").fetchall() == [("0001",)]

    told = waq("migrate", WAQ_DATABASE_URL=f"sqlite:///{path}")

    assert told.output == f"upgraded the database from schema 0001 to {schema.HEAD}\n"


def _first_schema(path: Path) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    engine = create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
