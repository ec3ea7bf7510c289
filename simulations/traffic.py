"""Traffic whose true rates are known, so that forecasts can be made with them and without."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from simulations.latency import Latency, Uniform
from simulations.weather import Climate, Failures
from simulations.workload import Ints, Workload
from waqcore.core.instants import HOUR, NEVER, SECOND
from waqcore.core.message import Priority
from waqcore.core.outlook import Outlook, Slot
from waqcore.core.policy import Policy
from waqcore.core.surprise import Supposition

STARTS_AT = 1_767_225_600 * SECOND
"""2026-01-01, midnight UTC."""
QUANTILES = 10_000
"""Of a latency, averaged over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Visits to one lane, each bringing a batch of messages at once."""

    name: str
    load: float
    """Of the lane's slots, the share that calls take, retries included, at the highest rate."""
    brings: tuple[tuple[float, Mapping[Priority, int]], ...]
    """Kinds of visit: the share of the load, and what one brings."""
    failure: float = 0.0
    """The probability that a call fails and its message comes back."""
    hourly: tuple[float, ...] = (1.0,)
    """The rate in each hour, as a share of the highest; from the start again after the last."""
    lasts_us: int = 24 * HOUR
    policy: Policy = field(default_factory=Policy)
    latency: Latency = field(default_factory=lambda: Uniform(low_us=150_000, high_us=400_000))

    @property
    def climate(self) -> Climate:
        """How its gateway behaves."""
        return Climate(latency=self.latency, failures=Failures(not_sent=self.failure))

    @property
    def slot(self) -> Slot:
        """The gap between two calls of a busy lane."""
        policy, u = self.policy, (np.arange(QUANTILES) + 0.5) / QUANTILES
        over = np.minimum(self.latency.of(u), policy.guard_us)
        jitter = policy.jitter_us
        us = policy.pace_us + float(over.mean()) + jitter / 2
        return Slot(us, float(np.sqrt(over.var() + jitter**2 / 12)))

    def per_slot(self, into_us: int) -> list[float]:
        """Visits of each kind in the time of a slot."""
        calls = sum(self.failure**n for n in range(self.policy.max_attempts))
        rate = self.load * self.hourly[into_us // HOUR % len(self.hourly)] / calls
        return [rate * share / sum(batch.values()) for share, batch in self.brings]

    def outlook(self, into_us: int) -> Outlook:
        """What one would expect who knows the rates as they are now."""
        suppositions = [self._before(n, into_us) for n in range(len(Priority) + 1)]
        return Outlook(self.slot, [((1.0, one),) for one in suppositions])

    def _before(self, priority: int, into_us: int) -> Supposition:
        rates: dict[int, float] = {}
        for rate, (_, batch) in zip(self.per_slot(into_us), self.brings, strict=True):
            size = sum(n for one, n in batch.items() if one < priority)
            if size:
                rates[size] = rates.get(size, 0.0) + rate
        total = sum(rates.values())
        sizes = tuple((size, rate / total) for size, rate in sorted(rates.items()))
        of = sizes if total > 0 else ((1, 1.0),)
        return Supposition(total, of, self.failure, self.policy.max_attempts)

    def workload(self, rng: np.random.Generator) -> Workload:
        """One draw of its visits; in a visit, higher priorities come first."""
        visits = [self._visits(kind, rng) for kind in range(len(self.brings))]
        at = np.concatenate([np.repeat(v, len(self._messages(k))) for k, v in enumerate(visits)])
        priority = np.concatenate(
            [np.tile(self._messages(kind), len(of)) for kind, of in enumerate(visits)]
        )
        order = np.argsort(at, kind="stable")
        n = len(at)
        return Workload(
            at=STARTS_AT + at[order],
            priority=priority[order],
            sender=np.zeros(n, dtype=np.int64),
            send_at=np.zeros(n, dtype=np.int64),
            expires_at=np.full(n, NEVER, dtype=np.int64),
            hold=np.zeros(n, dtype=np.bool_),
        )

    def _messages(self, kind: int) -> list[int]:
        _, batch = self.brings[kind]
        return [int(one) for one in sorted(batch) for _ in range(batch[one])]

    def _visits(self, kind: int, rng: np.random.Generator) -> Ints:
        """Hour by hour, each hour's instants uniform."""
        hours = range(0, self.lasts_us, HOUR)
        per_hour = [self.per_slot(at)[kind] * HOUR / self.slot.us for at in hours]
        drawn = [
            np.sort(at + rng.integers(0, min(HOUR, self.lasts_us - at), rng.poisson(rate)))
            for at, rate in zip(hours, per_hour, strict=True)
        ]
        return np.concatenate(drawn).astype(np.int64)
