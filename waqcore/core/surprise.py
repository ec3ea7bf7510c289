"""How many slots that nobody knows of yet go before a message: the law of its extra slots.

Time is counted in slots, the gap between two calls of a busy lane. A message has a *delay* before
it, the time it would wait if nothing else happened. During it, batches of messages that go before
it arrive; each call for one of them is a slot more, in which others arrive; and calls fail and come
back to their place. Together that is the total progeny of a branching process.
"""

from collections.abc import Sequence
from functools import cached_property
from math import exp, log
from operator import mul
from typing import NamedTuple

from waqcore.core.cumulants import Cumulants, cumulants
from waqcore.core.extra import Counted

EXACT_MAX = 64
"""Extra slots up to which probabilities are exact; a curve is close enough beyond."""
EXACT_SHARE = 0.9999
"""The share of a law after which no further probabilities are worked out."""
CURVE_SDS = 4
"""A mean so many standard deviations beyond the exact leaves nothing to them."""
FAILURE_MAX = 0.5
"""A gateway that fails more often than this opens the breaker before the rest matters."""


class Supposition(NamedTuple):
    """What is supposed of the near future of a lane, as far as a message of one priority feels it.

    Batches arrive by Poisson's law and calls fail independently.
    """

    batches: float = 0.0
    """Batches of messages that go before it, expected in the time of one slot."""
    sizes: tuple[tuple[int, float], ...] = ((1, 1.0),)
    """Messages in a batch, and how probable that is."""
    failure: float = 0.0
    """The probability that a call fails and its message comes back."""
    max_attempts: int = 3


class Surprise:
    """What follows from one supposition for any message; worked out as far as it is asked for."""

    def __init__(self, supposed: Supposition) -> None:
        self._sizes = supposed.sizes
        self._again = _calls_after_first(min(supposed.failure, FAILURE_MAX), supposed.max_attempts)
        self._arrived = [0.0]
        self._returned = [0.0]
        self.batches = supposed.batches
        self.none_fails = log(self._again[0])
        """Logarithm of the probability that a message needs one call."""
        self.again = cumulants(dict(enumerate(self._again)))
        """Cumulants of a message's calls after its first."""
        self.slot = self._offspring()
        """Cumulants of the slots that arrive in the time of one: the first is the load."""
        self.progeny = _progeny(self.slot)
        """Cumulants of all slots that one slot leads to, itself included; None: without end."""

    def extra(self, delay: float, ahead: float) -> Counted:
        """The law of the extra slots of a message that would wait for `delay` slots.

        `ahead` messages before it may fail and come back in time.
        """
        curve = self._curve(delay, ahead)
        if curve is not None and curve.mean - CURVE_SDS * curve.variance**0.5 > EXACT_MAX:
            return Counted((), curve)
        return Counted(self._exact(delay, ahead), curve)

    def _curve(self, delay: float, ahead: float) -> Cumulants | None:
        if self.progeny is None:
            return None
        beyond = self.progeny._replace(mean=self.progeny.mean - 1)
        return beyond.times(delay).plus(self.again.of(self.progeny).times(ahead))

    def _exact(self, delay: float, ahead: float) -> list[float]:
        """The probabilities of at most 0, 1, … extra slots.

        n·P(N=n) = Σⱼ (delay·A(j) + ahead·R(j))·P(N=n-j), A(j) the probability that just j slots
        arrive in j slots: N has the law of a Poisson sum whose jumps of j come at A(j)/j a slot.
        With single messages that never fail it is Consul and Jain's generalized Poisson law.
        Source: L. Takács, Combinatorial Methods in the Theory of Stochastic Processes, 1967; the
        recursion is H. H. Panjer's, ASTIN Bulletin 12, 1981.
        """
        chances = [exp(ahead * self.none_fails - delay * self.batches)]
        jumps: list[float] = []
        reached = [chances[0]]
        for n in range(1, EXACT_MAX + 1):
            if reached[-1] >= EXACT_SHARE:
                break
            self._work_out(n)
            jumps.append(delay * self._arrived[n] + ahead * self._returned[n])
            chances.append(sum(map(mul, jumps, reversed(chances))) / n)
            reached.append(min(1.0, reached[-1] + max(0.0, chances[n])))
        return reached

    def _work_out(self, n: int) -> None:
        """A(n), and R(n) = [uⁿ⁻¹] (e'(u)/e(u))·φ(u)ⁿ.

        e(u) generates the further calls of one message, φ(u) the slots that arrive in one slot; by
        Lagrange's inversion, R(n)/n is the coefficient of zⁿ in ln e(h(z)), h(z) = z·φ(h(z)).
        """
        if n < len(self._arrived):
            return
        arrivals = self._arrivals(n)
        self._arrived.append(arrivals[n])
        self._returned.append(sum(map(mul, self._returning, reversed(arrivals[:n]))))

    def _arrivals(self, n: int) -> list[float]:
        """The probabilities that 0 … n slots arrive in the time of n."""
        chances = [exp(-n * self.batches)]
        for k in range(1, n + 1):
            chances.append(n * sum(map(mul, self._weighted, reversed(chances))) / k)
        return chances

    @cached_property
    def _weighted(self) -> list[float]:
        """Batches in a slot that take 1, 2, … slots, times their slots."""
        return [self.batches * n * p for n, p in enumerate(_slots(self._sizes, self._again))][1:]

    @cached_property
    def _returning(self) -> list[float]:
        """The coefficients of e'(u)/e(u)."""
        calls, result = self._again, list[float]()
        for n in range(EXACT_MAX):
            own = (n + 1) * calls[n + 1] if n + 1 < len(calls) else 0.0
            rest = sum(calls[i] * result[n - i] for i in range(1, min(n + 1, len(calls))))
            result.append((own - rest) / calls[0])
        return result

    def _offspring(self) -> Cumulants:
        """The cumulants of a Poisson sum are its rate times the moments of a term."""
        each = cumulants(dict(enumerate(self._again, 1)))
        mean, variance, third = cumulants(dict(self._sizes)).of(each)
        moments = Cumulants(mean, variance + mean**2, third + 3 * mean * variance + mean**3)
        return moments.times(self.batches)


