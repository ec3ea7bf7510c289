"""What may happen to a lane next: a few suppositions, each with its weight, and their surprises."""

from collections.abc import Sequence
from math import exp, log, sqrt
from typing import NamedTuple

from waqcore.core.message import Priority
from waqcore.core.policy import Policy
from waqcore.core.rates import Calls, Flow, Rates
from waqcore.core.surprise import Supposition, Surprise

PRIOR_BATCHES = 0.5
PRIOR_SLOTS = 5.0
"""Before anything is known: as if half a batch had come in the time of five slots."""
PRIOR_FAILURES = 0.5
PRIOR_CALLS = 25.0
"""As if half a call in 25 had failed."""
PRIOR_GAPS = 5.0
"""As if so many gaps had been seen that were just what the policy says."""

Weighed = Sequence[tuple[float, Supposition]]


class Slot(NamedTuple):
    """The gap between two calls of a busy lane, in microseconds."""

    us: float
    sd_us: float = 0.0
    unsure_us: float = 0.0
    """The standard deviation of `us` itself, where it was estimated."""


class Outlook:
    """What may come, as messages of every priority feel it; worked out as far as it is asked."""

    def __init__(self, slot: Slot, suppositions: Sequence[Weighed]) -> None:
        """The n-th of `suppositions` tells of messages of the n highest priorities."""
        self.slot = slot
        self._suppositions = suppositions
        self._surprises: dict[int, tuple[tuple[float, Surprise], ...]] = {}

    def before(self, priority: int) -> tuple[tuple[float, Surprise], ...]:
        """What messages of higher priorities than this do, with the weight of each supposition."""
        if priority not in self._surprises:
            self._surprises[priority] = tuple(
                (weight, Surprise(supposed)) for weight, supposed in self._suppositions[priority]
            )
        return self._surprises[priority]


def nothing_comes(policy: Policy) -> Outlook:
    """The outlook of a lane of which nothing is known but its policy."""
    nothing = ((1.0, Supposition()),)
    slot = Slot(policy.pace_us + policy.jitter_us / 2, policy.jitter_us / sqrt(12))
    return Outlook(slot, [nothing] * (len(Priority) + 1))


def outlook(rates: Rates, now: int, policy: Policy) -> Outlook:
    """What the recent past lets expect."""
    slot = _slot(rates.calls, policy)
    failures = _failures(rates.calls)
    flows = [None, *rates.flows]
    return Outlook(slot, [_suppose(flow, now, slot, failures, policy) for flow in flows])


def _slot(calls: Calls, policy: Policy) -> Slot:
    """Mean and spread of the gaps seen, the policy's own counted as some of them."""
    by_policy = policy.jitter_us / 2
    n = calls.calls + PRIOR_GAPS
    mean = (calls.over_us + PRIOR_GAPS * by_policy) / n
    square = (calls.over_us2 + PRIOR_GAPS * (by_policy**2 + policy.jitter_us**2 / 12)) / n
    sd = sqrt(max(0.0, square - mean**2))
    return Slot(policy.pace_us + mean, sd, sd / sqrt(n))


def _failures(calls: Calls) -> tuple[float, float]:
    """Mean and standard deviation of a call's chance to fail: its beta law after what was seen."""
    n = calls.calls + PRIOR_CALLS
    mean = (calls.failures + PRIOR_FAILURES) / n
    return mean, sqrt(mean * (1 - mean) / (n + 1))


def _suppose(
    flow: Flow | None, now: int, slot: Slot, failures: tuple[float, float], policy: Policy
) -> Weighed:
    """Rate and failure probability at a few standard deviations each, by the law of either.

    The rate's is the gamma law, whose quantiles are those of a cube.
    Source: Wilson and Hilferty, as in `cumulants`; the points are of Gauss and Hermite's rule.
    """
    shape, rate, sizes = 1.0, 0.0, ((1, 1.0),)
    if flow is not None:
        seen, watched_us = flow.seen_long(now)
        usual = (seen + PRIOR_BATCHES) / (watched_us / slot.us + PRIOR_SLOTS)
        seen, watched_us = flow.seen(now)
        shape = seen + USUAL
        rate = shape / (watched_us / slot.us + USUAL / usual)
        shape = min(shape, CAP)
        sizes = flow.by_size()
    mean, sd = failures
    each = sum(size * p for size, p in sizes) * (1 + mean + mean**2)
    most = max(rate, LOAD_MAX / each)
    nodes = [
        (
            weight*(1-BACK),
            Supposition(
                min(most, rate * max(0.0, 1 - 1 / (9 * shape) + x / (3 * sqrt(shape))) ** 3),
                sizes,
                min(max(0.0, mean + y * sd), 1.0),
                policy.max_attempts,
            ),
        )
        for weight, x, y in POINTS
    ]
    if flow is None or BACK==0: return nodes
    nodes.append((BACK,Supposition(usual,sizes,mean,policy.max_attempts)))
    g=(now-flow.as_of)/slot.us
    lo=min(s.batches for _,s in nodes)
    ww=[w*exp(-(s.batches-lo)*g) for w,s in nodes]
    t=sum(ww)
    return [(w/t,s) for w,(_,s) in zip(ww,nodes) if w/t>.005]


LOAD_MAX = 0.9
USUAL = 16.0
BACK=0.1
CAP=25.
POINTS = (
    (1 / 3, 0.0, 0.0),
    *((1 / 6, x, 0.0) for x in (-sqrt(3), sqrt(3))),
    *((1 / 6, 0.0, y) for y in (-sqrt(3), sqrt(3))),
)
"""Weights, and standard deviations of rate and failure probability from their middles."""
