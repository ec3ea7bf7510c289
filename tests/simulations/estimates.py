"""What a steady run tells of a mean, and how sure it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

Floats = NDArray[np.float64]

BATCHES = 30
"""Few enough that each is long and nearly normal, enough for some 25 degrees of freedom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean, its standard error, and the degrees of freedom that the error rests on."""

    mean: float
    error: float
    freedom: int

    def half_width(self, confidence: float) -> float:
        """Of Student's interval."""
        return float(stdtrit(self.freedom, (1 + confidence) / 2)) * self.error

    def agrees_with(self, theory: float, *, one_of: int) -> bool:
        """Whether theory is in the interval that, together with `one_of` - 1 others, has 99 %.

        Source: Bonferroni's inequality; A. M. Law, "Simulation Modeling and Analysis", 5th ed.,
        2015, section 9.7.
        """
        return abs(self.mean - theory) <= self.half_width(1 - 0.01 / one_of)

    def plus(self, other: "Estimate") -> "Estimate":
        """The sum of two independent estimates; the smaller freedom errs on the wide side."""
        return Estimate(
            mean=self.mean + other.mean,
            error=hypot(self.error, other.error),
            freedom=min(self.freedom, other.freedom),
        )


def by_batches(values: Floats, controls: Sequence[Floats] = ()) -> Estimate:
    """The mean of a steady series, from its batch means.

    `controls` run beside it and have the known mean 0: what of the series' chance they explain, by
    regression over the batches, is taken out.
    Source: S. S. Lavenberg and P. D. Welch, "A perspective on the use of control variables to
    increase the efficiency of Monte Carlo simulations", Management Sci. 27(3), 1981.
    """
    means = batch_means(values)
    explained = np.column_stack([np.ones(BATCHES), *(batch_means(one) for one in controls)])
    fit, *_ = np.linalg.lstsq(explained, means)
    left = means - explained @ fit
    freedom = BATCHES - explained.shape[1]
    spread = np.linalg.inv(explained.T @ explained)[0, 0]
    error = float(np.sqrt(spread * (left @ left) / freedom))
    return Estimate(mean=float(fit[0]), error=error, freedom=freedom)


def batch_means(values: Floats) -> Floats:
    """The means of equally long batches; what is left over comes off the front."""
    result: Floats = values[len(values) % BATCHES :].reshape(BATCHES, -1).mean(axis=1)
    return result
