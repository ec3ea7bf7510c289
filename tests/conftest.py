"""Both engines: a folder for each test, with a SQLite file to be or a database on a real server."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.engines import NOTE, READY

if TYPE_CHECKING:
    from tests.postgres import Postgres
    from tests.store.hand import HandClock
    from waqcore.queue import Queue


@pytest.fixture(scope="session")
def postgres() -> "Iterator[Postgres]":
    """A running PostgreSQL server."""
    # Imported here: most tests need none of it.
    from tests.postgres import server
    from waqcore.store import schema
    from waqcore.store.server import Server

    with server() as running:
        running.sql(f"CREATE DATABASE {READY}")
        made = Server(running.url(READY))
        made.write(schema.upgrade)
        made.close()
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn; a module whose tests are of one alone overrides it."""
    name: str = request.param
    return name


@pytest.fixture
def template() -> str:
    """What the database on the server is a copy of; `template0` is empty."""
    return READY


@pytest.fixture
def on_engine(
    request: pytest.FixtureRequest, engine: str, template: str
) -> Callable[[Path], AbstractContextManager[Path]]:
    """Makes a folder that of a test on an engine, until the end of a block."""

    @contextmanager
    def made(folder: Path) -> Iterator[Path]:
        if engine == "sqlite":
            yield folder
            return
        running: Postgres = request.getfixturevalue("postgres")
        with running.database(template) as url:
            (folder / NOTE).write_text(url)
            yield folder

    return made


@pytest.fixture
def clock() -> "HandClock":
    """A clock that stands still until it is told to go on."""
    from tests.store.hand import HandClock

    return HandClock()


@pytest.fixture
def queue(
    tmp_path: Path,
    clock: "HandClock",
    on_engine: Callable[[Path], AbstractContextManager[Path]],
) -> "Iterator[Queue]":
    """An open queue that lives by the clock, on each engine."""
    from tests.payments.stage import a_queue

    with a_queue(tmp_path, clock, on_engine) as opened:
        yield opened
