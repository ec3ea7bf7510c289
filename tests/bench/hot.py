"""A hundred clients that enqueue at once on PostgreSQL: all for one sender, or each for its own."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psycopg

from loadtests.mock_gateway.process import running
from tests.bench.dispatching import dispatching, environ
from tests.bench.hot_clients import READY
from tests.bench.lateness import CALLS, lateness_ms
from tests.bench.report import Figure
from tests.postgres import Postgres, server
from waqcore import Draft, Queue

CLIENTS = 100
PROCESSES = 4
"""One of Python's runs one thread at a time."""
RUN_S = 6
ROUNDS = 3
PACE_S = 0.25
PAUSE_S = 0.2
"""Of each client while lateness is measured: 500 messages a second. At full speed they leave the
dispatcher nothing of the machine, whomever they enqueue for."""
SENDERS = [str(628_000_000_000 + n) for n in range(CLIENTS)]
HOT = SENDERS[0]


class _Run(NamedTuple):
    rate: float
    """Messages acknowledged in a second."""
    late_ms: list[float]
    """How late each call of the hot sender was, in order of size."""


def run(_folder: Path) -> list[Figure]:
    """Measure both by turns, a dispatcher sending for the one sender all the while."""
    with (
        server(Path(tempfile.gettempdir()), "autovacuum=on") as postgres,
        running("--latency-ms", "5-20") as gateway,
    ):
        pairs = [_pair(postgres, gateway, pause_s=0) for _ in range(ROUNDS)]
        paused = [_pair(postgres, gateway, pause_s=PAUSE_S) for _ in range(ROUNDS)]
    hot, spread = ([pair[n] for pair in paused] for n in (0, 1))
    return [
        Figure(
            name="100 clients enqueuing for one sender, PostgreSQL",
            value=median(one.rate / other.rate for one, other in pairs),
            unit="×",
            bar=0.8,
            at_least=True,
            detail=f"{median(one.rate for one, _ in pairs):,.0f}/s, "
            f"{median(other.rate for _, other in pairs):,.0f}/s for 100 senders",
        ),
        Figure(
            name="500 a second for one sender: p50 lateness of its calls",
            value=_late(hot, 0.5) / _late(spread, 0.5),
            unit="×",
            bar=2,
            at_least=False,
            detail=f"call start less ready_at: {_late(hot, 0.5):.0f} ms, p99 {_late(hot, 0.99):.0f}"
            f" ms; {_late(spread, 0.5):.0f} ms, p99 {_late(spread, 0.99):.0f} ms for 100 senders",
        ),
    ]


def _late(runs: Sequence[_Run], share: float) -> float:
    late_ms = sorted(one for run in runs for one in run.late_ms)
    return late_ms[int(len(late_ms) * share)]


def _pair(postgres: Postgres, gateway: str, *, pause_s: float) -> tuple[_Run, _Run]:
    """For one sender, and for a hundred."""
    one, other = (
        _measured(postgres, gateway, senders, pause_s) for senders in ([HOT] * CLIENTS, SENDERS)
    )
    return one, other


def _measured(postgres: Postgres, gateway: str, senders: Sequence[str], pause_s: float) -> _Run:
    with postgres.database() as url:
        applications = environ(url, gateway, SENDERS, pace_s=PACE_S)
        with Queue.from_env(applications) as queue:
            queue.enqueue_many(
                Draft(to=f"0812{n:08d}", body="first", sender=HOT, priority="high")
                for n in range(round(2 * RUN_S / PACE_S))
            )
        with dispatching(environ(url, gateway, [HOT], pace_s=PACE_S)):
            acknowledged = _clients(applications, senders, pause_s)
        with psycopg.connect(url) as connection:
            calls = connection.execute(CALLS.encode()).fetchall()
    return _Run(acknowledged / RUN_S, sorted(lateness_ms(calls, PACE_S)))


def _clients(applications: Mapping[str, str], senders: Sequence[str], pause_s: float) -> int:
    """Let them all enqueue; returns how many messages were acknowledged."""
    with ExitStack() as stack:
        each = len(senders) // PROCESSES
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.bench.hot_clients", str(RUN_S), str(pause_s),
                     str(first), *senders[first : first + each]],
                    env={**os.environ, **applications},
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                )
            )
            for first in range(0, len(senders), each)
        ]  # fmt: skip
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == READY
        return sum(int(process.communicate()[0]) for process in _begun(processes))


def _begun(processes: Sequence[subprocess.Popen[str]]) -> Sequence[subprocess.Popen[str]]:
    """All of them, told to begin."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return processes
