"""Dramatiq on Redis.

`WindowRateLimiter` in front of the call, which raises where there is no room, and the retries'
backoff brings the message back (Dramatiq guide, "Rate limiting"; reference, "Rate limiters"). No
limit of retries, since waiting is no failure; the shortest backoffs that poll no more than ten
times a second. Heartbeat timeout and maintenance are lowered from a minute, to requeue what a dead
worker held (reference, "RedisBroker"). There is no call that enqueues many.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.peers.job import deliver
from tests.peers.peer import BODY, Producer, Setting

HEARTBEAT_TIMEOUT_MS = 10_000
MAINTENANCE_PER_MILLION = 500_000
BACKOFF_MIN_MS = 100
THREADS = 8
"""As its command has by default."""


def prepare(_told: Setting) -> None:
    """Nothing: Redis has no tables."""


@contextmanager
def producing(told: Setting) -> Iterator[Producer]:
    """Enqueue."""
    send = _actor(told)
    yield Producer(one=lambda number: send.send(number, BODY), many=None)


def work(told: Setting) -> None:
    """Be a worker: of one thread where order counts."""
    if told.pace_s:
        os.environ.update(dramatiq_queue_prefetch="1")
    import dramatiq

    send = _actor(told)
    dramatiq.Worker(send.broker, worker_threads=1 if told.pace_s else THREADS).start()
    signal.pause()


def _actor(told: Setting) -> Any:
    import dramatiq
    from dramatiq.brokers.redis import RedisBroker
    from dramatiq.rate_limits import WindowRateLimiter
    from dramatiq.rate_limits.backends import RedisBackend

    broker = RedisBroker(
        url=told.place,
        heartbeat_timeout=HEARTBEAT_TIMEOUT_MS,
        maintenance_chance=MAINTENANCE_PER_MILLION,
    )
    if not told.pace_s:
        return dramatiq.actor(deliver, actor_name="send", broker=broker)
    limiter = WindowRateLimiter(RedisBackend(url=told.place), "send", limit=1, window=told.pace_s)

    def send(number: int, body: str) -> None:
        with limiter.acquire():
            deliver(number, body)

    return dramatiq.actor(
        send,
        actor_name="send",
        broker=broker,
        max_retries=None,
        min_backoff=BACKOFF_MIN_MS,
        max_backoff=told.pace_s * 1_000,
    )
