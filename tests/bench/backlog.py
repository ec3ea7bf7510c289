"""Whether enqueue and claim cost the same in front of a thousand messages and of a million."""

import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from tests.bench.report import Figure
from tests.bench.setting import fill, new_message, store
from tests.postgres import server
from waqcore.core.instants import DAY, NEVER
from waqcore.core.outcome import Accepted
from waqcore.core.policy import Policy
from waqcore.store import attempts, step
from waqcore.store.attempts import Ended
from waqcore.store.enqueue import enqueue
from waqcore.store.step import Holder, Turn
from waqcore.store.store import Store

SHORT, LONG = 1_000, 1_000_000
POLICY = Policy(pace_us=0, guard_us=0)
TIMES = 300
ROUNDS = 5


def run(folder: Path) -> list[Figure]:
    """Measure short and long by turns, in one run, on either engine."""
    with ExitStack() as stack:
        short, long, later = (
            stack.enter_context(store(folder, name, 1, POLICY))
            for name in ("short", "long", "later")
        )
        figures = _measured(short, long, later, "")
    with ExitStack() as stack:
        # Vacuumed, since what is settled leaves dead rows behind; but the disk's time for a commit,
        # the same before however many, would drown the difference.
        postgres = stack.enter_context(
            server(Path(tempfile.gettempdir()), "autovacuum=on", "fsync=off")
        )
        short, long, later = (
            stack.enter_context(
                store(folder, name, 1, POLICY, url=stack.enter_context(postgres.database()))
            )
            for name in ("short", "long", "later")
        )
        figures += _measured(short, long, later, ", PostgreSQL")
    return figures


def _measured(short: Store, long: Store, later: Store, where: str) -> list[Figure]:
    fill(short, SHORT)
    fill(long, LONG)
    fill(later, LONG, send_in_us=DAY)
    return [
        _compare(f"{name} before 1,000,000 {what}{where}", work, queue, short)
        for name, work in (("enqueue", _enqueue), ("claim", _claim))
        for queue, what in ((long, "queued"), (later, "scheduled for tomorrow"))
    ]


def _compare(name: str, work: Callable[[Store], None], long: Store, short: Store) -> Figure:
    costs = [(_cost_us(work, short), _cost_us(work, long)) for _ in range(ROUNDS)]
    return Figure(
        name=name,
        value=median(b for _, b in costs) / median(a for a, _ in costs),
        unit="×",
        bar=1.5,
        at_least=False,
        detail=f"{median(b for _, b in costs):.0f} µs, "
        f"{median(a for a, _ in costs):.0f} µs before 1,000",
    )


def _cost_us(work: Callable[[Store], None], queue: Store) -> float:
    began = time.perf_counter()
    work(queue)
    return (time.perf_counter() - began) / TIMES * 1e6


def _enqueue(queue: Store) -> None:
    (sender,) = queue.senders
    for _ in range(TIMES):
        wall = queue.clock.wall_us()
        queue.write_jointly(enqueue, [new_message(10**9 + time.perf_counter_ns(), sender, wall)])


def _claim(queue: Store) -> None:
    """Claim, write the attempt, settle: what one message costs the database, one at a time."""
    me = Holder("bench", NEVER)
    ended: list[Ended] = []
    for n in range(TIMES + 1):
        room = 1 if n < TIMES else 0
        turn = Turn(me, list(queue.senders), ended, room=room)
        decided = queue.write(
            lambda connection, turn=turn: step.take(  # type: ignore[misc]
                connection, turn, queue.now(), queue.senders, 0
            )
        )
        begun = queue.write(
            lambda connection, claims=decided.claims: attempts.begin(  # type: ignore[misc]
                connection, claims, queue.now()
            )
        )
        ended = [Ended(one, Accepted(), queue.steady(), queue.steady()) for one in begun]
