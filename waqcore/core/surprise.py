"""How many slots that nobody knows of yet go before a message: the law of its extra slots.

Time is counted in slots, the gap between two calls of a busy lane. A message has a *delay* before
it, the time it would wait if nothing else happened. During it, batches of messages that go before
it arrive; each call for one of them is a slot more, in which others arrive; and calls fail and come
back to their place. Together that is the total progeny of a branching process.
"""

from collections.abc import Sequence
from functools import cached_property
from math import exp, expm1, inf, log
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
ROUNDS = 8
"""Rounds in which a wait and the rate over it are made to agree: to a thousandth, mostly."""
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
    usual: float = 0.0
    """Batches in a slot that there are in the long run."""
    fades: float = inf
    """Slots in which `batches` have come to it by all but 1/e; inf: they stay what they are."""


class Surprise:
    """What follows from one supposition for any message; worked out as far as it is asked for."""

    def __init__(self, supposed: Supposition) -> None:
        self._sizes = supposed.sizes
        self.batches = supposed.batches
        self.usual = supposed.usual
        self.fades = supposed.fades
        self._again = _calls_after_first(min(supposed.failure, FAILURE_MAX), supposed.max_attempts)
        self.none_fails = log(self._again[0])
        """Logarithm of the probability that a message needs one call."""
        self.again = cumulants(dict(enumerate(self._again)))
        """Cumulants of a message's calls after its first."""
        self._slots = _offspring(supposed.sizes, self._again)
        self.slot = self._slots.times(supposed.batches)
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
        progeny = self._progeny_over(delay)
        if progeny is None:
            return None
        beyond = progeny._replace(mean=progeny.mean - 1)
        return beyond.times(delay).plus(self.again.of(progeny).times(ahead))

    def _progeny_over(self, delay: float) -> Cumulants | None:
        """As `progeny`, at the rate that there is on average over the wait that a delay becomes.

        Over w slots a share of (1 - e^(-w/F))·F/w is left, on average, of what the rate differs
        from the usual one by, if that fades to 1/e in F; and w is the delay, over 1 less the load.
        The first of extra slots, which are exact, come too soon for it to have faded.
        Source: the mean of a process that reverts exponentially, G. E. Uhlenbeck and L. S.
        Ornstein, "On the theory of the Brownian motion", Phys. Rev. 36, 1930.
        """
        progeny, faded = self.progeny, self.progeny
        if self.fades == inf or delay <= 0.0:
            return progeny
        for _ in range(ROUNDS):
            if faded is None:
                return progeny
            times = delay * faded.mean / self.fades
            left = -expm1(-times) / times
            rate = self.usual + (self.batches - self.usual) * left
            faded = _progeny(self._slots.times(rate))
        return progeny if faded is None else faded

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
            arrived, returned = self._jumps.at(n)
            jumps.append(delay * arrived + ahead * returned)
            chances.append(sum(map(mul, jumps, reversed(chances))) / n)
            reached.append(min(1.0, reached[-1] + max(0.0, chances[n])))
        return reached

    @cached_property
    def _jumps(self) -> "_Jumps":
        return _Jumps(self.batches, self._sizes, self._again)


def _calls_after_first(failure: float, max_attempts: int) -> list[float]:
    """The probabilities of 0, 1, … calls of a message after its first."""
    again = [failure**n * (1 - failure) for n in range(max_attempts - 1)]
    return [*again, failure ** (max_attempts - 1)]


def _offspring(sizes: Sequence[tuple[int, float]], again: Sequence[float]) -> Cumulants:
    """Of the slots that arrive at one batch a slot: a Poisson sum's are the moments of a term."""
    each = cumulants(dict(enumerate(again, 1)))
    mean, variance, third = cumulants(dict(sizes)).of(each)
    return Cumulants(mean, variance + mean**2, third + 3 * mean * variance + mean**3)


def _progeny(slot: Cumulants) -> Cumulants | None:
    """The cumulants of a total progeny, from those of one individual's offspring.

    Source: T. E. Harris, The Theory of Branching Processes, 1963, section I.13, taken to the third.
    """
    left = 1 - slot.mean
    if left <= 0:
        return None
    third = slot.third / left**4 + 3 * slot.variance**2 / left**5
    return Cumulants(1 / left, slot.variance / left**3, third)


class _Jumps:
    """A(n), and R(n) = n·[zⁿ] ln e(h(z)), one n after the other.

    e(u) generates the further calls of one message, φ(u) the slots that arrive in one slot, and
    h(z) = z·φ(h(z)) the slots that one slot leads to, itself included. By Lagrange's inversion
    A(n) = n·[zⁿ] ln φ(h(z)); ln φ(u) is the sum of β·p(s)·(u·e(u))ˢ, less β, over batches of s
    messages. From A up to n follows h at n + 1, since h(z)/z is the exponential of a series.
    """

    def __init__(
        self, batches: float, sizes: Sequence[tuple[int, float]], again: Sequence[float]
    ) -> None:
        self._again = again
        self._rates = [(size, batches * p) for size, p in sizes if size <= EXACT_MAX]
        self._sums = _sums([size for size, _ in self._rates])
        self._slot = [0.0, exp(-batches)]
        """h(z), known to one n more than the rest."""
        self._powers = [[0.0] for _ in again[2:]]
        """Its square, its cube and so on."""
        self._calls = [again[0]]
        """e(h(z))."""
        self._together = {size: [0.0] for size in (1, *self._sums)}
        """Powers of h(z)·e(h(z)): the slots that so many messages of a batch lead to."""
        self._arrived = [0.0]
        self._returned = [0.0]

    def at(self, n: int) -> tuple[float, float]:
        """A(n) and R(n)."""
        while len(self._arrived) <= n:
            self._work_out(len(self._arrived))
        return self._arrived[n], self._returned[n]

    def _work_out(self, n: int) -> None:
        slot, calls, returned = self._slot, self._calls, self._returned
        before = slot
        for power in self._powers:
            power.append(_product(before, slot))
            before = power
        calls.append(sum(map(mul, self._again[1:], (s[n] for s in (slot, *self._powers)))))
        returned.append((n * calls[n] - _product(returned, calls[1:])) / calls[0])
        together = self._together
        together[1].append(_product(slot, calls))
        for size, (one, other) in self._sums.items():
            together[size].append(_product(together[one], together[other]))
        self._arrived.append(n * sum(rate * together[size][n] for size, rate in self._rates))
        slot.append(_product(self._arrived[1:], slot[1:]) / n)


def _product(one: Sequence[float], other: Sequence[float]) -> float:
    """The last known coefficient of the product of two series."""
    last: float = sum(map(mul, one, reversed(other)))
    return last


def _sums(sizes: Sequence[int]) -> dict[int, tuple[int, int]]:
    """The halves of each size above 1, and of these halves, in an order that has halves first."""
    found: dict[int, tuple[int, int]] = {}

    def halve(size: int) -> None:
        if size > 1 and size not in found:
            half = size // 2
            halve(half)
            halve(size - half)
            found[size] = half, size - half

    for size in sizes:
        halve(size)
    return found
