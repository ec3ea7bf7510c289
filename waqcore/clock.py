"""The machine's clocks: one that no one can set, and the one people mean."""

import time
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable


class Clock(Protocol):
    """Where time comes from; tests and models pass their own."""

    @property
    def boot_id(self) -> str:
        """Names the run of the machine in which `boot_us` counts."""
        ...

    def boot_us(self) -> int:
        """Microseconds since the machine started, suspension included."""
        ...

    def wall_us(self) -> int:
        """Microseconds since the epoch, as the machine is set."""
        ...


@runtime_checkable
class EveryonesClock(Clock, Protocol):
    """A clock that is a database server's too: where time is virtual, it is so for all."""

    def server_us(self) -> int:
        """Microseconds since the epoch, as the server is set."""
        ...


class Now(NamedTuple):
    """One instant on both axes, in microseconds since the epoch."""

    steady: int
    """Our own instants: pace, backoff, lease. Set to the wall once a boot, then never stepped."""
    wall: int
    """What people and other systems mean: `send_at`, `expires_at`, quiet hours."""
    midnight: int
    """When the present local day began, on the steady axis."""

    def to_steady(self, wall_at: int) -> int:
        """The steady instant at which the wall, if nobody sets it, will show `wall_at`."""
        return wall_at + self.steady - self.wall

    def to_wall(self, steady_at: int) -> int:
        """What the wall, if nobody sets it, will show at a steady instant."""
        return steady_at + self.wall - self.steady


class SystemClock:
    """The clocks of the machine we run on."""

    def __init__(self) -> None:
        self._boot_id = _boot_id()
        # Linux's boot clock counts suspension too; elsewhere the monotonic clock is the closest.
        self._clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    @property
    def boot_id(self) -> str:
        """Names this run of the machine."""
        return self._boot_id

    def boot_us(self) -> int:
        """Microseconds since the machine started."""
        return time.clock_gettime_ns(self._clock) // 1_000

    def wall_us(self) -> int:
        """Microseconds since the epoch."""
        return time.time_ns() // 1_000


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        # Without the kernel's own name for it, the machine's start to the minute: the wall less the
        # monotonic clock. A wall stepped by more is taken for another boot, and costs one pace.
        return f"started-{round((time.time() - time.monotonic()) / 60)}"
