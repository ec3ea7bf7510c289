"""What may happen to a lane next: a few suppositions, each with its weight, and what follows."""

from collections.abc import Sequence
from math import exp, sqrt
from typing import NamedTuple

from waqcore.core.instants import HOUR
from waqcore.core.message import Priority
from waqcore.core.policy import Policy
from waqcore.core.rates import SIZES, Calls, Flow, Rates
from waqcore.core.surprise import Supposition, Surprise

PRIOR_BATCHES = 0.5
PRIOR_SLOTS = 5.0
"""Before anything is known: as if half a batch of one had come in the time of five slots."""
PRIOR_FAILURES = 0.5
PRIOR_CALLS = 25.0
"""As if half a call in 25 had failed."""
PRIOR_GAPS = 1.0
"""As if so many gaps had been seen, of any length that the policy allows: of a gateway nobody has
called nothing is known, so that its round trip is anywhere within the guard (uniform law)."""
USUAL_BATCHES = 16.0
"""The usual rate weighs as much as so many batches of late. Measured: with 8 the CRPS behind
batches of ten was a tenth worse, and no coverage better."""
BATCHES_MAX = 50.0
"""No rate is known better than by so many batches, to a seventh: rates change."""
USUAL_MAX = 300.0
"""No usual rate is known better than by so many, to a seventeenth."""
FADES_US = HOUR
"""In so long a rate of late has come back to the usual one by all but 1/e. Measured: if it is taken
to last, the CRPS of ten to thirty minutes ahead is 8 % worse, beyond that 22 %; half an hour does
as well."""
BACK_TO_USUAL = 0.1
"""The weight of the rate being the usual one again, where a message has just come."""
LOAD_MAX = 0.9
"""A load that was not seen is not supposed to be higher: nothing that is built fails to end."""
NEGLIGIBLE = 0.005
"""A supposition of less weight is left out."""
POINTS = ((1 / 6, -sqrt(3)), (2 / 3, 0.0), (1 / 6, sqrt(3)))
"""Weights and standard deviations from the middle that stand for a normal law: Gauss-Hermite."""

Weighed = Sequence[tuple[float, Supposition]]
NOTHING: Weighed = ((1.0, Supposition()),)


class Slot(NamedTuple):
    """The gap between two calls of a busy lane, in microseconds."""

    us: float
    """Above 0."""
    sd_us: float = 0.0
    unsure_us: float = 0.0
    """The standard deviation of `us` itself, where it was estimated."""


class Outlook:
    """What may come, as messages of every priority feel it; worked out as far as it is asked for.

    To be kept for the forecasts of some seconds: the first of them does most of the work.
    """

    def __init__(
        self, slot: Slot, suppositions: Sequence[Weighed], *, unsure_failure: float = 0.0
    ) -> None:
        """The n-th of `suppositions` tells of messages of the n highest priorities.

        `unsure_failure` is the standard deviation of the chance to fail, where it was estimated.
        """
        self.slot = slot
        self.unsure_failure = unsure_failure
        self._suppositions = suppositions
        self._surprises: dict[int, Sequence[tuple[float, Surprise]]] = {}

    def before(self, priority: int) -> Sequence[tuple[float, Surprise]]:
        """What messages of higher priorities than this do, by supposition."""
        if priority not in self._surprises:
            self._surprises[priority] = [
                (weight, Surprise(supposed)) for weight, supposed in self._suppositions[priority]
            ]
        return self._surprises[priority]


def nothing_comes(policy: Policy) -> Outlook:
    """The outlook of a lane to which nothing will happen but what is known."""
    slot = Slot(max(1.0, policy.pace_us + policy.jitter_us / 2), policy.jitter_us / sqrt(12))
    return Outlook(slot, [NOTHING] * (len(Priority) + 1))


