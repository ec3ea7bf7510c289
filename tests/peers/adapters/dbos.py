"""DBOS on PostgreSQL.

A queue with a limiter and a global concurrency of 1; tasks start first in, first out (DBOS docs,
"Queues & Concurrency", "Rate Limiting"). A worker that restarts under the same executor id takes
its pending workflows up again (docs, "Self-hosting", "Workflow recovery"); without DBOS's
commercial Conductor nobody else does. The call is a step, as the docs ask of side effects. Enqueued
by `DBOSClient`, which has no call that enqueues many.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.peers.job import deliver
from tests.peers.peer import BODY, Producer, Setting

POLL_S = 0.1
"""Lowered from 1 s, which would round the pace up to whole polls."""


def prepare(told: Setting) -> None:
    """Make the tables and the queue."""
    _launch(told).destroy()


@contextmanager
def producing(told: Setting) -> Iterator[Producer]:
    """Enqueue."""
    from dbos import DBOSClient

    client = DBOSClient(system_database_url=told.place)
    options: Any = {"queue_name": "send", "workflow_name": "send"}
    yield Producer(one=lambda number: client.enqueue(options, number, BODY), many=None)
    client.destroy()


def work(told: Setting) -> None:
    """Be a worker."""
    _launch(told)
    signal.pause()


def _launch(told: Setting) -> Any:
    from dbos import DBOS

    DBOS(
        config={
            "name": "peers",
            "system_database_url": told.place,
            "executor_id": told.slot,
            "application_version": "1",
            "log_level": "WARNING",
            "run_admin_server": False,
        }
    )
    step = DBOS.step(name="call")(deliver)

    def send(number: int, body: str) -> None:
        job = step if told.pace_s else deliver
        job(number, body)

    DBOS.workflow(name="send")(send)
    DBOS.launch()
    DBOS.register_queue(
        "send",
        limiter={"limit": 1, "period": told.pace_s} if told.pace_s else None,
        global_concurrency=1 if told.pace_s else None,
        polling_interval_sec=POLL_S,
    )
    return DBOS
