"""What every handler works with: the queue, reached from threads of its own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from litestar.connection import ASGIConnection

from waqcore.draft import Draft
from waqcore.message import Message
from waqcore.queue import Queue
from waqcore.settings import Settings
from waqcore.tokens import Token
from waqcore.web.handover import Handover

T = TypeVar("T")

THREADS = 8
"""Handlers in the database at once. They share commits, so that more of them are hardly faster, and
each may hold one connection that reads."""


class Backend:
    """The queue, its settings, and threads to reach it from: the loop itself never waits for it."""

    def __init__(self, queue: Queue, settings: Settings) -> None:
        self.queue = queue
        self.settings = settings
        self.closing = asyncio.Event()
        """Set when the service is to end: whoever streams stops."""
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="waq-web")
        self._handover = Handover(queue)

    async def run(self, work: Callable[[], T]) -> T:
        """Do something with the queue in a thread, and wait for what it gives."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def acting(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Queue:
        """The queue on behalf of the token that a request came with."""
        token: Token = connection.scope["user"]
        return self.queue.acting_as(f"api:{token.name}")

    async def enqueue(self, draft: Draft) -> Message:
        """Queue a message, in one commit with whoever comes meanwhile; its ETA is worked out.

        Raises:
            As `Queue.enqueue`.
            BusyError: more wait to be queued than would be in time.
        """
        return await self._handover.enqueue(draft)

    def close(self) -> None:
        """Wait for what is under way in the threads. The queue is its owner's to close."""
        self._threads.shutdown()
        self._handover.close()
