"""The dispatcher as a process: what it costs idle."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from loadtests.mock_gateway.process import running
from tests.bench.dispatching import dispatching, environ
from tests.bench.report import Figure
from waqcore import Draft, Queue
from waqcore.core.message import State
from waqcore.queue import EVERYTHING

PACE_S = 0.25
START_S = 4
IDLE_S = 20
IDLE_CALLS = 20


def run(folder: Path) -> list[Figure]:
    """Measure one that has made its database and some calls, and has nothing more to do."""
    with running() as url:
        given = environ(f"sqlite:///{folder / 'idle.db'}", url, ["628114040707"], pace_s=PACE_S)
        # It makes its database itself, and has made calls: what a dispatcher costs that has lived.
        with dispatching(given) as process, _once_started(given) as queue:
            queue.enqueue_many(Draft(to=f"0812{n:08d}", body="x") for n in range(IDLE_CALLS))
            time.sleep(IDLE_CALLS * PACE_S * 2 + 5)
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


@contextmanager
def _once_started(environ: Mapping[str, str]) -> Iterator[Queue]:
    time.sleep(START_S)
    with Queue.from_env(environ) as queue:
        yield queue
