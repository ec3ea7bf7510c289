"""The model's busy periods, and the messages that overtake, have the laws of branching processes.

Each test draws from independent lanes or busy periods, so that Pearson's chi-square is exact but
for its bins. The level of each is 0.25 %: together they hold with 99 %. The seed was the first
tried.
"""

from functools import cache

import numpy as np
import scipy.stats
from scipy.stats import chisquare

from simulations.model import simulate
from simulations.theory import branching
from simulations.workload import Ints, Job, plain, workload
from tests.simulations.estimates import Floats
from tests.simulations.steady_lane import (
    PACE_US,
    RETRIED_AT_ONCE,
    START,
    Fails,
    poisson,
    waits,
)
from waqcore.core.message import Priority

SEED = 20260304
LEVEL = 0.0025
LANES = 1_500
AHEAD = 3
LOAD = 0.4
"""Of high messages, in each lane."""
HORIZON = 40
"""Paces for which high messages arrive: next to no low message waits longer."""


def p_value(counts: Ints, law: Floats) -> float:
    """Of whole numbers from 0 against their law; those expected less than five times are one."""
    often = int(np.argmin(law * len(counts) >= 5))
    seen = np.bincount(np.minimum(counts, often), minlength=often + 1)
    expected = np.append(law[:often], 1 - law[:often].sum()) * len(counts)
    return float(chisquare(seen, expected).pvalue)


@cache
def waits_of_the_last(failure: float) -> Ints:
    """By lane, the slots that a message waits for: three before it, high ones coming all along."""
    rng = np.random.default_rng([SEED, int(100 * failure)])
    jobs = [
        Job(START, Priority.NORMAL, sender=lane) for _ in range(AHEAD + 1) for lane in range(LANES)
    ]
    for lane in range(LANES):
        high = rng.uniform(0, HORIZON * PACE_US, rng.poisson(LOAD * HORIZON)).astype(np.int64)
        jobs += [Job(START + after, Priority.HIGH, sender=lane) for after in high.tolist()]
    senders = [f"sender-{lane}" for lane in range(LANES)]
    given = workload(jobs, senders)
    failures = rng.geometric(1 - failure, len(given)) - 1
    policy = RETRIED_AT_ONCE._replace(max_attempts=200)
    run = simulate(given, Fails(failures), dict.fromkeys(senders, policy))
    last = slice(AHEAD * LANES, (AHEAD + 1) * LANES)
    assert given.priority[last].tolist() == [Priority.NORMAL] * LANES
    return (run.first_called_at()[last] - START) // PACE_US


def test_busy_periods_have_borels_law() -> None:
    arrivals = poisson(0.5, 60_000, np.random.default_rng(SEED))
    (first,) = np.nonzero(waits(plain(arrivals)) == 0)

    law = branching.borel_tanner(np.arange(1, 200), 1, 0.5)
    assert p_value(np.diff(first) - 1, law) > LEVEL


def test_those_that_overtake_are_generalized_poisson() -> None:
    extra = waits_of_the_last(failure=0.0) - AHEAD

    law = branching.generalized_poisson(np.arange(200), LOAD * AHEAD, LOAD)
    assert p_value(extra, law) > LEVEL


def test_with_failing_calls_the_slots_are_a_total_progeny() -> None:
    """A slot breeds those that arrive in it, and its own message once more if its call fails."""
    extra = waits_of_the_last(failure=0.15) - AHEAD

    arriving = scipy.stats.poisson.pmf(np.arange(30), LOAD)
    offspring = np.convolve(arriving, [0.85, 0.15])
    law = branching.total_progeny(offspring, AHEAD, 200)[AHEAD:]
    assert p_value(extra, law) > LEVEL


def test_another_law_is_told_apart() -> None:
    extra = waits_of_the_last(failure=0.0) - AHEAD

    assert p_value(extra, scipy.stats.poisson.pmf(np.arange(200), LOAD * AHEAD)) < LEVEL
