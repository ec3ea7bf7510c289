"""`waq status`: what a person and a script see."""

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import Result

from waqcore import LaneStatus, Queue
from waqcore.cli.status import repeat
from waqcore.cli.status_view import lane_table
from waqcore.words import View

Waq = Callable[..., Result]
Put = Callable[..., str]


def test_an_empty_queue_says_what_to_do(waq: Waq) -> None:
    result = waq("status")

    assert result.exit_code == 0
    assert "nothing; `waq send` queues a message" in result.stdout
    assert "NO DISPATCHER" not in result.stdout
    assert "none; `waq dispatch` starts one" in result.stdout


def test_a_queue_that_nobody_sends_is_said_loudly_and_first(waq: Waq, put: Put) -> None:
    put()

    lines = waq("status").stdout.splitlines()

    assert lines[0] == ("NO DISPATCHER IS RUNNING: nothing is sent. Start one with `waq dispatch`.")


def test_the_status_counts_and_names_what_is_next(waq: Waq, put: Put) -> None:
    put(priority="low")
    first = put(priority="high")
    put("failed", "it broke", calls=3)
    put("unknown")
    being_sent = put("sending")

    shown = waq("status").stdout

    assert "2: 1 high, 1 low" in shown
    assert f"{being_sent} (normal) to +62********890" in shown
    assert "1   waq messages --state failed" in shown
    assert "1   waq messages --state unknown" in shown
    following = shown.split("Next\n")[1].splitlines()
    assert following[1].split()[:5] == [first, "queued", "high", "+62********890", "now"]


def test_json_has_the_old_words_and_the_new(waq: Waq, put: Put) -> None:
    id_ = put()
    put("failed")

    told = json.loads(waq("status", "--json").stdout)

    assert set(told) == {
        "queue_length",
        "is_processing",
        "failed_messages",
        "accuracy",
        "estimated_time",
        "next_messages",
        "at",
        "queued",
        "scheduled",
        "sending",
        "next",
        "failed",
        "unknown",
        "clear_in_s",
        "dispatchers",
        "lanes",
    }
    assert told["queue_length"] == 1
    assert told["is_processing"] is False  # Nobody dispatches.
    assert told["failed_messages"] == told["failed"] == 1
    assert told["estimated_time"] == told["clear_in_s"] == 0.0
    assert [one["id"] for one in told["next_messages"]] == [id_]
    assert told["next"] == told["next_messages"]
    assert told["next"][0]["recipient"] == "+62********890"
    assert told["queued"] == {"high": 0, "normal": 1, "low": 0}
    assert datetime.fromisoformat(told["at"]).utcoffset() == timedelta(0)
    assert set(told["lanes"][0]) == {
        "sender",
        "queued",
        "scheduled",
        "condition",
        "reason",
        "until",
        "clear_at",
    }


def test_json_shows_numbers_whole_on_request(waq: Waq, put: Put) -> None:
    put()

    told = json.loads(waq("status", "--json", "--full-numbers").stdout)

    assert told["next"][0]["recipient"] == "+6281234567890"


def test_a_paused_lane_has_its_reason_and_no_time(waq: Waq, queue: Queue, put: Put) -> None:
    put()
    queue.pause("gateway moves")

    shown = waq("status").stdout

    assert "not known: 628114040707 held" in shown
    assert "628114040707  paused" in shown
    assert "gateway moves (by person)" in shown


def _lane(n: int, condition: str, queued: int) -> LaneStatus:
    return LaneStatus(
        sender=f"sender-{n}",
        queued=queued,
        scheduled=0,
        condition=condition,
        reason="",
        until=None,
        clear_at=None,
    )


def test_of_many_lanes_the_held_and_the_busiest_are_shown() -> None:
    lanes = [_lane(n, "ready", n) for n in range(20)]
    lanes[0] = _lane(0, "capped", 0)
    view = View(now=datetime(2026, 3, 1, tzinfo=UTC), zone=UTC)

    lines = [line.plain for line in lane_table(lanes, view, 80)]

    assert len(lines) == 1 + 15 + 1
    assert lines[1].split()[:2] == ["sender-0", "capped"]
    assert lines[2].split()[0] == "sender-19"
    assert lines[-1] == "and 5 lanes more, 15 queued there"  # 1 + 2 + 3 + 4 + 5.


def test_watching_looks_until_ctrl_c() -> None:
    looks: list[str] = []
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise KeyboardInterrupt

    repeat(lambda: looks.append("look"), 2.0, sleep)

    assert (len(looks), slept) == (3, [2.0, 2.0, 2.0])


@pytest.mark.parametrize("args", [("--watch", "0"), ("--watch=-1",), ("--watch", "often")])
def test_an_interval_that_makes_no_sense_is_refused(waq: Waq, args: tuple[str, ...]) -> None:
    result = waq("status", *args)

    assert result.exit_code == 2
    assert result.stderr.startswith("waq: Invalid value for '--watch'")


def test_how_forecasts_fared_is_told(waq: Waq, put: Put, tmp_path: Path) -> None:
    """Every call is a minute after its enqueue. Foretold: 40 s, range 30 to 70 s; 61 s, range 61 to
    62 s; 30 s, open-ended from 20 s. Two of three are inside, and 20 s off is the middle."""
    assert "forecasts    none has been proved in the last 24 h" in waq("status").stdout
    foretold = [(40, 30, 70), (61, 61, 62), (30, 20, None)]
    ids = [put("sent", calls=1) for _ in foretold]
    with sqlite3.connect(tmp_path / "q.db") as db:
        for id_, (at, low, high) in zip(ids, foretold, strict=True):
            db.execute(
                "INSERT INTO waq_forecast SELECT seq, enqueued_at, enqueued_at + ?,"
                " enqueued_at + ?, enqueued_at + ? FROM waq_message WHERE id = ?",
                (at * 10**6, low * 10**6, None if high is None else high * 10**6, id_),
            )
    db.close()

    shown = waq("status").stdout

    assert "off by 20 s (median) in the last 24 h; 67% of 3 inside their range" in shown
    told = json.loads(waq("status", "--json").stdout)["accuracy"]
    assert told == {"forecasts": 3, "off_s": 20.0, "inside": pytest.approx(2 / 3)}
