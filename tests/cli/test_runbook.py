"""The runbook: every command of it that is `waq`'s is run, in a place where it makes sense."""

import json
import re
import shlex
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from waqcore import Queue, deploy

Waq = Callable[..., Result]
Put = Callable[..., str]

SENDER = "628114040707"
RUNBOOK = deploy.shipped()["RUNBOOK.md"].decode()


def _commands() -> list[str]:
    """The lines of its blocks that begin with `waq`, each once."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", RUNBOOK, re.MULTILINE | re.DOTALL)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return list(dict.fromkeys(line for line in lines if line.startswith("waq ")))


@pytest.fixture
def scene(queue: Queue, put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue with something of everything in it, and the files that commands name."""
    monkeypatch.chdir(tmp_path)
    put()
    put("failed", calls=3)
    queue.suppress("081234567899", reason="asked")
    row = ("number", "message", "priority", "attempts", "created_at")
    values = ("081234567890", "Halo", "high", 0, "2026-03-01 09:00:00")
    (tmp_path / "queue.json").write_text(json.dumps([dict(zip(row, values, strict=True))]))
    with sqlite3.connect(tmp_path / "q.db") as db:
        db.execute(
            "INSERT INTO waq_event (at, actor, action, messages) VALUES (1, 'x', 'backup', 0)"
        )
    db.close()


def _filled_in(command: str, queue: Queue, put: Put, tmp_path: Path) -> list[str]:
    state = "unknown" if " resolve " in command else "queued"
    if "$BATCH" in command:
        put()
        command = command.replace("$BATCH", queue.clear()[0])
    if "$ID" in command:
        command = command.replace("$ID", put(state))
    command = command.replace("$SENDER", SENDER)
    command = command.replace("/var/lib/waqcore-backup", str(tmp_path))
    return shlex.split(command)[1:]


@pytest.mark.usefixtures("scene")
@pytest.mark.parametrize("command", _commands())
def test_every_command_does_what_it_says(
    waq: Waq, queue: Queue, put: Put, tmp_path: Path, command: str
) -> None:
    result = waq(*_filled_in(command, queue, put, tmp_path))

    # Of a queue with nobody to send it the doctor cannot think well.
    assert result.exit_code in ((1,) if command == "waq doctor" else (0,)), result.output


def test_there_are_commands_in_it() -> None:
    assert len(_commands()) > 20


@pytest.mark.parametrize(
    "section",
    [
        *("Queue stuck", "Sender banned", "Gateway down", "Disk full", "Cleared by mistake"),
        *("Key rotated", "Restored from a backup", "Upgrade", "Rollback"),
        *("Cut-over from the old system", "Moving to PostgreSQL"),
    ],
)
def test_every_trouble_has_its_section(section: str) -> None:
    assert f"\n## {section}\n" in RUNBOOK


def test_alerts_lead_to_a_section_that_names_them() -> None:
    rules = deploy.shipped()["prometheus/waqcore.rules.yml"].decode()

    named = set(re.findall(r"`(Waq\w+)`", RUNBOOK))

    assert named
    assert named <= set(re.findall(r"alert: (\w+)", rules))
