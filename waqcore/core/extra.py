"""Laws of a message's extra slots: how many go before it that nobody knows of yet."""

from collections.abc import Sequence
from math import ceil, floor
from typing import Protocol

from waqcore.core.cumulants import Cumulants, at_most, normal

SMEAR = 4
"""Standard deviations of noise within which a slot may lie beside its place."""


class Extra(Protocol):
    """How many slots later than known a message is called, as a law."""

    def below(self, slots: float, noise: float) -> float:
        """The probability of at most so many extra slots, which need not be whole.

        `noise` is the standard deviation, in slots, of where their places lie.
        """


class Counted:
    """Whole slots: exact as far as it was worked out, a curve beyond."""

    def __init__(self, exact: Sequence[float], curve: Cumulants | None) -> None:
        self._exact = exact
        """The probabilities of at most 0, 1, … extra slots."""
        self._curve = curve
        """What lies beyond; None: more comes than leaves, and it may never be called."""
        self._reached = exact[-1] if exact else 0.0
        beyond = 0.0 if curve is None else 1.0 - at_most(curve, len(exact) - 0.5)
        self._scale = (1.0 - self._reached) / beyond if beyond > 0.0 else 0.0

    def at_most(self, n: int) -> float:
        """The probability of at most `n` extra slots."""
        if n < 0:
            return 0.0
        if n < len(self._exact):
            return self._exact[n]
        if self._curve is None:
            return self._reached
        return 1.0 - self._scale * (1.0 - at_most(self._curve, n + 0.5))

    def below(self, slots: float, noise: float) -> float:
        """As `Extra.below`: each slot's probability is spread around its place.

        Far from it a slot counts in full or not at all; much noise is summed up in strides, which a
        smooth curve forgives.
        """
        if noise == 0.0:
            return self.at_most(floor(slots))
        stride = max(1, round(noise))
        n = floor(slots - SMEAR * noise)
        reached = total = self.at_most(n)
        last = ceil(slots + SMEAR * noise)
        while n < last:
            n += stride
            before, reached = reached, self.at_most(n)
            if reached > before:
                total += (reached - before) * normal((slots - n + (stride - 1) / 2) / noise)
        return total


class Standing:
    """No whole slots: called at once, or after whatever stands in its way by then."""

    def __init__(self, none: float, some: Cumulants) -> None:
        self._none = none
        self._some = some
        """Cumulants of the extra slots where there are any."""

    def below(self, slots: float, noise: float) -> float:
        """As `Extra.below`; noise matters to the part that is known alone."""
        if slots < 0.0:
            return 0.0
        before = at_most(self._some, 0.0)
        some = (at_most(self._some, slots) - before) / (1.0 - before) if before < 1.0 else 1.0
        return self._none + (1.0 - self._none) * some
