"""Huey on SQLite or PostgreSQL.

`huey.rate_limit` lets one task through in each window of the pace's length and puts the others
back (Huey guide, "Rate limiting"); `strict_fifo` and `fsync` are options of `SqliteHuey` (API,
"SqliteHuey"). A task taken by a consumer that is killed is gone: Huey documents no way back. There
is no call that enqueues many.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.peers.job import deliver
from tests.peers.peer import BODY, Producer, Setting

DELAY_MAX_S = 0.5
"""Of polling, which backs off to 10 s by itself."""


def prepare(told: Setting) -> None:
    """Make the tables."""
    _huey(told)


@contextmanager
def producing(told: Setting) -> Iterator[Producer]:
    """Enqueue."""
    send = _task(_huey(told), told)
    yield Producer(one=lambda number: send(number, BODY), many=None)


def work(told: Setting) -> None:
    """Be a consumer of one thread, which is the default."""
    huey = _huey(told)
    _task(huey, told)
    huey.create_consumer(workers=1, max_delay=DELAY_MAX_S).run()
    signal.pause()


def _huey(told: Setting) -> Any:
    from huey import PostgresHuey, SqliteHuey

    if "://" in told.place:
        return PostgresHuey("peers", dsn=told.place)
    return SqliteHuey("peers", filename=told.place, fsync=True, strict_fifo=True)


def _task(huey: Any, told: Setting) -> Any:
    job = huey.rate_limit("send", 1, told.pace_s)(deliver) if told.pace_s else deliver
    return huey.task(name="send")(job)
