"""An event loop and a clock on which hours pass in no time, and always the same way."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from waqcore.core.instants import SECOND

T = TypeVar("T")

EPOCH = 1_767_225_600 * SECOND
"""When virtual time begins on the wall: 2026-01-01 00:00 UTC, in microseconds."""


class _Selector(selectors.DefaultSelector):
    """Where the loop would sleep, time jumps instead."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("nothing will ever happen: every task waits for another")
        if not ready and timeout is not None:
            self.loop.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose time stands still while anything can run."""

    def __init__(self) -> None:
        self.now = 0.0
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.now


class VirtualClock:
    """A machine's clocks on a virtual loop; `wall_step_us` is how far somebody set the wall."""

    def __init__(self, loop: VirtualLoop, boot_id: str = "boot-1") -> None:
        self.loop = loop
        self.boot_id = boot_id
        self.wall_step_us = 0

    def boot_us(self) -> int:
        return round(self.loop.now * SECOND)

    def wall_us(self) -> int:
        return EPOCH + self.boot_us() + self.wall_step_us

    def server_us(self) -> int:
        """A database server's clock: its host is this one."""
        return self.wall_us()


async def inline(work: Callable[[], T]) -> T:
    """Run store work on the loop: an executor's real time would let virtual time run away."""
    return work()


def run(main: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function to its end on a new virtual loop."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main(loop))
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
