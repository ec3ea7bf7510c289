"""The model's batches and retries wait as theory says.

The intervals are the model's own, by batch means, and hold together with 99 % (Bonferroni). The
seed was the first tried.
"""

import numpy as np
import pytest

from simulations import oracle
from simulations.theory import batches, md1, retries
from simulations.workload import plain
from tests.simulations.estimates import by_batches
from tests.simulations.steady_lane import (
    PACE_US,
    RETRIED_AT_ONCE,
    Fails,
    poisson,
    waits,
    warm_up,
)

SEED = 20260303
INTERVALS = 4


@pytest.mark.parametrize("sizes", [{5: 1.0}, {1: 0.5, 2: 0.3, 8: 0.2}], ids=str)
def test_batches_wait_as_burke_says(sizes: dict[int, float]) -> None:
    load = 0.7
    rng = np.random.default_rng([SEED, len(sizes)])
    size = rng.choice(list(sizes), 15_000, p=list(sizes.values()))
    batch_load = load / sum(one * share for one, share in sizes.items())
    arrivals = np.repeat(poisson(batch_load, len(size), rng), size)

    mean = by_batches(waits(plain(arrivals))[5 * warm_up(load) :])
    assert mean.agrees_with(batches.mean_wait(load, 1, sizes), one_of=INTERVALS)


@pytest.mark.parametrize(("failure", "max_attempts"), [(0.2, 3), (0.4, 2)])
def test_retries_hold_up_the_others_as_a_geometric_service_does(
    failure: float, max_attempts: int
) -> None:
    load = 0.55
    rng = np.random.default_rng([SEED, max_attempts])
    arrivals = poisson(load, 40_000, rng)
    failures = rng.geometric(1 - failure, len(arrivals)) - 1
    policy = RETRIED_AT_ONCE._replace(max_attempts=max_attempts)

    steady = slice(warm_up(0.8), None)  # With the retries it is less.
    waited = waits(plain(arrivals), policy, Fails(failures))
    control = oracle.fifo_waits_us(arrivals, PACE_US) / PACE_US - md1.mean_wait(load, 1)
    mean = by_batches(waited[steady], [control[steady]])
    assert mean.agrees_with(retries.mean_wait(load, 1, failure, max_attempts), one_of=INTERVALS)
