"""Laws of a message's extra slots: how many go before it that nobody knows of yet."""

from collections.abc import Sequence
from math import ceil, floor
from typing import Protocol

from waqcore.core.cumulants import Cumulants, Curve, normal

SMEAR = 4
"""Standard deviations of noise beyond which a slot never lies from its place."""


class Extra(Protocol):
    """How much later than known a message is called, in slots."""

    def below(self, slots: float, noise: float) -> float:
        """The probability of at most so many extra slots, which need not be whole.

        `noise` is the standard deviation, in slots, of where their places lie.
        """


class Counted:
    """Whole slots: exact as far as it was worked out, a curve beyond."""

    def __init__(self, exact: Sequence[float], beyond: Cumulants | None) -> None:
        self._exact = exact
        """The probabilities of at most 0, 1, … extra slots."""
        self._cumulants = beyond
        """Of all slots; None: more comes than leaves, and it may never be called."""
        self._reached = exact[-1] if exact else 0.0
        self._curve = Curve(beyond or Cumulants())
        self._noise = 0.0
        left = 1.0 - self._curve.below(len(exact) - 0.5)
        self._scale = (1.0 - self._reached) / left if left > 0.0 else 0.0

    def at_most(self, n: int) -> float:
        """The probability of at most `n` extra slots."""
        if n < 0:
            return 0.0
        if n < len(self._exact):
            return self._exact[n]
        return self._beyond(n + 0.5, 0.0)

    def below(self, slots: float, noise: float) -> float:
        """As `Extra.below`: each slot's probability is spread around its place."""
        if noise == 0.0:
            return self.at_most(floor(slots))
        first = floor(slots - SMEAR * noise)
        if first >= len(self._exact) - 1:
            return self._beyond(slots, noise)
        reached = total = self.at_most(first)
        last = min(len(self._exact) - 1, ceil(slots + SMEAR * noise))
        for n in range(max(0, first + 1), last + 1):
            before, reached = reached, self._exact[n]
            if reached > before:
                total += (reached - before) * normal((slots - n) / noise)
        return total + self._beyond(slots, noise) - self._reached

    def _beyond(self, slots: float, noise: float) -> float:
        if self._cumulants is None:
            return self._reached
        if noise != self._noise:
            self._noise = noise
            self._curve = Curve(self._cumulants.plus(Cumulants(variance=noise**2)))
        return max(self._reached, 1.0 - self._scale * (1.0 - self._curve.below(slots)))


class Standing:
    """Slots cut short: called at once, or after what stands in its way by then."""

    def __init__(self, none: float, some: Cumulants) -> None:
        """`some` are the cumulants of the extra slots where there are any."""
        self._curve = Curve(some)
        left = 1.0 - self._curve.below(0.0)
        self._scale = (1.0 - none) / left if left > 0.0 else 0.0

    def below(self, slots: float, noise: float) -> float:
        """As `Extra.below`; the noise is nothing beside what it stands for."""
        if slots < 0.0:
            return 0.0
        return 1.0 - self._scale * (1.0 - self._curve.below(slots))
