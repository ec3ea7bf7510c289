"""A real database in a temporary folder, and `waq` run over it in an environment of its own."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copy
from typing import Any, Protocol

import pytest
from typer.testing import CliRunner, Result

from waqcore import Draft, Queue
from waqcore.cli import app

SENDER = "628114040707"
MINUTE_US = 60_000_000


def _environ(folder: Path) -> dict[str, str]:
    """The settings of one sender on the gateway that sends nothing."""
    return {
        "WHATSAPP_SENDER": SENDER,
        "WAQ_GATEWAY": "sandbox",
        "WAQ_DATABASE_URL": f"sqlite:///{folder}/q.db",
    }


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database to copy: making one takes longer than most tests."""
    folder = tmp_path_factory.mktemp("empty")
    Queue.from_env(_environ(folder)).close()
    return folder / "q.db"


@pytest.fixture
def environ(tmp_path: Path, empty_database: Path) -> dict[str, str]:
    """The environment of `waq`, with an empty database."""
    copy(empty_database, tmp_path)
    return _environ(tmp_path)


class Waq(Protocol):
    """Runs a command line; `env` adds to the environment, `input_` is what stdin holds."""

    def __call__(self, *args: str, input_: bytes = b"", **env: str) -> Result: ...


@pytest.fixture
def waq(environ: dict[str, str]) -> Waq:
    """`waq`, without what the developer's own environment says."""
    theirs = [name for name in os.environ if name.startswith(("WAQ_", "WHATSAPP_", "COLUMNS"))]

    def run(*args: str, input_: bytes = b"", **env: str) -> Result:
        given = {**dict.fromkeys(theirs), **environ, **env}
        return CliRunner().invoke(app, list(args), input=input_, env=given)

    return run


@pytest.fixture
def queue(environ: dict[str, str]) -> Iterator[Queue]:
    """The same queue by its Python interface: what tests prepare and judge by."""
    with Queue.from_env(environ, actor="test") as opened:
        yield opened


Put = Callable[..., str]


@pytest.fixture
def put(queue: Queue, tmp_path: Path) -> Put:
    """Puts a message into the queue, in any state, and returns its id."""

    def put_in(state: str = "queued", reason: str = "", calls: int = 0, **draft: Any) -> str:
        whole = {"to": "081234567890", "body": "hello", **draft}
        (message,) = queue.enqueue_many([Draft(**whole)])
        id_ = message.id
        with sqlite3.connect(tmp_path / "q.db") as db:
            ((seq, at),) = db.execute(
                "SELECT seq, enqueued_at FROM waq_message WHERE id = ?", (id_,)
            )
            for n in range(1, calls + 1):
                started_at = at + n * MINUTE_US
                values = (seq, n, f"{id_}-{n}", started_at, started_at + 1_500_000)
                db.execute(
                    "INSERT INTO waq_attempt (message_seq, number, token, started_at, finished_at,"
                    " outcome, http_status, detail)"
                    " VALUES (?, ?, ?, ?, ?, 'not_sent', 500, 'it broke')",
                    values,
                )
            db.execute(
                "UPDATE waq_message SET state = ?, reason = ?, attempts = ?, failures = ?,"
                " lease_token = ?, ended_at = ? WHERE id = ?",
                (
                    state,
                    reason,
                    calls,
                    calls,
                    "leased" if state == "sending" else None,
                    at if state in ("sent", "failed", "cancelled", "expired") else None,
                    id_,
                ),
            )
        db.close()
        return id_

    return put_in