def _calls_after_first(failure: float, max_attempts: int) -> list[float]:
    """The probabilities of 0, 1, … calls of a message after its first."""
    again = [failure**n * (1 - failure) for n in range(max_attempts - 1)]
    return [*again, failure ** (max_attempts - 1)]


def _slots(sizes: Sequence[tuple[int, float]], again: Sequence[float]) -> list[float]:
    """The probabilities that a batch takes 0, 1, … slots, as far as they are exact."""
    law = [0.0] * (EXACT_MAX + 1)
    chance_of = dict(sizes)
    largest = min(EXACT_MAX, max(chance_of))
    more = [1.0]
    for size in range(1, largest + 1):
        more = _sum_of(more, again)
        for n, p in enumerate(more[: EXACT_MAX + 1 - size]):
            law[size + n] += chance_of.get(size, 0.0) * p
    return law[: largest * len(again) + 1]


def _sum_of(one: Sequence[float], other: Sequence[float]) -> list[float]:
    """The law of the sum of two independent whole numbers, as far as it is exact."""
    law = [0.0] * min(EXACT_MAX + 1, len(one) + len(other) - 1)
    for m, p in enumerate(other):
        if p > 0.0:
            for n, q in enumerate(one[: len(law) - m]):
                law[n + m] += p * q
    return law


def _progeny(slot: Cumulants) -> Cumulants | None:
    """The cumulants of a total progeny, from those of one individual's offspring.

    Source: T. E. Harris, The Theory of Branching Processes, 1963, section I.13, taken to the third.
    """
    left = 1 - slot.mean
    if left <= 0:
        return None
    third = slot.third / left**4 + 3 * slot.variance**2 / left**5
    return Cumulants(1 / left, slot.variance / left**3, third)
