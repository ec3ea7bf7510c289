"""The dashboard with 100,000 queued: its first byte, what a live page costs, and whom it delays."""

import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from tests.bench.lateness import CALLS, lateness_ms
from tests.bench.report import Figure
from tests.bench.service import free_port, serving
from tests.bench.setting import new_message
from waqcore import Queue
from waqcore.store.enqueue import enqueue

QUEUED = 100_000
BULK = 5_000
SENDERS = 20
PACE_S = 2.0
PAGES = 200
WATCH_S = 15.0
SETTLES_S = 3.0
"""After a change of who watches, until what is measured."""
PASSWORD = "correct-horse-battery"


def run(folder: Path) -> list[Figure]:
    """Measure one page, then many, while a service makes ten calls a second."""
    path, port = folder / "pages.db", free_port()
    numbers = [str(628_000_000_000 + n) for n in range(SENDERS)]
    environ = {
        "WAQ_DATABASE_URL": f"sqlite:///{path}",
        "WAQ_GATEWAY": "sandbox",
        "WHATSAPP_SENDER": numbers[0],
        "WAQ_SENDERS": ",".join(numbers[1:]),
        "WAQ_PACE_SECONDS": str(PACE_S),
        "WAQ_ADMIN_PASSWORD": PASSWORD,
    }
    with Queue.from_env(environ) as queue:
        _fill(queue, numbers)
    waq = str(Path(sys.executable).with_name("waq"))
    command = [waq, "serve", "--port", str(port), "--log", "json"]
    url = f"http://127.0.0.1:{port}"
    with serving(command, port, environ) as service:
        time.sleep(SETTLES_S)
        first_bytes_ms = sorted(_look(url)["first_bytes_ms"])
        alone = _share(service)
        one = _watched(url, service, 1)
        began_us = _last_call_us(path)
        many = _watched(url, service, PAGES)
    late_ms = sorted(_lateness_ms(path, began_us))
    return [
        Figure(
            name=f"dashboard, {QUEUED:,} queued: first byte, p95",
            value=first_bytes_ms[int(len(first_bytes_ms) * 0.95)],
            unit="ms",
            bar=150,
            at_least=False,
            detail=f"median {first_bytes_ms[len(first_bytes_ms) // 2]:.0f} ms, worst "
            f"{first_bytes_ms[-1]:.0f} ms of {len(first_bytes_ms)}",
        ),
        Figure(
            name="a live page, of a core",
            value=(one - alone) * 100,
            unit="%",
            bar=1,
            at_least=False,
            detail=f"the service alone {alone:.1%}, with one {one:.1%}, with {PAGES} {many:.1%}",
        ),
        Figure(
            name=f"{PAGES} live pages: p99 lateness of calls",
            value=late_ms[int(len(late_ms) * 0.99)],
            unit="ms",
            bar=100,
            at_least=False,
            detail=f"call start less ready_at; p50 {late_ms[len(late_ms) // 2]:.1f} ms, worst "
            f"{late_ms[-1]:.0f} ms, {len(late_ms)} calls",
        ),
    ]


def _fill(queue: Queue, numbers: list[str]) -> None:
    store = queue.store
    wall = store.now().wall
    for start in range(0, QUEUED, BULK):
        batch = [new_message(n, numbers[n % SENDERS], wall) for n in range(start, start + BULK)]
        store.write_jointly(enqueue, batch)


def _look(url: str, *more: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.bench.pages_client", url, "--password", PASSWORD]
    seen: dict[str, Any] = json.loads(subprocess.check_output([*command, *more]))
    return seen


def _watched(url: str, service: psutil.Process, pages: int) -> float:
    """What share of a core the service takes while so many pages are open."""
    seconds = str(SETTLES_S + WATCH_S + SETTLES_S)
    command = [sys.executable, "-m", "tests.bench.pages_client", url, "--password", PASSWORD]
    with subprocess.Popen(
        [*command, "--pages", str(pages), "--seconds", seconds], stdout=subprocess.PIPE
    ) as watching:
        time.sleep(SETTLES_S)
        share = _share(service)
        said = watching.communicate()[0]
    assert watching.returncode == 0, f"{pages} pages could not be watched"
    assert json.loads(said)["fewest"] > 0, "a page has heard nothing"
    return share


def _share(service: psutil.Process) -> float:
    before = service.cpu_times()
    time.sleep(WATCH_S)
    after = service.cpu_times()
    return (after.user + after.system - before.user - before.system) / WATCH_S


def _last_call_us(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        (at,) = connection.execute("SELECT max(called_at) FROM waq_attempt").fetchone()
    connection.close()
    return int(at)


def _lateness_ms(path: Path, since_us: int) -> list[float]:
    with sqlite3.connect(path) as connection:
        calls = connection.execute(CALLS).fetchall()
    connection.close()
    return list(lateness_ms([call for call in calls if call[1] >= since_us], PACE_S))
