"""Alerts reach whom ops named: each once, not once a process; together, not one by one."""

import asyncio
import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from standardwebhooks.webhooks import Webhook

from tests.payments.stage import a_setting
from tests.scenario import SENDER, SIBLING, START
from tests.store.hand import HandClock
from waqcore.alerts import conditions
from waqcore.alerts.tell import ALERTS_MAX, Teller, ways
from waqcore.core.instants import MINUTE, SECOND
from waqcore.queue import Queue
from waqcore.settings import Settings
from waqcore.signature import new_secret
from waqcore.store import alerts, events, forecasts
from waqcore.store.controls import Filter
from waqcore.store.events import Happening
from waqcore.store.forecasts import Fared


class Ops:
    """Whoever is told: what they heard, and whether they take it."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.problem = ""

    async def __call__(self, id_: str, body: bytes) -> str:
        self.heard.append((id_, json.loads(body)))
        await asyncio.sleep(0)
        return self.problem

    @property
    def alerts(self) -> list[list[str]]:
        return [[one["alert"] for one in said["alerts"]] for _, said in self.heard]


@pytest.fixture
def ops() -> Ops:
    return Ops()


async def inline(work: Callable[[], Any]) -> Any:
    return work()


def look(queue: Queue, *several: Ops) -> None:
    """One look of each teller, as of processes that run at once."""

    async def go() -> None:
        await asyncio.gather(*(Teller(queue.store, inline, [ops]).look() for ops in several))

    asyncio.run(go())


def happens(queue: Queue, *actions: str, sender: str | None = SENDER, detail: str = "x") -> None:
    wall = queue.store.now().wall
    said = [Happening("dispatcher", action, sender, detail) for action in actions]
    queue.store.write(lambda connection: events.record(connection, said, wall))


def test_an_alert_is_told_once(queue: Queue, ops: Ops, clock: HandClock) -> None:
    look(queue, ops)
    happens(queue, "lane paused", detail="disconnected")
    look(queue, ops)
    clock.advance(3_600)
    look(queue, ops)

    ((_, said),) = ops.heard
    assert said["type"] == "waqcore.alert"
    assert said["text"] == f"waqcore: lane paused {SENDER}: disconnected"
    assert said["alerts"][0]["at"] == "2026-01-01T00:00:00+00:00"


def test_what_happened_before_anybody_asked_is_no_news(queue: Queue, ops: Ops) -> None:
    happens(queue, "lane paused")

    look(queue, ops)

    assert ops.heard == []


def test_of_two_processes_one_tells(queue: Queue, ops: Ops) -> None:
    other = Ops()
    look(queue, ops, other)
    happens(queue, "breaker opened")

    look(queue, ops, other)

    assert ops.alerts + other.alerts == [["breaker opened"]]


def test_what_one_has_claimed_nobody_else_gets(queue: Queue, ops: Ops) -> None:
    look(queue, ops)
    happens(queue, "lane paused")
    now = queue.store.now()

    def claim(connection: Connection) -> alerts.Claimed | None:
        until = now.steady + SECOND
        return alerts.claim(connection, ["lane paused"], now, until=until, limit=1)

    assert queue.store.write(claim) is not None
    assert queue.store.write(claim) is None


def test_what_people_do_and_what_fails_every_day_is_no_alert(queue: Queue, ops: Ops) -> None:
    look(queue, ops)
    happens(queue, "pause", "message failed", "cancel", "lane recovered")

    look(queue, ops)

    assert ops.alerts == [["lane recovered"]]


def test_a_storm_is_told_together_and_not_more_often_than_every_half_minute(
    queue: Queue, ops: Ops, clock: HandClock
) -> None:
    look(queue, ops)
    happens(queue, "lane paused")
    look(queue, ops)
    happens(queue, *["breaker opened", "lane recovered"] * 20)
    look(queue, ops)
    clock.advance(29)
    look(queue, ops)
    assert len(ops.heard) == 1

    clock.advance(2)
    look(queue, ops)
    clock.advance(31)
    look(queue, ops)

    assert len(ops.heard) == 2
    said = ops.heard[1][1]
    assert (len(said["alerts"]), said["more"]) == (ALERTS_MAX, 20)
    assert said["text"].endswith("waqcore: and 20 more")


def test_an_alert_that_is_not_taken_is_told_again(
    queue: Queue, ops: Ops, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    look(queue, ops)
    happens(queue, "lane paused")
    ops.problem = "WAQ_ALERT_URL answered 500"
    look(queue, ops)
    look(queue, ops)
    assert len(ops.heard) == 1
    assert "an alert was not taken" in caplog.text

    ops.problem = ""
    clock.advance(61)
    look(queue, ops)
    clock.advance(61)
    look(queue, ops)

    assert ops.alerts == [["lane paused"], ["lane paused"]]
    assert ops.heard[0][0] == ops.heard[1][0]


def test_what_a_dead_process_was_about_to_tell_is_told_by_another(
    queue: Queue, ops: Ops, clock: HandClock
) -> None:
    look(queue, ops)
    happens(queue, "lane paused")

    async def die() -> None:
        async def never(_id: str, _body: bytes) -> str:
            await asyncio.Event().wait()
            return ""

        task = asyncio.create_task(Teller(queue.store, inline, [never]).look())
        for _ in range(10):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(die())
    look(queue, ops)
    assert ops.heard == []
    clock.advance(61)
    look(queue, ops)
    assert ops.alerts == [["lane paused"]]


# Conditions


def aged(queue: Queue, minutes: float = 60.0, **settings: Any) -> None:
    conditions.look(queue.store, a_setting(Path(), alert_oldest_minutes=minutes, **settings))


def said(queue: Queue) -> list[tuple[str, str | None, str]]:
    lines = [line.happening for line in queue.audit() if line.happening.actor == "watch"]
    return [(one.action, one.sender, one.detail) for one in reversed(lines)]


def test_a_message_that_waits_too_long_is_told_of_once_until_it_has_gone(
    queue: Queue, clock: HandClock
) -> None:
    message = queue.enqueue("081234567890", "Halo", sender=SIBLING)
    clock.advance(3_600)
    aged(queue)
    assert said(queue) == []

    clock.advance(60)
    aged(queue)
    aged(queue)
    queue.cancel(Filter(ids=(message.id,)))
    aged(queue)

    assert said(queue) == [
        (
            "oldest message too old",
            SIBLING,
            "a message has been due for 61 minutes, the limit is 60",
        ),
        ("oldest message no longer too old", None, ""),
    ]


def test_a_wait_that_hovers_at_the_limit_is_told_of_once(queue: Queue, clock: HandClock) -> None:
    first = queue.enqueue("081234567890", "Halo")
    clock.advance(4 * 60)
    queue.enqueue("081234567890", "Halo 2")
    clock.advance(57 * 60)
    aged(queue)
    queue.cancel(Filter(ids=(first.id,)))

    aged(queue)

    assert [action for action, _, _ in said(queue)] == ["oldest message too old"]


def test_a_message_for_later_is_not_old(queue: Queue, clock: HandClock) -> None:
    queue.enqueue("081234567890", "Halo", send_at=START + timedelta(hours=3))
    clock.advance(2 * 3_600)

    aged(queue)

    assert said(queue) == []


def test_forecasts_that_are_far_off_are_told_of(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    off = [Fared(0, 0, None, n * MINUTE) for n in range(21)]
    monkeypatch.setattr(forecasts, "fared", lambda *_: off)

    aged(queue, alert_eta_minutes=10)
    assert said(queue) == []
    aged(queue, alert_eta_minutes=9.5)

    ((action, _, detail),) = said(queue)
    assert action == "forecasts too far off"
    assert detail == (
        "forecasts of the last day were off by 10.0 minutes in the median, the limit is 9.5"
    )


# Ways


def told(settings: Settings, queue: Queue, body: bytes = b'{"text": "x"}') -> list[str]:
    async def go() -> list[str]:
        return [await way("alert_1_1", body) for way in ways(settings, queue.store)]

    return asyncio.run(go())


def test_nobody_is_told_where_nobody_is_named(queue: Queue) -> None:
    assert ways(a_setting(Path()), queue.store) == []


def test_a_command_gets_the_alert_and_no_secret(
    queue: Queue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAQ_XENDIT_TOKEN", "s3cr3t")
    monkeypatch.setenv("WHATSAPP_API_KEY", "s3cr3t")
    out = tmp_path / "out; touch x"
    script = "import os,sys; open(sys.argv[1],'w').write(sys.stdin.read() + str(os.environ))"
    command = f"{sys.executable} -c {_quoted(script)} {_quoted(str(out))}"

    assert told(a_setting(Path(), alert_command=command), queue) == [""]

    written = out.read_text()
    assert written.startswith('{"text": "x"}')
    assert "s3cr3t" not in written


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\"'\"'") + "'"


def test_a_command_that_fails_or_is_not_there_is_told(queue: Queue) -> None:
    failed = a_setting(Path(), alert_command=f"{sys.executable} -c 'raise SystemExit(3)'")
    missing = a_setting(Path(), alert_command="/no/such/command")

    assert told(failed, queue) == ["WAQ_ALERT_COMMAND ended with 3"]
    assert "cannot be run" in told(missing, queue)[0]


def test_a_command_that_does_not_end_is_ended(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("waqcore.alerts.tell.TIMEOUT_S", 0.05)
    endless = a_setting(Path(), alert_command="sleep 60")

    assert "was ended" in told(endless, queue)[0]


def test_an_address_gets_it_signed(queue: Queue, caplog: pytest.LogCaptureFixture) -> None:
    secret = new_secret()

    async def go() -> tuple[list[str], bytes]:
        got = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            got.set_result(await reader.readuntil(b'{"text": "x"}'))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}/T000/secret-of-the-chat"
        settings = a_setting(Path(), alert_url=url, alert_secret=secret)
        problems = [await way("alert_1_1", b'{"text": "x"}') for way in ways(settings, queue.store)]
        server.close()
        await server.wait_closed()
        problems += [
            await way("alert_1_1", b'{"text": "x"}') for way in ways(settings, queue.store)
        ]
        return problems, await got

    with caplog.at_level(logging.DEBUG, "waqcore"):
        problems, request = asyncio.run(go())

    assert problems == ["", "WAQ_ALERT_URL: ConnectError"]
    assert "secret-of-the-chat" not in caplog.text
    head, _, body = request.decode().partition("\r\n\r\n")
    headers = {k.lower(): v for k, _, v in (h.partition(": ") for h in head.split("\r\n")[1:])}
    at = int(headers["webhook-timestamp"])
    # The library looks at a clock of its own, and ours stands still: its signature is compared.
    signed = Webhook(secret).sign("alert_1_1", datetime.fromtimestamp(at, UTC), body)
    assert headers["webhook-signature"] == signed
    assert at == queue.store.now().wall // SECOND
