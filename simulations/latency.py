"""How long a gateway's answers take: each distribution by its quantiles, from uniforms."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from simulations.workload import Ints

Floats = NDArray[np.float64]

Z_99 = 2.3263478740408408
"""The standard normal's 99 % quantile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """Every answer takes the same time."""

    us: int

    def of(self, u: Floats) -> Ints:
        """Latencies in microseconds for uniforms in [0, 1)."""
        return np.full(len(u), self.us, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uniform:
    """Anything between two latencies."""

    low_us: int
    high_us: int

    def of(self, u: Floats) -> Ints:
        """Latencies in microseconds for uniforms in [0, 1)."""
        return (self.low_us + u * (self.high_us - self.low_us)).astype(np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lognormal:
    """Half of the answers take up to the median, one in a hundred longer than the p99.

    latency = median * exp(sigma * z), sigma = ln(p99 / median) / 2.326, z standard normal.
    """

    median_us: int
    p99_us: int

    def of(self, u: Floats) -> Ints:
        """Latencies in microseconds for uniforms in [0, 1)."""
        sigma = np.log(self.p99_us / self.median_us) / Z_99
        # A float's 0 has no quantile; the smallest uniform drawn otherwise is 2 ** -53.
        z = ndtri(np.maximum(u, 2.0**-54))
        latencies: Floats = self.median_us * np.exp(sigma * z)
        return latencies.astype(np.int64)


Latency = Constant | Uniform | Lognormal
