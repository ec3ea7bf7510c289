"""RQ on Redis.

`RateLimit(key, concurrency=1)` is its rate limit: one job of a key at a time over all workers (RQ
docs, "Rate limiting"); it knows no pace, so the job sleeps. `Retry` is what brings back a job whose
worker died, found by maintenance, which runs each 10 minutes unless told otherwise (RQ docs,
"Exceptions & Retries", "Workers"). The default worker, which forks for each job: the others run
jobs in the worker itself, where a kill takes the worker with it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from tests.peers.job import deliver, deliver_and_hold
from tests.peers.peer import BODY, Producer, Setting

MAINTENANCE_S = 5
RETRIES = 3


def prepare(_told: Setting) -> None:
    """Nothing: Redis has no tables."""


@contextmanager
def producing(told: Setting) -> Iterator[Producer]:
    """Enqueue."""
    from rq import Queue, RateLimit, Retry

    queue = _queue(told)
    if told.pace_s:
        paced = partial(
            queue.enqueue,
            deliver_and_hold,
            retry=Retry(max=RETRIES),
            rate_limit=RateLimit("send", 1),
        )
        yield Producer(one=lambda number: paced(number, BODY), many=None)
    else:
        yield Producer(
            one=lambda number: queue.enqueue(deliver, number, BODY),
            many=lambda some: queue.enqueue_many(
                [Queue.prepare_data(deliver, (number, BODY)) for number in some]
            ),
        )


def work(told: Setting) -> None:
    """Be a worker."""
    from rq import Worker

    worker = Worker(
        [_queue(told)],
        maintenance_interval=MAINTENANCE_S,
        job_monitoring_interval=MAINTENANCE_S,
    )
    worker.work(logging_level="WARNING")


def _queue(told: Setting) -> Any:
    from redis import Redis
    from rq import Queue

    return Queue("peers", connection=Redis.from_url(told.place))
