"""How long answers take: laws to draw from, named in weather files and on the command line."""

import math
import random
from enum import StrEnum
from statistics import NormalDist
from typing import Annotated

import msgspec

Milliseconds = Annotated[float, msgspec.Meta(ge=0.0)]

_Z99 = NormalDist().inv_cdf(0.99)


class Law(StrEnum):
    """The shape of a latency; each reads the two fields it needs."""

    UNIFORM = "uniform"  # low_ms, high_ms
    EXPONENTIAL = "exponential"  # low_ms and, beyond it, mean_ms
    LOGNORMAL = "lognormal"  # median_ms, p99_ms: what gateways behind a network look like


_FIELDS = {
    Law.UNIFORM: ("low_ms", "high_ms"),
    Law.EXPONENTIAL: ("mean_ms",),
    Law.LOGNORMAL: ("median_ms", "p99_ms"),
}


class Latency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A distribution of milliseconds before an answer."""

    law: Law = Law.UNIFORM
    low_ms: Milliseconds = 0.0
    high_ms: Milliseconds | None = None
    mean_ms: Milliseconds | None = None
    median_ms: Milliseconds | None = None
    p99_ms: Milliseconds | None = None

    def __post_init__(self) -> None:
        """Refuse a law without its numbers, or with another law's."""
        wanted = _FIELDS[self.law]
        for name in ("high_ms", "mean_ms", "median_ms", "p99_ms"):
            if (getattr(self, name) is None) == (name in wanted):
                state = "missing" if name in wanted else "without meaning"
                raise ValueError(f"{self.law}: {name} is {state}")
        if self.law is Law.UNIFORM and _given(self.high_ms) < self.low_ms:
            raise ValueError("uniform: high_ms below low_ms")
        if self.law is Law.LOGNORMAL and not 0 < _given(self.median_ms) <= _given(self.p99_ms):
            raise ValueError("lognormal: needs 0 < median_ms <= p99_ms")

    def draw_s(self, chance: random.Random) -> float:
        """Seconds until one answer."""
        match self.law:
            case Law.UNIFORM:
                return chance.uniform(self.low_ms, _given(self.high_ms)) / 1_000
            case Law.EXPONENTIAL:
                # Inverse transform: expovariate would divide by a mean of 0.
                drawn = -math.log(1.0 - chance.random()) * _given(self.mean_ms)
                return (self.low_ms + drawn) / 1_000
            case Law.LOGNORMAL:
                median, p99 = _given(self.median_ms), _given(self.p99_ms)
                sigma = math.log(p99 / median) / _Z99
                return median * math.exp(sigma * chance.gauss(0.0, 1.0)) / 1_000


def uniform(low_ms: float, high_ms: float) -> Latency:
    """The law of the command line's `A-B`."""
    return Latency(low_ms=low_ms, high_ms=high_ms)


def _given(value: float | None) -> float:
    assert value is not None  # Checked when the law was made.
    return value
