"""`waq serve` as a process: it sends, it ends cleanly, and says what keeps it from starting."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.programs import program
from tests.web.api.conftest import TOKEN, environ
from tests.web.live import WAQ, Live, live
from waqcore.web.server import GRACE_S

EXAMPLES = Path(__file__).parent.parent / "examples"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
WAIT_S = 20
PAGE = "/admin/whatsapp-queue"
PASSWORD = "correct-horse-battery"
CLOSED = "the dashboard is closed until somebody has a password: set WAQ_ADMIN_PASSWORD"
DISPATCHER_DIES = """
import asyncio
from waqcore.cli import main
from waqcore.dispatcher import guest

async def serve(*_given, **_named):
    await asyncio.sleep(0.3)
    raise RuntimeError("the dispatcher is gone")

guest.serve = serve
main()
"""


def _until(holds: Callable[[], bool]) -> None:
    """Ask again and again: the process has a clock of its own."""
    ends = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < ends, f"not within {WAIT_S} s"
        time.sleep(0.05)


def _enqueue(served: Live, body: str = "Halo") -> str:
    answer = httpx.post(
        f"{served.url}/v1/messages", json={"to": "081234567890", "body": body}, headers=HEADERS
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def _state(served: Live, id_: str) -> str:
    return str(httpx.get(f"{served.url}/v1/messages/{id_}", headers=HEADERS).json()["state"])


def test_it_serves_and_dispatches_and_ends_cleanly(tmp_path: Path) -> None:
    with live(tmp_path, environ(tmp_path)) as served:
        id_ = _enqueue(served)
        _until(lambda: _state(served, id_) == "sent")
        served.process.send_signal(signal.SIGTERM)
        code = served.process.wait(10)

    lines = [json.loads(line) for line in (tmp_path / "serve.log").read_text().splitlines()]
    said = [line["event"] for line in lines]
    assert code == 0
    assert said.count("attempt") == 1
    assert said[-1] == "stopped serving"
    assert CLOSED in " ".join(said), "nobody has a password"
    assert "+6281234567890" not in (tmp_path / "serve.log").read_text()


def test_without_a_dispatcher_nothing_is_sent(tmp_path: Path) -> None:
    with live(tmp_path, environ(tmp_path), "--no-dispatch") as served:
        id_ = _enqueue(served)
        seen = httpx.get(f"{served.url}/v1/queue", headers=HEADERS).json()

        assert _state(served, id_) == "queued"
        assert seen["dispatchers"] == 0


def test_a_request_under_way_does_not_hold_up_the_end(tmp_path: Path) -> None:
    with live(tmp_path, environ(tmp_path), "--no-dispatch") as served, httpx.Client() as client:
        client.get(f"{served.url}/healthz")  # Its connection stays open.
        began = time.monotonic()
        served.process.send_signal(signal.SIGINT)

        assert served.process.wait(10) == 0
        assert time.monotonic() - began < 5


def test_an_open_page_does_not_hold_up_the_end(tmp_path: Path) -> None:
    given = environ(tmp_path) | {"WAQ_ADMIN_PASSWORD": PASSWORD}
    with (
        live(tmp_path, given, "--no-dispatch") as served,
        httpx.Client(base_url=served.url, follow_redirects=True, timeout=WAIT_S) as browser,
    ):
        _sign_in(browser)
        with browser.stream("GET", f"{PAGE}/events") as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 2000"
            began = time.monotonic()
            served.process.send_signal(signal.SIGTERM)
            for _ in lines:
                pass  # To its end, which the service makes.

        assert served.process.wait(WAIT_S) == 0
        assert time.monotonic() - began < GRACE_S, "it waited for the page to go"
    assert CLOSED not in (tmp_path / "serve.log").read_text(), "the admin has a password"


@pytest.mark.parametrize(("trusted", "believed"), [(None, True), ("10.0.0.0/8", False)])
def test_a_proxy_is_believed_where_it_is_named(
    tmp_path: Path, *, trusted: str | None, believed: bool
) -> None:
    """By default one on the same host; else a stranger's header could make anybody of them."""
    given = environ(tmp_path) | {"WAQ_ADMIN_PASSWORD": PASSWORD}
    named = {} if trusted is None else {"FORWARDED_ALLOW_IPS": trusted}
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
    with live(tmp_path, given | named, "--no-dispatch") as served:
        form = httpx.get(f"{served.url}{PAGE}/login", headers=forwarded)
        mark = re.search(r'name="mark"[^>]*value="([^"]*)"', form.text)
        assert mark is not None
        httpx.post(
            f"{served.url}{PAGE}/login",
            data={"name": "admin", "password": "wrong", "mark": mark[1]},
            headers=forwarded,
            cookies=dict(form.cookies),
        )
        with closing(sqlite3.connect(tmp_path / "waq.db")) as db:
            ((who,),) = db.execute("SELECT actor FROM waq_event WHERE action = 'wrong password'")

    assert ("Secure" in form.headers["set-cookie"]) == believed
    assert who == ("stranger:203.0.113.7" if believed else "stranger:127.0.0.1")


