"""What a lane's past tells of its near future: how many messages came, failed, and took how long.

Sums that forget: plain numbers, some thirty a priority, updated by whoever sees a message come or a
call end, and readable at any later instant. **Invariant:** nothing here grows.
"""

from bisect import bisect_left
from itertools import pairwise
from math import exp
from typing import NamedTuple

from waqcore.core.instants import HOUR, MINUTE, SECOND
from waqcore.core.message import Priority
from waqcore.core.policy import Policy

LATELY_US = 20 * MINUTE
"""What came so long ago counts 1/e of what comes now, for the rate of late. Measured: shorter is
worse at a steady rate, longer where the rate halves and doubles every hour."""
USUALLY_US = 12 * HOUR
"""The same for what is usual: a rate to fall back to, and the sizes of batches."""
CALLS = 200
"""A call so many calls ago counts 1/e of the last one."""
BATCH_US = SECOND
"""Messages that come within so much of the one before are one batch; within a tenth of the pace, if
that is less, since what is farther apart may be chance."""
SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 32, 40, 50, 64, 100, 200, 500, 1000)
"""The sizes of batch that are told apart; others count as the nearest."""
_BETWEEN = tuple((a + b) / 2 for a, b in pairwise(SIZES))


class Seen(NamedTuple):
    """What was seen, as far as it is remembered."""

    batches: float
    for_us: float


class Flow(NamedTuple):
    """Messages of a priority, or of a higher one, that came to a lane."""

    since: int
    """When somebody began to count."""
    as_of: int = 0
    """When the last message came: the instant of the sums."""
    lately: float = 0.0
    """Batches, fading as what came of late does."""
    sizes: tuple[float, ...] = (0.0,) * len(SIZES)
    """Batches by size, fading as what is usual does."""
    last: int = 0
    """Messages in the last batch so far."""

    def arrived(self, at: int, policy: Policy, messages: int = 1) -> "Flow":
        """After so many more messages, all of one instant."""
        apart = max(0, at - self.as_of)
        kept = _faded(apart, USUALLY_US)
        sizes = [n * kept for n in self.sizes]
        lately = self.lately * _faded(apart, LATELY_US)
        if self.last and apart <= min(BATCH_US, policy.pace_us // 10):
            before = _class(self.last)
            sizes[before] = max(0.0, sizes[before] - 1)
            last = self.last + messages
        else:
            last, lately = messages, lately + 1
        sizes[_class(last)] += 1
        return Flow(self.since, max(at, self.as_of), lately, tuple(sizes), last)

    def seen_lately(self, now: int) -> Seen:
        """What the rate of late rests on."""
        return self._seen(self.lately, LATELY_US, now)

    def seen_usually(self, now: int) -> Seen:
        """What the usual rate rests on."""
        return self._seen(sum(self.sizes), USUALLY_US, now)

    def _seen(self, batches: float, memory_us: int, now: int) -> Seen:
        watched_us = memory_us * (1 - _faded(max(0, now - self.since), memory_us))
        return Seen(batches * _faded(max(0, now - self.as_of), memory_us), watched_us)


def _faded(age_us: int, memory_us: int) -> float:
    return exp(-age_us / memory_us)


def _class(size: int) -> int:
    return bisect_left(_BETWEEN, size)


class Calls(NamedTuple):
    """Calls that a lane made, each fading by those that follow it."""

    calls: float = 0.0
    failures: float = 0.0
    """Those that failed and whose message came back."""
    over_us: float = 0.0
    """Sum of the time, over the pace, that they held the lane."""
    over_us2: float = 0.0
    """Sum of its squares."""

    def called(self, held_us: int, policy: Policy, *, failed: bool) -> "Calls":
        """After one more call, from whose start the lane was held for `held_us`."""
        kept = exp(-1 / CALLS)
        over_us = float(held_us - policy.pace_us)
        return Calls(
            kept * self.calls + 1,
            kept * self.failures + failed,
            kept * self.over_us + over_us,
            kept * self.over_us2 + over_us**2,
        )


class Rates(NamedTuple):
    """What is known of a lane's past."""

    flows: tuple[Flow, ...]
    """By priority: messages of that one or a higher."""
    calls: Calls = Calls()

    @classmethod
    def since(cls, at: int) -> "Rates":
        """Nothing known yet."""
        return cls(tuple(Flow(at) for _ in Priority))

    def arrived(self, priority: Priority, at: int, policy: Policy, messages: int = 1) -> "Rates":
        """After so many more messages of a priority, all of one instant."""
        flows = (
            flow if rank < priority else flow.arrived(at, policy, messages)
            for rank, flow in enumerate(self.flows)
        )
        return self._replace(flows=tuple(flows))

    def called(self, held_us: int, policy: Policy, *, failed: bool) -> "Rates":
        """After one more call."""
        return self._replace(calls=self.calls.called(held_us, policy, failed=failed))
