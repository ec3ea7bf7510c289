"""A user row and its messages commit together or not at all, whoever began the transaction."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import django
import psycopg
import pytest
from django.conf import settings as django_settings
from django.db.utils import ConnectionHandler
from psycopg.rows import dict_row
from sqlalchemy import Connection, NullPool, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session

from tests.engines import address, an_engine, is_server
from tests.scenario import RECIPIENT, SENDER
from tests.store.hand import HandClock
from waqcore.queue import Queue
from waqcore.senders import fleet
from waqcore.settings import Kind, Settings
from waqcore.store.errors import StoreError

ADD = "INSERT INTO account VALUES ('sari')"


class Undone(Exception):
    """What the application gives its transaction up for."""


@contextmanager
def of_a_connection(folder: Path) -> Iterator[tuple[Any, Callable[[], Any]]]:
    with an_engine(folder).begin() as connection:
        yield connection, lambda: connection.execute(text(ADD))


@contextmanager
def of_a_session(folder: Path) -> Iterator[tuple[Any, Callable[[], Any]]]:
    with Session(an_engine(folder)) as session, session.begin():
        yield session, lambda: session.execute(text(ADD))


@contextmanager
def of_a_driver(folder: Path) -> Iterator[tuple[Any, Callable[[], Any]]]:
    if is_server(folder):
        # Rows as the application likes them are not what we read.
        with psycopg.connect(address(folder), row_factory=dict_row) as server:
            yield server, lambda: server.execute(ADD)
        return
    file = sqlite3.connect(folder / "queue.db")
    file.row_factory = sqlite3.Row
    try:
        with file:
            yield file, lambda: file.execute(ADD)
    finally:
        file.close()


@contextmanager
def of_django(folder: Path) -> Iterator[tuple[Any, Callable[[], Any]]]:
    connection = a_django_connection(folder)
    try:
        with atomic(connection):
            yield connection, lambda: execute(connection, ADD)
    finally:
        connection.close()


def a_django_connection(folder: Path) -> Any:
    if not django_settings.configured:
        django_settings.configure()
        django.setup()
    if is_server(folder):
        parts = psycopg.conninfo.conninfo_to_dict(address(folder))
        base = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts["dbname"],
            "USER": parts["user"],
            "HOST": parts["host"],
        }
    else:
        base = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "queue.db")}
    return ConnectionHandler({"default": base})["default"]


@contextmanager
def atomic(connection: Any) -> Iterator[None]:
    """What `transaction.atomic` does, for a connection that no settings name."""
    connection.set_autocommit(False)
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    else:
        connection.commit()
    finally:
        connection.set_autocommit(True)


def execute(connection: Any, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


OWNERS: dict[str, Callable[[Path], AbstractContextManager[tuple[Any, Callable[[], Any]]]]] = {
    "a SQLAlchemy connection": of_a_connection,
    "a SQLAlchemy session": of_a_session,
    "the driver's connection": of_a_driver,
    "a Django connection": of_django,
}


@pytest.fixture
def queue(folder: Path) -> Iterator[Queue]:
    settings = Settings(database_url=address(folder), whatsapp_sender=SENDER, gateway=Kind.SANDBOX)
    with Queue(settings, fleet(settings, {}), clock=HandClock()) as queue:
        with an_engine(folder).begin() as connection:
            connection.execute(text("CREATE TABLE account (name TEXT)"))
        yield queue


def accounts(folder: Path) -> int:
    with an_engine(folder).connect() as connection:
        count: int = connection.execute(text("SELECT count(*) FROM account")).scalar_one()
        return count


@pytest.mark.parametrize("owner", OWNERS)
def test_the_owner_commits_both(queue: Queue, folder: Path, owner: str) -> None:
    with OWNERS[owner](folder) as (connection, add):
        add()
        queue.enqueue(RECIPIENT, "a", connection=connection)
        queue.enqueue(RECIPIENT, "b", connection=connection, idempotency_key="k")
        again = queue.enqueue(RECIPIENT, "b", connection=connection, idempotency_key="k")
        unseen = len(queue.messages()), accounts(folder)

    assert unseen == (0, 0)
    assert sorted(message.body for message in queue.messages()) == ["a", "b"]
    assert queue.message(again.id).body == "b"
    assert accounts(folder) == 1


@pytest.mark.parametrize("owner", OWNERS)
def test_the_owner_undoes_both(queue: Queue, folder: Path, owner: str) -> None:
    def register() -> None:
        with OWNERS[owner](folder) as (connection, add):
            queue.enqueue(RECIPIENT, "a", connection=connection)
            add()
            raise Undone

    with pytest.raises(Undone):
        register()

    assert queue.messages() == []
    assert accounts(folder) == 0


@pytest.mark.parametrize("engine", ["postgresql"])  # For a file SQLAlchemy needs another driver.
def test_an_asynchronous_owner_commits_or_undoes_both(queue: Queue, folder: Path) -> None:
    engine = create_async_engine(an_engine(folder).url, poolclass=NullPool)

    def register(connection: Connection) -> None:
        connection.execute(text(ADD))
        queue.enqueue(RECIPIENT, "100 %", connection=connection)

    async def both() -> None:
        async with engine.connect() as connection:
            await connection.run_sync(register)
            await connection.rollback()
            await connection.run_sync(register)
            await connection.commit()

    asyncio.run(both())

    assert [message.body for message in queue.messages()] == ["100 %"]
    assert accounts(folder) == 1


def test_a_connection_that_commits_by_itself_is_refused(queue: Queue, folder: Path) -> None:
    theirs: Any = (
        psycopg.connect(address(folder), autocommit=True)
        if is_server(folder)
        else sqlite3.connect(folder / "queue.db", isolation_level=None)
    )

    with pytest.raises(StoreError, match="begin a transaction first"):
        queue.enqueue(RECIPIENT, "a", connection=theirs)

    theirs.close()
    assert queue.messages() == []


def test_what_is_no_connection_is_refused(queue: Queue) -> None:
    with pytest.raises(StoreError, match="not str"):
        queue.enqueue(RECIPIENT, "a", connection="postgresql://x/y")


def test_a_transaction_of_the_other_engine_is_refused(queue: Queue, folder: Path) -> None:
    theirs = sqlite3.connect(":memory:")
    if is_server(folder):
        with pytest.raises(StoreError, match="of sqlite, and the queue is in postgresql"):
            queue.enqueue(RECIPIENT, "a", connection=theirs)
    theirs.close()


@pytest.mark.parametrize("engine", ["postgresql"])
def test_another_driver_of_postgresql_is_refused(queue: Queue, folder: Path) -> None:
    engine = an_engine(folder)
    engine.dialect.driver = "psycopg2"

    with (
        engine.connect() as theirs,
        pytest.raises(StoreError, match=r"psycopg2, .* connect to postgresql\+psycopg://"),
    ):
        queue.enqueue(RECIPIENT, "a", connection=theirs)
