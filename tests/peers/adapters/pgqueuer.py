"""PgQueuer on PostgreSQL.

`concurrency_limit=1` serialises an entry point over all workers, in the database (PgQueuer guide,
"Rate limiting & concurrency"); its rate limit by the second was removed, so the job sleeps. A job
whose worker has been silent for `heartbeat_timeout` is picked up again (guide, "Heartbeat"),
lowered from 30 s. Batches of 100 where nothing is paced. A key is an entry point of its own,
limited in the same way.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from tests.peers.job import deliver, deliver_and_hold
from tests.peers.peer import BODY, Producer, Setting

SILENCE = timedelta(seconds=10)
POLL = timedelta(seconds=1)
PACED_BATCH = 1
BATCH = 100


def prepare(told: Setting) -> None:
    """Make the tables."""
    from pgqueuer.queries import Queries

    async def install() -> None:
        await Queries(await _driver(told)).install()

    asyncio.run(install())


@contextmanager
def producing(told: Setting) -> Iterator[Producer]:
    """Enqueue, on a loop that is kept: it is asynchronous alone."""
    from pgqueuer.queries import Queries

    with asyncio.Runner() as runner:
        queries = Queries(runner.run(_driver(told)))
        loop = runner.get_loop()

        def do(work: Coroutine[Any, Any, Any]) -> None:
            loop.run_until_complete(work)

        yield Producer(
            one=lambda number: do(queries.enqueue(_entry(told, number), _payload(number))),
            many=lambda some: do(
                queries.enqueue(
                    [_entry(told, number) for number in some],
                    [_payload(number) for number in some],
                    [0] * len(some),
                )
            ),
        )


def work(told: Setting) -> None:
    """Be a worker."""
    asyncio.run(_work(told))


async def _work(told: Setting) -> None:
    from pgqueuer import PgQueuer

    queue = PgQueuer(await _driver(told))

    async def send(job: Any) -> None:
        number = int(job.payload.split()[0])
        if told.pace_s:
            await asyncio.to_thread(deliver_and_hold, number)
        else:
            deliver(number)

    one_at_a_time = 1 if told.pace_s or told.keys else 0
    for entry in {_entry(told, number) for number in range(max(1, told.keys))}:
        queue.entrypoint(entry, concurrency_limit=one_at_a_time, accepts_context=False)(send)
    await queue.run(
        dequeue_timeout=POLL,
        batch_size=PACED_BATCH if told.pace_s else BATCH,
        heartbeat_timeout=SILENCE,
    )


async def _driver(told: Setting) -> Any:
    import asyncpg
    from pgqueuer.db import AsyncpgDriver

    return AsyncpgDriver(await asyncpg.connect(told.place))


def _entry(told: Setting, number: int) -> str:
    """The entry point of a message: one for all, or one for each key."""
    return f"send-{number % told.keys}" if told.keys else "send"


def _payload(number: int) -> bytes:
    return f"{number} {BODY}".encode()
