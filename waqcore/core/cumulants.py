"""A law known by its first three cumulants: how they add up, and the curve that is drawn by them.

The unit is whatever is counted; a variance is in its square, a third cumulant in its cube.
"""

from collections.abc import Mapping
from math import erfc, sqrt
from typing import NamedTuple

VARIANCE_MIN = 1e-12
"""Below it all of the law is in one place, as far as a float can tell."""
SKEW_MIN = 1e-4
"""Below it the curve is the normal one, to more digits than anybody asks for."""


class Cumulants(NamedTuple):
    """Mean, variance and third central moment; those of independent sums add up."""

    mean: float = 0.0
    variance: float = 0.0
    third: float = 0.0

    def plus(self, other: "Cumulants") -> "Cumulants":
        """Those of the sum of two independent numbers."""
        return Cumulants(
            self.mean + other.mean, self.variance + other.variance, self.third + other.third
        )

    def times(self, n: float) -> "Cumulants":
        """Those of the sum of `n` independent copies."""
        return Cumulants(n * self.mean, n * self.variance, n * self.third)

    def of(self, each: "Cumulants") -> "Cumulants":
        """Those of a sum of random length: of so many terms as this law says, each by another.

        Source: D. R. Brillinger, "The calculation of cumulants via conditioning", Ann. Inst.
        Statist. Math. 21, 1969.
        """
        n1, n2, n3 = self
        e1, e2, e3 = each
        return Cumulants(n1 * e1, n1 * e2 + n2 * e1**2, n1 * e3 + 3 * n2 * e1 * e2 + n3 * e1**3)


def cumulants(law: Mapping[int, float]) -> Cumulants:
    """Those of a law given by its probabilities."""
    mean = sum(n * p for n, p in law.items())
    variance = sum((n - mean) ** 2 * p for n, p in law.items())
    return Cumulants(mean, variance, sum((n - mean) ** 3 * p for n, p in law.items()))


class Curve:
    """The Pearson III law with three given cumulants: a gamma law, shifted.

    Its cube root is nearly normal; it is as skewed as a first passage is.
    Source: E. B. Wilson and M. M. Hilferty, "The distribution of chi-square", PNAS 17, 1931; W.
    Kirby, "Computer-oriented Wilson-Hilferty transformation", Water Resour. Res. 8(5), 1972.
    """

    def __init__(self, of: Cumulants) -> None:
        self.mean = of.mean
        self.sd = sqrt(of.variance) if of.variance > VARIANCE_MIN else 0.0
        self._skew = of.third / self.sd**3 if self.sd > 0.0 else 0.0

    def below(self, x: float) -> float:
        """The probability of at most `x`."""
        if self.sd == 0.0:
            return 1.0 if x >= self.mean else 0.0
        z, skew = (x - self.mean) / self.sd, self._skew
        if abs(skew) < SKEW_MIN:
            return normal(z)
        root = max(0.0, 1 + skew * z / 2) ** (1 / 3)
        return normal(6 / skew * (root - 1) + skew / 6)


def normal(z: float) -> float:
    """The probability that a standard normal number is at most `z`."""
    return erfc(-z / sqrt(2)) / 2
