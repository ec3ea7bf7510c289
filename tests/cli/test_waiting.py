"""`waq dispatch` and `waq serve` on a PostgreSQL server that is down, or refuses them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests.cli.conftest import SENDER
from tests.cli.terminal import RUN
from tests.postgres import Postgres, server

COMMANDS = (("dispatch",), ("serve", "--port", "0"))
BEGUN = {"dispatch": '"event": "dispatching"', "serve": '"event": "serving"'}


@contextmanager
def started(url: str, folder: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
    """A service on a database, with its log as JSON on stderr."""
    environ = {
        "PATH": os.environ["PATH"],
        "WHATSAPP_SENDER": SENDER,
        "WAQ_GATEWAY": "sandbox",
        "WAQ_DATABASE_URL": url,
    }
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, *command, "--log", "json"],
        env=environ,
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def read_until(stream: IO[str] | None, words: str) -> str:
    """The lines of a stream up to one with these words, or to its end."""
    assert stream is not None
    read = ""
    for line in stream:
        read += line
        if words in line:
            break
    return read


@pytest.fixture
def own() -> Iterator[Postgres]:
    """A server that a test may stop."""
    with server() as running:
        running.sql("CREATE DATABASE queue")
        yield running


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_service_waits_for_its_server(
    own: Postgres, tmp_path: Path, command: tuple[str, ...]
) -> None:
    own.stop()
    with started(own.url("queue"), tmp_path, *command) as process:
        before = read_until(process.stderr, "waiting for the database")
        own.start()
        after = read_until(process.stderr, BEGUN[command[0]])
        process.send_signal(signal.SIGTERM)

        assert process.wait(30) == 0
    assert "cannot be reached" in before
    assert "check that the server runs" in before
    assert BEGUN[command[0]] in after
    assert "Traceback" not in before + after


def test_one_that_waits_ends_at_sigterm(tmp_path: Path) -> None:
    with started(f"postgresql://waq@/queue?host={tmp_path}", tmp_path, "dispatch") as process:
        read_until(process.stderr, "waiting for the database")
        process.send_signal(signal.SIGTERM)

        assert process.wait(30) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_a_database_that_is_not_there_ends_it_with_a_line(
    postgres: Postgres, tmp_path: Path, command: tuple[str, ...]
) -> None:
    with started(postgres.url("nothing"), tmp_path, *command) as process:
        said = read_until(process.stderr, "no such words")

        assert process.wait(30) == 1
    assert said.startswith("waq: the database postgresql")
    assert "create it first" in said
    assert said.count("\n") == 1