def _sign_in(browser: httpx.Client) -> None:
    mark = re.search(r'name="mark"[^>]*value="([^"]*)"', browser.get(f"{PAGE}/login").text)
    assert mark is not None
    known = {"name": "admin", "password": PASSWORD, "to": PAGE, "mark": mark[1]}
    assert browser.post(f"{PAGE}/login", data=known).status_code == 200


def test_it_ends_with_its_dispatcher(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", DISPATCHER_DIES, "serve", "--port", "0"],
        env={**os.environ, **environ(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=WAIT_S,
    )

    assert ended.returncode not in (0, 2), "whoever supervises it must start it again"
    assert "the dispatcher is gone" in ended.stderr


def test_a_token_made_meanwhile_is_known_within_seconds_and_so_is_its_end(
    tmp_path: Path,
) -> None:
    given = {**os.environ, **environ(tmp_path)}

    def waq(*words: str) -> str:
        return subprocess.run(
            [WAQ, "token", *words], env=given, check=True, capture_output=True, text=True
        ).stdout.strip()

    with live(tmp_path, environ(tmp_path), "--no-dispatch") as served:
        headers = {"Authorization": f"Bearer {waq('add', 'site', '--scope', 'read')}"}

        def answered() -> int:
            return httpx.get(f"{served.url}/v1/queue", headers=headers).status_code

        _until(lambda: answered() == 200)
        waq("revoke", "site")
        _until(lambda: answered() == 401)


def test_an_address_in_use_is_said_in_one_line(tmp_path: Path) -> None:
    with live(tmp_path, environ(tmp_path), "--no-dispatch") as served:
        port = served.url.rpartition(":")[2]
        second = subprocess.run(
            [WAQ, "serve", "--port", port],
            env={**os.environ, **environ(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=WAIT_S,
        )

    assert second.returncode == 2
    assert f"waq: cannot listen on 127.0.0.1:{port}" in second.stderr
    assert "Traceback" not in second.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("curl", "curl", "sh", "enqueue.sh"),
        ("python3", "python3", sys.executable, "enqueue.py"),
        ("php", "php-cli", "php", "enqueue.php"),
    ],
    ids=["curl", "python", "php"],
)
def test_the_examples_of_the_readme_queue_a_message_once(
    tmp_path: Path, command: tuple[str, str, str, str]
) -> None:
    """Laravel's own client is not to be had here: PHP's sends the same request."""
    needed, package, runs, example = command
    program(needed, package=package)
    with live(tmp_path, environ(tmp_path), "--no-dispatch") as served:
        given = {**os.environ, "WAQ_URL": served.url, "WAQ_TOKEN": TOKEN}
        said = [
            subprocess.run(
                [runs, str(EXAMPLES / example)],
                env=given,
                capture_output=True,
                text=True,
                check=False,
            )
            for _ in range(2)
        ]

    assert [one.stderr for one in said] == ["", ""]
    first, second = (json.loads(one.stdout) for one in said)
    assert first["id"] == second["id"]
    assert (first["priority"], first["recipient"]) == ("high", "+6281234567890")
