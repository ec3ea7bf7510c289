"""Every peer of the table."""

from tests.peers.peer import Broker, Peer, Runtime

SLEEPS = "one at a time over all workers; the job sleeps until the pace has passed"
HELD = "a job is not done until its sleep is, so a kill in that time calls its message again"
ROUND_TRIP = "a gap is the pace plus the call's round trip, up to 250 ms of it"

PEERS = (
    Peer(
        name="waqcore",
        title="waqcore, SQLite",
        adapter="waq",
        broker=Broker.SQLITE,
        paced_by="its lane",
        keyed=True,
        keyless=False,
        runtime=Runtime.OURS,
        remark=(
            f"{ROUND_TRIP}; where others have no key it enqueues for one sender; its dispatch is "
            "over 1,000 in either column, since one has one call in flight"
        ),
    ),
    Peer(
        name="waqcore-pg",
        title="waqcore, PostgreSQL",
        adapter="waq",
        broker=Broker.POSTGRES,
        paced_by="its lane",
        keyed=True,
        keyless=False,
        runtime=Runtime.OURS,
        remark="as on SQLite",
    ),
    Peer(
        name="celery",
        title="Celery, Redis",
        adapter="celery",
        broker=Broker.REDIS,
        paced_by="rate_limit, half of it for each worker, since it is counted per worker",
    ),
    Peer(
        name="celery-late",
        title="Celery, acks late",
        adapter="celery",
        variant="late",
        broker=Broker.REDIS,
        paced_by="as Celery; acks_late, reject_on_worker_lost, visibility timeout 15 s",
    ),
    Peer(
        name="huey",
        title="Huey, SQLite",
        adapter="huey",
        broker=Broker.SQLITE,
        paced_by="huey.rate_limit (a fixed window), strict_fifo",
    ),
    Peer(
        name="huey-pg",
        title="Huey, PostgreSQL",
        adapter="huey",
        broker=Broker.POSTGRES,
        paced_by="huey.rate_limit (a fixed window)",
    ),
    Peer(
        name="dramatiq",
        title="Dramatiq, Redis",
        adapter="dramatiq",
        broker=Broker.REDIS,
        paced_by="WindowRateLimiter, retried; heartbeat timeout 10 s",
    ),
    Peer(
        name="rq",
        title="RQ, Redis",
        adapter="rq",
        broker=Broker.REDIS,
        paced_by=f"RateLimit of concurrency 1: {SLEEPS}; maintenance each 5 s, Retry",
        remark=f"{HELD}; forks for each job",
    ),
    Peer(
        name="procrastinate",
        title="Procrastinate, PostgreSQL",
        adapter="procrastinate",
        broker=Broker.POSTGRES,
        paced_by=f"lock: {SLEEPS}; its docs' task that retries stalled jobs, each 5 s",
        keyed=True,
        remark=HELD,
    ),
    Peer(
        name="pgqueuer",
        title="PgQueuer, PostgreSQL",
        adapter="pgqueuer",
        broker=Broker.POSTGRES,
        paced_by=f"concurrency_limit 1: {SLEEPS}; heartbeat timeout 10 s",
        keyed=True,
        remark=HELD,
    ),
    Peer(
        name="dbos",
        title="DBOS, PostgreSQL",
        adapter="dbos",
        broker=Broker.POSTGRES,
        paced_by="queue with limiter and global concurrency 1, polled each 0.1 s",
    ),
    Peer(
        name="chancy",
        title="Chancy, PostgreSQL",
        adapter="chancy",
        broker=Broker.POSTGRES,
        paced_by="queue with rate_limit (a fixed window); heartbeat timeout 10 s",
    ),
    Peer(
        name="bullmq",
        title="BullMQ, Redis",
        adapter="bullmq",
        broker=Broker.REDIS,
        paced_by="limiter; lock and stalled check 30 s, as its docs advise",
        runtime=Runtime.NODE,
    ),
    Peer(
        name="bullmq-short",
        title="BullMQ, short locks",
        adapter="bullmq",
        variant="short",
        broker=Broker.REDIS,
        paced_by="limiter; lock 6 s and stalled check 3 s, against its docs' advice",
        rated=False,
        runtime=Runtime.NODE,
    ),
)
"""All are durable as set up here: strace counted one sync per enqueue for each of them."""
