"""What a durable enqueue costs, beside a bare sqlite3 loop of one insert per commit."""

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from msgspec.structs import astuple

from tests.bench.report import Figure
from tests.bench.setting import BODY, new_message
from waqcore import Draft, Queue
from waqcore.store.fresh import FIELDS

ROUNDS = 7
SINGLES = 500
THREADS = 32
THREAD_SINGLES = 100
MANY = 1_000


def run(folder: Path) -> list[Figure]:
    """Measure each beside its floor, round by round, and take the median of the rounds' ratios."""
    environ = {
        "WHATSAPP_SENDER": "628114040707",
        "WAQ_DATABASE_URL": f"sqlite:///{folder / 'enqueue.db'}",
    }
    bare = _Bare(folder / "bare.db")
    with Queue.from_env(environ) as queue:
        many_floor = _ManyFloor(folder / "enqueue.db")
        rates = [
            (
                _rate(SINGLES, bare.singles),
                _rate(SINGLES, lambda: _singles(queue)),
                _rate(THREADS * THREAD_SINGLES, lambda: _threads(queue)),
                _rate(MANY, many_floor.many),
                _rate(MANY, lambda: _many(queue)),
            )
            for _ in range(ROUNDS)
        ]
    bare.close()
    many_floor.close()
    return [
        _figure("one durable enqueue", 0.5, rates, 1, 0, "a bare insert per commit"),
        _figure("32 threads enqueuing", 1.5, rates, 2, 0, "a bare insert per commit, one thread"),
        _figure("enqueue_many of 1,000", 0.25, rates, 4, 3, "executemany into the same table"),
    ]


def _figure(
    name: str, bar: float, rates: Sequence[Sequence[float]], ours: int, floor: int, what: str
) -> Figure:
    return Figure(
        name=name,
        value=median(one[ours] / one[floor] for one in rates),
        unit="×",
        bar=bar,
        at_least=True,
        detail=f"{median(one[ours] for one in rates):,.0f}/s, "
        f"{median(one[floor] for one in rates):,.0f}/s for {what}",
    )


def _rate(count: int, work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return count / (time.perf_counter() - began)


def _singles(queue: Queue) -> None:
    for n in range(SINGLES):
        queue.enqueue(f"0812{n:08d}", BODY)


def _threads(queue: Queue) -> None:
    def enqueue() -> None:
        for n in range(THREAD_SINGLES):
            queue.enqueue(f"0812{n:08d}", BODY)

    threads = [threading.Thread(target=enqueue) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _many(queue: Queue) -> None:
    queue.enqueue_many([Draft(to=f"0812{n:08d}", body=BODY) for n in range(MANY)])


class _Bare:
    """The floor of one enqueue: the same values into a plain table, nothing else."""

    def __init__(self, path: Path) -> None:
        self._connection = _connect(path)
        columns = ", ".join(FIELDS)
        self._connection.execute(f"CREATE TABLE bare (seq INTEGER PRIMARY KEY, {columns})")
        marks = ", ".join("?" * len(FIELDS))
        self._insert = f"INSERT INTO bare ({columns}) VALUES ({marks})"

    def singles(self) -> None:
        for n in range(SINGLES):
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(self._insert, astuple(new_message(n, "628114040707", 0)))
            self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


class _ManyFloor:
    """The floor of many: executemany of the same rows into the queue's own table and indexes."""

    def __init__(self, path: Path) -> None:
        self._connection = _connect(path)
        columns, marks = ", ".join(FIELDS), ", ".join("?" * len(FIELDS))
        self._insert = f"INSERT INTO waq_message ({columns}) VALUES ({marks})"
        self._made = 0

    def many(self) -> None:
        wall = time.time_ns() // 1_000
        rows = [astuple(new_message(self._made + n, "628114040707", wall)) for n in range(MANY)]
        self._made += MANY
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(self._insert, rows)
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection
