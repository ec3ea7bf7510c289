"""SimPy's clock on whole microseconds, and what happens on it without a process behind it."""

from collections.abc import Callable
from enum import IntEnum

import simpy

from waqcore.core.instants import NEVER


class Rank(IntEnum):
    """The order of what happens at one instant."""

    OUTCOME = -(2**62)
    """Plus the sequence number of the message: in that order, where lanes hear at one instant."""
    PROBED = 0
    CONTROL = 1
    DECISION = 2
    """What has arrived by then is taken in first."""
    PROBE = 3
    """The probes decided at one instant, together: an account is asked once for all its lanes."""


class Clockwork(simpy.Environment):
    """SimPy's environment, on whole microseconds since the epoch."""

    now: int

    def skip_to(self, at: int) -> bool:
        """Go to an instant at once if nothing at all happens by then; False if something does.

        What would have been the only event is then none: 6.8 µs a message in place of 7.8.
        """
        if at >= NEVER or (self._queue and self._queue[0][0] <= at):
            return False
        assert at >= self._now, f"time does not go back, by {self._now - at} µs"
        self._now = at
        return True


class Happening(simpy.Event):
    """Calls back after a delay, in the order of ranks: a timeout without a process behind it."""

    def __init__(
        self, env: Clockwork, delay: int, rank: int, callback: Callable[..., None]
    ) -> None:
        assert delay >= 0, f"time does not go back, by {-delay} µs"
        self.env = env
        self.callbacks = [callback]
        self._value = None
        self._ok = True
        self._defused = False
        env.schedule(self, rank, delay)  # type: ignore[arg-type]  # Any whole number orders events.
