"""What the recent past of a lane tells of its near future: arrivals, failures, and gaps.

Sums that forget: plain numbers, a handful a lane and priority, updated by whoever sees a message
come or a call end, and readable at any later instant. **Invariant:** nothing here grows.
"""

from bisect import bisect_left
from math import exp
from typing import NamedTuple

from waqcore.core.instants import HOUR, MINUTE, SECOND
from waqcore.core.message import Priority
from waqcore.core.policy import Policy

LONG_MEMORY_US = 12 * HOUR
MEMORY_US = 20 * MINUTE
"""What came this long ago counts 1/e of what comes now."""
CALLS_MEMORY = 200
"""A call this many calls ago counts 1/e of the last one."""
BATCH_US = SECOND
"""Messages that come within so much of the one before are one batch; a tenth of the pace, if that
is less, since what is farther apart may as well be chance."""
SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 32, 40, 50, 64, 100, 200, 500, 1000)
"""The sizes of batch that are told apart; others count as the nearest."""
_BETWEEN = tuple((a + b) / 2 for a, b in zip(SIZES, SIZES[1:], strict=False))

PRIOR_BATCHES = 0.5
"""So many single messages are counted as seen where batches are told apart."""


class Flow(NamedTuple):
    """Messages of a priority, or of a higher one, that came to a lane."""

    since: int
    """When somebody began to count."""
    as_of: int = 0
    """The instant of the sums: the last arrival's."""
    lately: float = 0.0
    """Batches, each counting e^(-age / memory)."""
    sizes: tuple[float, ...] = (0.0,) * len(SIZES)
    """Batches by size, each counting e^(-age / long memory)."""
    open: int = 0
    """Messages in the last batch so far."""

    def arrived(self, at: int, policy: Policy) -> "Flow":
        """After one more message."""
        apart = max(0, at - self.as_of)
        faded = exp(-apart / LONG_MEMORY_US)
        sizes = [n * faded for n in self.sizes]
        lately = self.lately * exp(-apart / MEMORY_US)
        joins = self.open > 0 and apart <= min(BATCH_US, policy.pace_us // 10)
        if joins:
            before = _class(self.open)
            sizes[before] = max(0.0, sizes[before] - 1)
        size = self.open + 1 if joins else 1
        sizes[_class(size)] += 1
        return Flow(
            self.since, max(at, self.as_of), lately if joins else lately + 1, tuple(sizes), size
        )

    def seen(self, now: int) -> tuple[float, float]:
        """Batches of late and the microseconds they came in, both faded."""
        return self._faded(self.lately, MEMORY_US, now)

    def seen_long(self, now: int) -> tuple[float, float]:
        """As `seen`, with a long memory."""
        return self._faded(sum(self.sizes), LONG_MEMORY_US, now)

    def _faded(self, batches: float, memory_us: int, now: int) -> tuple[float, float]:
        faded = exp(-max(0, now - self.as_of) / memory_us)
        return batches * faded, memory_us * (1 - exp(-max(0, now - self.since) / memory_us))

    def by_size(self) -> tuple[tuple[int, float], ...]:
        """The probability of each size of batch; single messages until something is known."""
        total = sum(self.sizes) + PRIOR_BATCHES
        counted = [self.sizes[0] + PRIOR_BATCHES, *self.sizes[1:]]
        return tuple((size, n / total) for size, n in zip(SIZES, counted, strict=True) if n > 0)


def _class(size: int) -> int:
    return bisect_left(_BETWEEN, size)


class Calls(NamedTuple):
    """Calls that a lane made."""

    calls: float = 0.0
    """Each counts e^(-calls since / memory)."""
    failures: float = 0.0
    """Those of them that failed and whose message came back."""
    over_us: float = 0.0
    """Sum of what they held the lane for, over the pace."""
    over_us2: float = 0.0
    """Sum of its squares."""

    def called(self, held_us: int, policy: Policy, *, failed: bool) -> "Calls":
        """After one more call, from whose start the lane was held for `held_us`."""
        kept = exp(-1 / CALLS_MEMORY)
        over_us = float(held_us - policy.pace_us)
        return Calls(
            kept * self.calls + 1,
            kept * self.failures + failed,
            kept * self.over_us + over_us,
            kept * self.over_us2 + over_us**2,
        )


class Rates(NamedTuple):
    """What is known of a lane's recent past."""

    flows: tuple[Flow, ...]
    """By priority: messages of that one or a higher."""
    calls: Calls = Calls()

    @classmethod
    def since(cls, at: int) -> "Rates":
        """Nothing known yet."""
        return cls(tuple(Flow(at) for _ in Priority))

    def arrived(self, priority: Priority, at: int, policy: Policy) -> "Rates":
        """After one more message."""
        flows = (
            flow if rank < priority else flow.arrived(at, policy)
            for rank, flow in enumerate(self.flows)
        )
        return self._replace(flows=tuple(flows))

    def called(self, held_us: int, policy: Policy, *, failed: bool) -> "Rates":
        """After one more call."""
        return self._replace(calls=self.calls.called(held_us, policy, failed=failed))
