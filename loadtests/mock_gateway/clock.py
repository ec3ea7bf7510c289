"""The gateway's sense of time; tests pass one of their own."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

US_PER_S = 1_000_000


def steady_us() -> int:
    """Microseconds of the host's steady clock (CLOCK_MONOTONIC: one for all its processes)."""
    return time.monotonic_ns() // 1_000


def whole_us(seconds: float) -> int:
    """A duration of people's making in the gateway's unit."""
    return round(seconds * US_PER_S)


class Clock(NamedTuple):
    """Where instants come from and how waiting is done."""

    now_us: Callable[[], int] = steady_us
    wall_s: Callable[[], float] = time.time  # Seconds since the epoch, for what MPWA prints.
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep  # Of seconds.
