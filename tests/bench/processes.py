"""The dispatcher as a process: what it costs idle, and 5,000 lanes at a 10 s pace for a minute."""

import itertools
import json
import os
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
from sqlalchemy import Connection

from loadtests.mock_gateway.process import running
from tests.bench.report import Figure
from waqcore import Draft, Queue
from waqcore.core.message import State
from waqcore.queue import EVERYTHING
from waqcore.store import lanes as lane_rows
from waqcore.store.store import Store

LANES = 5_000
PACE_S = 10
RUN_S = 60
LEAD_S = 4
"""From the start of the process to the first call, so that start-up is not taken for lateness."""
GUARD_US = 250_000
IDLE_S = 20
IDLE_CALLS = 20


def run(folder: Path) -> list[Figure]:
    """Measure both."""
    return [*_idle(folder), *_lanes(folder)]


def _idle(folder: Path) -> list[Figure]:
    pace_s = 0.25
    with running() as url:
        environ = _environ(folder / "idle.db", url, ["628114040707"])
        environ["WAQ_PACE_SECONDS"] = str(pace_s)
        # It makes its database itself, and has made calls: what a dispatcher costs that has lived.
        with _dispatching(environ) as process, _once_started(environ) as queue:
            queue.enqueue_many(Draft(to=f"0812{n:08d}", body="x") for n in range(IDLE_CALLS))
            time.sleep(IDLE_CALLS * pace_s * 2 + 5)
            before = process.cpu_times()
            time.sleep(IDLE_S)
            after = process.cpu_times()
            rss = process.memory_info().rss / 1_000_000
            sent = queue.count(EVERYTHING).get(State.SENT, 0)
    assert sent == IDLE_CALLS, f"{sent} of {IDLE_CALLS} messages were sent before it was idle"
    cpu = (after.user + after.system - before.user - before.system) / IDLE_S * 100
    return [
        Figure(name="idle dispatcher, memory", value=rss, unit="MB", bar=80, at_least=False),
        Figure(name="idle dispatcher, CPU", value=cpu, unit="%", bar=1, at_least=False),
    ]


def _lanes(folder: Path) -> list[Figure]:
    numbers = [str(628_000_000_000 + n) for n in range(LANES)]
    path = folder / "lanes.db"
    with running("--latency-ms", "20-100") as url:
        environ = _environ(path, url, numbers)
        with Queue.from_env(environ) as queue:
            for n in range(RUN_S // PACE_S + 2):
                queue.enqueue_many(
                    Draft(to=f"0812{lane:04d}{n:04d}", body=f"{n}", sender=number)
                    for lane, number in enumerate(numbers)
                )
            _spread(queue._store, numbers)
        with _dispatching(environ):
            time.sleep(LEAD_S + RUN_S)
        verdict = json.loads(urllib.request.urlopen(f"{url}/_verdict?pace={PACE_S}").read())
    late_ms = sorted(_lateness_ms(path))
    return [
        Figure(
            name="5,000 lanes at 10 s: gaps under the pace",
            value=verdict["short_gaps"],
            unit="",
            bar=0,
            at_least=False,
            detail=f"{verdict['calls']:,} calls by the gateway's log",
        ),
        Figure(
            name="5,000 lanes at 10 s: p99 lateness",
            value=late_ms[int(len(late_ms) * 0.99)],
            unit="ms",
            bar=100,
            at_least=False,
            detail=f"call start less ready_at; p50 {late_ms[len(late_ms) // 2]:.1f} ms, "
            f"worst {late_ms[-1]:.0f} ms, {len(late_ms):,} calls",
        ),
    ]


def _spread(store: Store, numbers: list[str]) -> None:
    """Give the lanes evenly spread phases, the first a little after the dispatcher has started."""

    def spread(connection: Connection) -> None:
        now = store.now()
        loaded = lane_rows.load(connection, numbers, now)
        first = now.steady + LEAD_S * 1_000_000
        step_us = PACE_S * 1_000_000 // len(numbers)
        spread = [
            loaded[number]._replace(paced_until=first + n * step_us)
            for n, number in enumerate(numbers)
        ]
        lane_rows.save(connection, spread, now)

    store.write(spread)


def _lateness_ms(path: Path) -> Iterator[float]:
    """How long after its lane was ready each call but a lane's first left, by the attempt rows."""
    connection = sqlite3.connect(path)
    rows = connection.execute(
        "SELECT sender, called_at, finished_at - started_at FROM waq_attempt "
        "JOIN waq_message ON seq = message_seq ORDER BY sender, called_at"
    ).fetchall()
    connection.close()
    for (sender, called_at, took_us), (next_sender, next_at, _) in itertools.pairwise(rows):
        if sender == next_sender:
            ready_at = called_at + PACE_S * 1_000_000 + min(took_us, GUARD_US)
            yield (next_at - ready_at) / 1_000


def _environ(path: Path, url: str, numbers: list[str]) -> dict[str, str]:
    return {
        "WHATSAPP_SENDER": numbers[0],
        "WAQ_SENDERS": ",".join(numbers[1:]),
        "WHATSAPP_API_KEY": "bench",
        "WAQ_GATEWAY_URL": url,
        "WAQ_PACE_SECONDS": str(PACE_S),
        "WAQ_DATABASE_URL": f"sqlite:///{path}",
    }


@contextmanager
def _once_started(environ: Mapping[str, str]) -> Iterator[Queue]:
    time.sleep(LEAD_S)
    with Queue.from_env(environ) as queue:
        yield queue


@contextmanager
def _dispatching(environ: Mapping[str, str]) -> Iterator[psutil.Process]:
    waq = Path(sys.executable).with_name("waq")
    process = subprocess.Popen(
        [waq, "dispatch", "--log", "json"],
        env={**os.environ, **environ},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(40)
