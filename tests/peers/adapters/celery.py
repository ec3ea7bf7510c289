"""Celery on Redis.

`rate_limit` "is a per worker instance rate limit, and not a global rate limit", so each of the two
workers gets half of it (Celery user guide, "Tasks", `Task.rate_limit`). For order, one process a
worker and no prefetch ("Optimizing", "Reserve one task at a time"). Acks late: `acks_late` with
`task_reject_on_worker_lost`, and the visibility timeout of Redis lowered from its hour to what a
restart in 15 s asks for, still longer than any call ("Using Redis", "Visibility timeout"). There is
no call that enqueues many.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.peers.job import deliver
from tests.peers.peer import BODY, Producer, Setting

WORKERS = 2
VISIBILITY_S = 15


def prepare(_told: Setting) -> None:
    """Nothing: Redis has no tables."""


@contextmanager
def producing(told: Setting) -> Iterator[Producer]:
    """Enqueue."""
    send = _app(told).tasks["send"]
    yield Producer(one=lambda number: send.delay(number, BODY), many=None)


def work(told: Setting) -> None:
    """Be a worker: of one process where order counts, else of as many as there are cores."""
    few = ["--concurrency", "1"] if told.pace_s else []
    _app(told).worker_main(
        ["worker", "--loglevel", "WARNING", "--hostname", f"{told.slot}@%h", *few]
    )


def _app(told: Setting) -> Any:
    from celery import Celery

    app = Celery("peers", broker=told.place)
    app.conf.task_ignore_result = True
    app.conf.broker_connection_retry_on_startup = True
    if told.pace_s:
        app.conf.worker_prefetch_multiplier = 1
    if told.variant == "late":
        app.conf.task_acks_late = True
        app.conf.task_reject_on_worker_lost = True
        app.conf.broker_transport_options = {"visibility_timeout": VISIBILITY_S}
    limit = f"{60 / told.pace_s / WORKERS:g}/m" if told.pace_s else None
    app.task(deliver, name="send", rate_limit=limit)
    return app
