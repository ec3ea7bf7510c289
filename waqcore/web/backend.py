"""What every handler works with: the queue, reached from threads of its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from waqcore.queue import Queue
from waqcore.settings import Settings

T = TypeVar("T")

THREADS = 8
"""Handlers in the database at once. They share commits, so that more of them are hardly faster, and
each may hold one connection that reads."""


class Backend:
    """The queue, its settings, and threads to reach it from: the loop itself never waits for it."""

    def __init__(self, queue: Queue, settings: Settings) -> None:
        self.queue = queue
        self.settings = settings
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="waq-web")

    async def run(self, work: Callable[[], T]) -> T:
        """Do something with the queue in a thread, and wait for what it gives."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Wait for what is under way in the threads. The queue is its owner's to close."""
        self._threads.shutdown()
