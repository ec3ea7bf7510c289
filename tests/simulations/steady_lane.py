"""Lanes in a steady state: what arrives, how the gateway behaves, and what the model makes of it.

Durations are in paces, as theory's are; the model's are microseconds.
"""

from math import ceil, log

import numpy as np
from numpy.typing import NDArray

from simulations.model import simulate
from simulations.run import Run
from simulations.workload import Ints, Workload
from waqcore.core.instants import SECOND
from waqcore.core.outcome import Accepted, NotSent, Outcome, ProbeResult
from waqcore.core.policy import Policy

Floats = NDArray[np.float64]

PACE_US = 10 * SECOND
POLICY = Policy(pace_us=PACE_US, guard_us=0)
LATENCY_US = 300_000
START = 1_700_000_000 * SECOND

ACCEPTED = Accepted("1")
NOT_SENT = NotSent("busy")


class Accepts:
    """A gateway that takes every message."""

    def __init__(self, latency_us: int = LATENCY_US) -> None:
        self._answer = (ACCEPTED, latency_us)

    def call(self, seq: int, attempt: int, sender: int, at: int) -> tuple[Outcome, int]:
        return self._answer

    def probe(self, sender: int, at: int) -> tuple[ProbeResult, int]:
        raise AssertionError("nothing is wrong with the sender")


class Fails(Accepts):
    """A gateway that does not send at first: `failures` gives how often, by message."""

    def __init__(self, failures: Ints) -> None:
        super().__init__()
        self._failures = failures.tolist()

    def call(self, seq: int, attempt: int, sender: int, at: int) -> tuple[Outcome, int]:
        return (NOT_SENT, LATENCY_US) if attempt <= self._failures[seq] else self._answer


RETRIED_AT_ONCE = POLICY._replace(
    backoff_base_us=0,
    breaker_threshold=1_000_000,  # Failures are the messages' own here, not the gateway's.
)


def poisson(load: float, messages: int, rng: np.random.Generator) -> Ints:
    """Instants of Poisson arrivals, `load` a pace."""
    paces = np.cumsum(rng.exponential(1 / load, messages))
    return START + (paces * PACE_US).astype(np.int64)


def warm_up(load: float) -> int:
    """How many messages to leave out after an empty start: those of ten relaxation times.

    By t paces the start is forgotten but for the chance that Poisson arrivals filled them all, at
    most e^(-t·(rho - 1 - ln rho)).
    Source: H. Chernoff, "A measure of asymptotic efficiency …", Ann. Math. Statist. 23, 1952.
    """
    return ceil(10 * load / (load - 1 - log(load)))


def run_of(given: Workload, policy: Policy = POLICY, gateway: Accepts | None = None) -> Run:
    """The model's run of one lane."""
    return simulate(given, gateway or Accepts(), {given.senders[0]: policy})


def waits(given: Workload, policy: Policy = POLICY, gateway: Accepts | None = None) -> Floats:
    """By message, its wait for the first call, in paces of `PACE_US`."""
    return run_of(given, policy, gateway).wait_us() / PACE_US
