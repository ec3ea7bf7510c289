"""Chancy on PostgreSQL.

A queue's `rate_limit` is global over all workers, in fixed windows (Chancy docs, "Queues"); one job
at a time per worker, polled each second, the shortest there is. `Recovery`, `Leadership` and the
worker's heartbeats are lowered from minutes, so that a dead worker's jobs come back within 15 s
(docs, "Plugins", "Recovery"). Without pace: 100 at a time, polled eagerly.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.peers.job import deliver
from tests.peers.peer import BODY, Producer, Setting

POLL_S = 1
HEARTBEAT_S = 2
SILENCE_S = 6
CONCURRENCY = 100


def prepare(told: Setting) -> None:
    """Make the tables and the queue."""
    from chancy import Queue

    async def make() -> None:
        async with _chancy(told) as chancy:
            await chancy.migrate()
            await chancy.declare(
                Queue(
                    "send",
                    concurrency=1 if told.pace_s else CONCURRENCY,
                    executor=chancy.Executor.Threaded,
                    polling_interval=POLL_S,
                    rate_limit=1 if told.pace_s else None,
                    rate_limit_window=told.pace_s or None,
                    eager_polling=not told.pace_s,
                ),
                upsert=True,
            )

    asyncio.run(make())


@contextmanager
def producing(told: Setting) -> Iterator[Producer]:
    """Enqueue."""
    from chancy import Job

    chancy = _chancy(told)
    template = Job.from_func(deliver, queue="send")

    def job(number: int) -> Any:
        return template.with_kwargs(number=number, body=BODY)

    with chancy.sync_pool:
        yield Producer(
            one=lambda number: chancy.sync_push(job(number)),
            many=lambda some: list(chancy.sync_push_many([job(number) for number in some])),
        )


def work(told: Setting) -> None:
    """Be a worker."""
    from chancy import Worker

    async def run() -> None:
        async with (
            _chancy(told) as chancy,
            Worker(
                chancy, heartbeat_poll_interval=HEARTBEAT_S, heartbeat_timeout=SILENCE_S
            ) as worker,
        ):
            await worker.wait_for_shutdown()

    asyncio.run(run())


def _chancy(told: Setting) -> Any:
    from chancy import Chancy
    from chancy.plugins.leadership import Leadership
    from chancy.plugins.recovery import Recovery

    plugins = [
        Leadership(poll_interval=HEARTBEAT_S, timeout=SILENCE_S),
        Recovery(poll_interval=HEARTBEAT_S),
    ]
    return Chancy(told.place, plugins=plugins)
