"""Procrastinate on PostgreSQL.

Jobs with the same `lock` run one at a time and in order (Procrastinate how-to, "Use locks"); there
is no rate limit, so the job sleeps. Nobody is notified when a lock is free, so the polling interval
is lowered from 5 s. Jobs of a dead worker stay in `doing` unless a periodic task retries them, as
the how-to "Retry stalled jobs" gives it, here with shorter heartbeats. A key is a lock of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.peers.job import deliver, deliver_and_hold
from tests.peers.peer import BODY, Producer, Setting

POLL_S = 0.1
HEARTBEAT_S = 2
STALLED_S = 8
EACH_FIVE_SECONDS = "* * * * * */5"  # The sixth field is seconds.
PACED_CONCURRENCY = 2
"""One for the job that sleeps, one for the periodic task."""
CONCURRENCY = 10


def prepare(told: Setting) -> None:
    """Make the tables."""
    with _app(told).open() as app:
        app.schema_manager.apply_schema()


@contextmanager
def producing(told: Setting) -> Iterator[Producer]:
    """Enqueue."""
    with _app(told).open() as app:
        send = app.tasks["send"]

        def job(number: int) -> Any:
            task = send.configure(lock=f"send-{number % told.keys}" if told.keys else None)
            return task.make_new_job(number=number, body=BODY)

        yield Producer(
            one=lambda number: app.job_manager.defer_job(job(number)),
            many=lambda some: app.job_manager.batch_defer_jobs([job(number) for number in some]),
        )


def work(told: Setting) -> None:
    """Be a worker."""
    import asyncio

    async def run() -> None:
        async with _app(told).open_async() as app:
            await app.run_worker_async(
                concurrency=PACED_CONCURRENCY if told.pace_s else CONCURRENCY,
                fetch_job_polling_interval=POLL_S,
                update_heartbeat_interval=HEARTBEAT_S,
                stalled_worker_timeout=STALLED_S,
            )

    asyncio.run(run())


def _app(told: Setting) -> Any:
    from procrastinate import App, PsycopgConnector

    app = App(connector=PsycopgConnector(conninfo=told.place))
    if not told.pace_s:
        app.task(name="send")(deliver)
        return app
    app.task(name="send", lock="send")(deliver_and_hold)

    async def retry_stalled(context: Any, timestamp: int) -> None:
        manager = context.app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_S):
            await manager.retry_job(job)

    periodic = app.task(name="retry_stalled", queueing_lock="retry_stalled", pass_context=True)
    app.periodic(cron=EACH_FIVE_SECONDS)(periodic(retry_stalled))
    return app
