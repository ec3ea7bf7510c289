"""What one forecast costs in front of a long queue, beyond finding the message's position."""

import time
from pathlib import Path
from statistics import median

import numpy as np
from sqlalchemy import Connection

from tests.bench.report import Figure
from tests.bench.setting import fill, store
from waqcore.core.instants import HOUR, SECOND
from waqcore.core.message import Priority
from waqcore.core.policy import Policy
from waqcore.core.rates import Rates
from waqcore.estimate import Estimator
from waqcore.store import position, rates, review
from waqcore.store.position import Place
from waqcore.store.store import Store

BACKLOG = 100_000
LOOKS = 200
"""Messages forecast, from the first to the last of the queue."""
POLICY = Policy()
FAILING = 0.05
BETWEEN_US = 12.5 * SECOND
"""Between two arrivals of the last hour, on average: a load of 0.8."""


def run(folder: Path) -> list[Figure]:
    """Measure every look anew, with what it must learn of the lane, and those that share it."""
    with store(folder, "forecast", 1, POLICY) as opened:
        fill(opened, BACKLOG)
        opened.write(lambda connection: _look_back(connection, opened))
        alone_ms, together_ms = opened.read(lambda connection: _costs_ms(connection, opened))
    return [
        Figure(
            name=f"a forecast, {BACKLOG:,} queued",
            value=median(alone_ms),
            unit="ms",
            bar=1,
            at_least=False,
            detail=f"beyond its position; p99 {np.quantile(alone_ms, 0.99):.2g} ms, "
            f"{median(together_ms):.2g} ms where several share one look",
        )
    ]


def _look_back(connection: Connection, opened: Store) -> None:
    """Keep an hour of arrivals and calls, and the queue's tally, as a dispatcher does."""
    now, rng = opened.now(), np.random.default_rng(1)
    known = Rates.since(now.steady - HOUR)
    gaps = rng.exponential(BETWEEN_US, round(HOUR / BETWEEN_US))
    for at in np.cumsum(gaps[::-1]).astype(int).tolist():
        known = known.arrived(Priority(int(rng.integers(1, 4))), now.steady - HOUR + at, POLICY)
        held_us = POLICY.pace_us + int(rng.integers(0, POLICY.guard_us))
        known = known.called(held_us, POLICY, failed=rng.random() < FAILING)
    rates.save(connection, dict.fromkeys(opened.senders, known))
    position.store_tally(connection, position.count(connection, now), now)


def _costs_ms(connection: Connection, opened: Store) -> tuple[list[float], list[float]]:
    ids = tuple(f"msg_{n:027d}" for n in range(0, BACKLOG, BACKLOG // LOOKS))
    shared = Estimator(connection, opened)
    alone, together = list[float](), list[float]()
    for row in review.by_ids(connection, ids).values():
        place = Place(row.sender, row.priority, row.seq, row.enqueued_at)
        found = position.position(connection, place, shared.now)
        for estimator, costs in ((Estimator(connection, opened), alone), (shared, together)):
            began = time.perf_counter()
            eta = estimator.eta_at(row, found)
            costs.append((time.perf_counter() - began) * 1e3)
            assert eta.low_at is not None
    return alone, together
