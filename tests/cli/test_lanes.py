"""`waq pause`, `resume`, `process` and `override-pace`."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from waqcore import Queue

Waq = Callable[..., Result]
Put = Callable[..., str]


def _conditions(queue: Queue) -> dict[str, str]:
    return {lane.sender: lane.condition for lane in queue.status().lanes}


@pytest.fixture
def environ(environ: dict[str, str]) -> dict[str, str]:
    return {**environ, "WAQ_SENDERS": "628129990001"}


def test_one_sender_is_paused_and_resumed(waq: Waq, queue: Queue) -> None:
    paused = waq("pause", "--sender", "628129990001", "--reason", "moves")

    assert paused.exit_code == 0
    assert "628129990001  paused" in paused.stdout
    assert "628114040707" not in paused.stdout
    assert _conditions(queue) == {"628114040707": "idle", "628129990001": "paused"}

    resumed = waq("resume", "--sender", "628129990001")

    assert resumed.exit_code == 0
    assert _conditions(queue) == {"628114040707": "idle", "628129990001": "idle"}


def test_all_senders_are_paused_until_an_instant(waq: Waq, queue: Queue) -> None:
    result = waq("pause", "--reason", "night", "--until", "2030-01-01T06:00")

    assert result.exit_code == 0
    lanes = queue.status().lanes
    assert [lane.condition for lane in lanes] == ["paused", "paused"]
    assert {lane.until.isoformat()[:16] for lane in lanes if lane.until} == {"2029-12-31T23:00"}


def test_processing_does_not_end_a_persons_pause_and_shows_that(
    waq: Waq, queue: Queue, put: Put
) -> None:
    put()
    queue.pause("moves", sender="628129990001")

    result = waq("process")

    assert result.exit_code == 0
    assert "628114040707  ready" in result.stdout
    assert "628129990001  paused" in result.stdout
    assert "NO DISPATCHER IS RUNNING" in result.stdout


def test_the_pace_is_overridden_with_a_reason_that_the_audit_keeps(waq: Waq, queue: Queue) -> None:
    result = waq("override-pace", "628114040707", "--reason", "doors close", "--yes")

    assert result.exit_code == 0
    assert "WhatsApp bans senders for less" in result.stdout
    happening = queue.audit()[0].happening
    assert happening.action == "override pace"
    assert (happening.sender, happening.detail) == ("628114040707", "doors close")
    assert happening.actor.startswith("cli:")


def test_a_paused_lane_says_how_to_end_that(waq: Waq, queue: Queue, tmp_path: Path) -> None:
    queue.pause("moves", sender="628129990001")
    with sqlite3.connect(tmp_path / "q.db") as db:
        db.execute(
            "UPDATE waq_lane SET pause_by = 'gateway', pause_reason = 'device is Disconnect'"
            " WHERE pause_by IS NOT NULL"
        )
    db.close()

    shown = waq("status").stdout

    assert "device is Disconnect (by gateway); `waq resume --sender 628129990001` ends it" in shown
    assert "`waq resume --sender 628114040707`" not in shown


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (("pause", "--sender", "5", "--reason", "x"), "sender '5' is not configured"),
        (("resume", "--sender", "5"), "sender '5' is not configured"),
        (("process", "--sender", "5"), "sender '5' is not configured"),
        (("override-pace", "5", "--reason", "x", "--yes"), "sender '5' is not configured"),
        (
            ("override-pace", "628114040707", "--reason", " ", "--yes"),
            "--reason is empty",
        ),
        (("pause",), "Missing option '--reason'"),
        (("pause", "--reason", " "), "--reason is empty"),
        (("pause", "--reason", "x", "--until", "2020-01-01"), "--until 2020-01-01 has passed"),
    ],
)
def test_a_sender_or_reason_that_is_wrong_changes_nothing(
    waq: Waq, queue: Queue, args: tuple[str, ...], complaint: str
) -> None:
    result = waq(*args)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"waq: {complaint}")
    assert result.stderr.count("\n") == 1
    assert queue.audit() == []
