"""When people come: each kind of arrivals gives its instants from a generator of its own.

Instants are whole microseconds since the epoch, in order. A shorter or thinner stretch of the same
kind, from the same generator, keeps the draws it shares with a longer one, so that two scenarios
that differ in one number differ by that number's doing alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from simulations.workload import Ints
from waqcore.core.instants import DAY, SECOND

USERS_MAX = 5_000_000
"""About what fits in memory with two messages each."""


class TooManyUsers(ValueError):
    """The rates ask for more users than a simulation takes."""

    def __init__(self, expected: float) -> None:
        super().__init__(f"about {expected:,.0f} users: at most {USERS_MAX:,} can be simulated")
        self.expected = expected


class Arrivals(Protocol):
    """How people arrive."""

    def instants(self, starts_at: int, rng: np.random.Generator) -> Ints:
        """The instants of all arrivals after a start, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtOnce:
    """Everybody at one instant."""

    users: int

    def instants(self, starts_at: int, rng: np.random.Generator) -> Ints:
        """The same instant for each."""
        return np.full(self.users, starts_at, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spaced:
    """One after the other, always so long apart."""

    users: int
    every_us: int

    def instants(self, starts_at: int, rng: np.random.Generator) -> Ints:
        """The first arrives at the start."""
        return starts_at + self.every_us * np.arange(self.users, dtype=np.int64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """So many within a stretch, each at an instant of their own, all instants equally likely."""

    users: int
    within_us: int

    def instants(self, starts_at: int, rng: np.random.Generator) -> Ints:
        """The order statistics of independent uniform instants."""
        return np.sort(starts_at + rng.integers(0, max(1, self.within_us), self.users))


@dataclass(frozen=True, slots=True, kw_only=True)
class Poisson:
    """Independent arrivals at a constant rate."""

    per_s: float
    lasts_us: int

    def instants(self, starts_at: int, rng: np.random.Generator) -> Ints:
        """A Poisson process, its gaps exponential."""
        return starts_at + _poisson(self.per_s, self.lasts_us, rng)


class Rate(NamedTuple):
    """A rate that holds from an instant until the next one's."""

    from_us: int
    """After the start."""
    per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """Independent arrivals at a rate that changes in steps; before the first step nobody comes."""

    rates: tuple[Rate, ...]
    """By their instants, rising."""
    lasts_us: int

    def instants(self, starts_at: int, rng: np.random.Generator) -> Ints:
        """A Poisson process at the highest rate, of which each is kept with the rate's share of it.

        Source: Lewis and Shedler, "Simulation of nonhomogeneous Poisson processes by thinning",
        Naval Research Logistics Quarterly 26 (1979).
        """
        highest = max((rate.per_s for rate in self.rates), default=0.0)
        candidates_rng, thinning_rng = rng.spawn(2)
        at = _poisson(highest, self.lasts_us, candidates_rng)
        step = np.searchsorted([rate.from_us for rate in self.rates], at, side="right")
        per_s = np.array([0.0, *(rate.per_s for rate in self.rates)])[step]
        return starts_at + at[thinning_rng.random(len(at)) * highest < per_s]


def daily(rates: Sequence[Rate], lasts_us: int, *, starts_at: int, utc_offset_us: int) -> Stepped:
    """A rate by local time of day, repeated every day; `from_us` is counted from midnight.

    Before a day's first step the last one of the day before holds.
    """
    into_day = (starts_at + utc_offset_us) % DAY
    days = range(-1, (into_day + lasts_us) // DAY + 1)
    steps = [
        Rate(day * DAY + rate.from_us - into_day, rate.per_s) for day in days for rate in rates
    ]
    begun = max(n for n, rate in enumerate(steps) if rate.from_us <= 0)
    first = Rate(0, steps[begun].per_s)
    later = [rate for rate in steps[begun + 1 :] if rate.from_us < lasts_us]
    return Stepped(rates=(first, *later), lasts_us=lasts_us)


def _poisson(per_s: float, lasts_us: int, rng: np.random.Generator) -> Ints:
    """Microseconds after the start, of a Poisson process.

    The gaps are those of a process of rate one, stretched: another rate keeps its draws.
    """
    if per_s <= 0 or lasts_us <= 0:
        return np.empty(0, dtype=np.int64)
    length = per_s * (lasts_us / SECOND)
    if length > USERS_MAX:
        raise TooManyUsers(length)
    blocks: list[NDArray[np.float64]] = []
    reached = 0.0
    while reached < length:
        block = reached + np.cumsum(rng.exponential(size=1_024))
        blocks.append(block)
        reached = float(block[-1])
    at = (np.concatenate(blocks) * (SECOND / per_s)).astype(np.int64)
    return at[at < lasts_us]
