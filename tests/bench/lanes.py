"""Thousands of lanes at a 10 s pace for a minute: one dispatcher on SQLite, two on PostgreSQL.

`python -m tests.bench.lanes 5000 6000 7000` looks for how many lanes the pair can keep up with.
"""

import argparse
import json
import sqlite3
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import psycopg
from sqlalchemy import Connection

from loadtests.mock_gateway.process import running
from tests.bench.dispatching import dispatching, environ
from tests.bench.lateness import CALLS, Call, lateness_ms
from tests.bench.report import Figure, show
from tests.postgres import server
from waqcore import Draft, Queue
from waqcore.store import lanes as lane_rows
from waqcore.store.store import Store

LANES = 5_000
PACE_S = 10
RUN_S = 60
LEAD_S = 6
"""From the start of the processes to the first call, so that start-up is not taken for lateness."""


def run(folder: Path) -> list[Figure]:
    """Measure both."""
    return [*_on_sqlite(folder), *on_postgres(LANES)]


def _on_sqlite(folder: Path) -> list[Figure]:
    path = folder / "lanes.db"
    verdict, shares = _dispatch(f"sqlite:///{path}", LANES, dispatchers=1)
    with sqlite3.connect(path) as connection:
        calls = connection.execute(CALLS).fetchall()
    connection.close()
    return _figures(f"{LANES:,} lanes at 10 s", verdict, calls, shares)


def on_postgres(lanes: int) -> list[Figure]:
    """Measure two dispatchers with a server beside them on this machine, as it is shipped."""
    with (
        server(Path(tempfile.gettempdir()), "autovacuum=on") as postgres,
        postgres.database() as url,
    ):
        verdict, shares = _dispatch(url, lanes, dispatchers=2, beside={"server": postgres.pid})
        with psycopg.connect(url) as connection:
            calls = connection.execute(CALLS.encode()).fetchall()
    return _figures(f"{lanes:,} lanes, two dispatchers, PostgreSQL", verdict, calls, shares)


def _dispatch(
    database_url: str, lanes: int, *, dispatchers: int, beside: dict[str, int] | None = None
) -> tuple[dict[str, Any], dict[str, float]]:
    """The gateway's verdict, and what share of a core each process took."""
    numbers = [str(628_000_000_000 + n) for n in range(lanes)]
    with running("--latency-ms", "20-100") as url:
        given = environ(database_url, url, numbers, pace_s=PACE_S)
        with Queue.from_env(given) as queue:
            for n in range(RUN_S // PACE_S + 2):
                queue.enqueue_many(
                    Draft(to=f"0812{lane:05d}{n:04d}", body=f"{n}", sender=number)
                    for lane, number in enumerate(numbers)
                )
            _spread(queue._store, numbers)
        with ExitStack() as stack:
            parties = {"gateway": _gateway(), **(beside or {})}
            for n in range(dispatchers):
                parties[f"dispatcher {n + 1}"] = stack.enter_context(dispatching(given)).pid
            time.sleep(LEAD_S)
            before = {name: _cpu_s(pid) for name, pid in parties.items()}
            time.sleep(RUN_S)
            shares = {name: (_cpu_s(pid) - before[name]) / RUN_S for name, pid in parties.items()}
        verdict = json.loads(urllib.request.urlopen(f"{url}/_verdict?pace={PACE_S}").read())
    return verdict, shares


def _gateway() -> int:
    (pid,) = (
        child.pid
        for child in psutil.Process().children()
        if "loadtests.mock_gateway" in child.cmdline()
    )
    return pid


def _cpu_s(pid: int) -> float:
    """CPU time of a process and of its children, those that have ended included."""
    process = psutil.Process(pid)
    times = process.cpu_times()
    live = (child.cpu_times() for child in process.children())
    return (
        times.user
        + times.system
        + times.children_user
        + times.children_system
        + sum(child.user + child.system for child in live)
    )


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


def _figures(
    name: str, verdict: dict[str, Any], calls: Sequence[Call], shares: dict[str, float]
) -> list[Figure]:
    late_ms = sorted(lateness_ms(calls, PACE_S))
    cores = ", ".join(f"{who} {share:.0%}" for who, share in shares.items())
    return [
        Figure(
            name=f"{name}: gaps under the pace",
            value=verdict["short_gaps"],
            unit="",
            bar=0,
            at_least=False,
            detail=f"{verdict['calls']:,} calls by the gateway's log",
        ),
        Figure(
            name=f"{name}: p99 lateness",
            value=late_ms[int(len(late_ms) * 0.99)],
            unit="ms",
            bar=100,
            at_least=False,
            detail=f"call start less ready_at; p50 {late_ms[len(late_ms) // 2]:.1f} ms, "
            f"worst {late_ms[-1]:.0f} ms, {len(late_ms):,} calls; of a core: {cores}",
        ),
    ]


def main() -> int:
    """Try one number of lanes after the other; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.lanes", description=__doc__)
    parser.add_argument("lanes", nargs="*", type=int, default=[LANES])
    figures: list[Figure] = []
    for lanes in parser.parse_args().lanes:
        figures += on_postgres(lanes)
    show(figures)
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
