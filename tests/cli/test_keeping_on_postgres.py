"""What looks after the database, on PostgreSQL: each verb once, on a real server."""

import json
from collections.abc import Callable, Iterator

import psycopg
import pytest
from typer.testing import Result

from tests.postgres import Postgres
from waqcore import Queue

Waq = Callable[..., Result]


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    """An empty database on it."""
    with postgres.database() as found:
        yield found


@pytest.fixture
def there(waq: Waq, url: str) -> Callable[..., Result]:
    """`waq` on that database."""

    def run(*args: str, input_: bytes = b"") -> Result:
        return waq(*args, input_=input_, WAQ_DATABASE_URL=url)

    return run


def _sql(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def _grades(there: Waq) -> dict[str, str]:
    told = json.loads(there("doctor", "--json").stdout)["findings"]
    return {one["what"]: one["grade"] for one in told}


def test_the_doctor_sees_a_server_with_and_without_a_schema(there: Waq) -> None:
    before = _grades(there)
    there("status")

    after = _grades(there)

    assert (before["database"], before["schema"]) == ("ok", "warn")
    assert (after["database"], after["schema"], after["lanes"]) == ("ok", "ok", "ok")


def test_the_doctor_names_a_server_that_is_not_there_without_its_password(waq: Waq) -> None:
    url = "postgresql://user:s3cret-word@127.0.0.1:9/queue"

    result = waq("doctor", WAQ_DATABASE_URL=url)

    assert result.exit_code == 1
    assert (
        "bad  database     postgresql+psycopg://user:***@127.0.0.1:9/queue cannot be read"
        in result.stdout
    )
    assert "s3cret-word" not in result.output


def test_old_messages_are_erased_and_keys_are_kept(there: Waq, url: str) -> None:
    there("send", "081234567890", "a text", "--key", "k", "--reference", "R")
    _sql(url, "UPDATE waq_message SET state = 'sent', ended_at = 1")

    result = there("purge", "--older-than", "1", "--yes")

    assert result.stdout.endswith("Erased: 1 message.\n")
    (row,) = _sql(url, "SELECT recipient, body, reference, idempotency_key FROM waq_message")
    assert row == ("", "", None, "k")


def test_messages_of_another_system_are_taken_over(there: Waq, url: str) -> None:
    row = {
        "number": "081234567890",
        "message": "Halo",
        "priority": "high",
        "attempts": 2,
        "created_at": "2026-03-01 09:00:00",
    }

    dump = json.dumps([row]).encode()
    first, again = there("import", "-", input_=dump), there("import", "-", input_=dump)

    assert first.stdout.startswith("Queued: 1 message.")
    assert again.stdout.startswith("Queued: 0 messages.")
    assert _sql(url, "SELECT failures, maybe_duplicate FROM waq_message") == [(2, 1)]


def test_a_restored_server_is_paused_and_marked(there: Waq, url: str) -> None:
    there("send", "081234567890", "a text")
    _sql(url, "UPDATE waq_message SET enqueued_at = 1")

    result = there("restored", "--backup-taken-at", "2020-01-01", "--yes")

    assert "Marked: 1 message. Every sender is paused." in result.stdout
    assert _sql(url, "SELECT pause_by FROM waq_lane") == [("person",)]


def test_a_copy_of_a_server_is_its_own_tools_to_make(there: Waq, queue: Queue) -> None:
    result = there("backup", "x.db")

    assert result.exit_code == 2
    assert "pg_dump" in result.stderr