def outlook(rates: Rates, now: int, policy: Policy) -> Outlook:
    """What the past of a lane lets expect."""
    slot = _slot(rates.calls, policy)
    n = rates.calls.calls + PRIOR_CALLS
    failure = (rates.calls.failures + PRIOR_FAILURES) / n
    none: Weighed = ((1.0, Supposition(failure=failure, max_attempts=policy.max_attempts)),)
    flows = [_suppose(flow, now, slot, failure, policy) for flow in rates.flows]
    # A share's beta law, after what was seen.
    return Outlook(slot, [none, *flows], unsure_failure=sqrt(failure * (1 - failure) / (n + 1)))


def _slot(calls: Calls, policy: Policy) -> Slot:
    """Mean and spread of the gaps seen, those that the policy allows counted as some of them."""
    by_policy = (policy.jitter_us + policy.guard_us) / 2
    varies = (policy.jitter_us**2 + policy.guard_us**2) / 12
    n = calls.calls + PRIOR_GAPS
    mean = (calls.over_us + PRIOR_GAPS * by_policy) / n
    square = (calls.over_us2 + PRIOR_GAPS * (by_policy**2 + varies)) / n
    sd = sqrt(max(0.0, square - mean**2))
    return Slot(max(1.0, policy.pace_us + mean), sd, sd / sqrt(n))


def _suppose(flow: Flow, now: int, slot: Slot, failure: float, policy: Policy) -> Weighed:
    """The rate of late at a few points of its gamma law, and the usual rate.

    The usual rate is also where the other's law begins, before anything was seen of late, and where
    it goes back to: each point to that of the usual rate's own law. The time since the last message
    came weighs each: the more it lets expect, the less it goes with silence.
    Source: the gamma law's quantiles are Wilson and Hilferty's, as in `cumulants`.
    """
    usually, lately = flow.seen_usually(now), flow.seen_lately(now)
    seen = usually.batches + PRIOR_BATCHES
    usual = seen / (usually.for_us / slot.us + PRIOR_SLOTS)
    prior = min(USUAL_BATCHES, max(PRIOR_BATCHES, seen - lately.batches))
    batches = lately.batches + prior
    rate = batches / (lately.for_us / slot.us + prior / usual)
    known = min(batches, BATCHES_MAX)
    sizes = _sizes(flow)
    highest = max(rate, LOAD_MAX / (sum(n * p for n, p in sizes) * (1 + failure + failure**2)))
    supposed = [
        (
            weight * (1 - BACK_TO_USUAL),
            min(highest, rate * _gamma(known, z)),
            min(highest, usual * _gamma(min(seen, USUAL_MAX), z)),
        )
        for weight, z in POINTS
    ]
    supposed.append((BACK_TO_USUAL, min(highest, usual), min(highest, usual)))
    silent, fades = max(0, now - max(flow.as_of, flow.since)) / slot.us, FADES_US / slot.us
    least = min(rate for _, rate, _ in supposed)
    likely = [weight * exp(-(rate - least) * silent) for weight, rate, _ in supposed]
    weighed = [
        (weight, Supposition(rate, sizes, failure, policy.max_attempts, back_to, fades))
        for weight, (_, rate, back_to) in zip(likely, supposed, strict=True)
        if weight > NEGLIGIBLE * sum(likely)
    ]
    total = sum(weight for weight, _ in weighed)
    return [(weight / total, supposition) for weight, supposition in weighed]


def _gamma(shape: float, z: float) -> float:
    """A gamma law's quantile at the level of a normal law's `z`, its mean being 1."""
    return max(0.0, 1 - 1 / (9 * shape) + z / (3 * sqrt(shape))) ** 3


def _sizes(flow: Flow) -> tuple[tuple[int, float], ...]:
    """The probability of each size of batch; single messages until something is known."""
    counted = [flow.sizes[0] + PRIOR_BATCHES, *flow.sizes[1:]]
    total = sum(counted)
    return tuple((size, n / total) for size, n in zip(SIZES, counted, strict=True) if n > 0.0)
