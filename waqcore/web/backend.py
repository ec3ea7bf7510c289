"""What every handler works with: the queue, reached from threads of its own."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from litestar.connection import ASGIConnection

from waqcore.draft import Draft
from waqcore.message import Message
from waqcore.queue import Queue
from waqcore.settings import Settings
from waqcore.tokens import Token
from waqcore.web.handover import Handover, Item, Result, Together

T = TypeVar("T")

THREADS = 8
"""Handlers in the database at once. They share commits, so that more of them are hardly faster, and
each may hold one connection that reads."""

MESSAGES_MAX = 128
"""Messages in one commit: some 20 ms of work, which is the wait of the first of them."""


class Backend:
    """The queue, its settings, and threads to reach it from: the loop itself never waits for it."""

    def __init__(self, queue: Queue, settings: Settings) -> None:
        self.queue = queue
        self.settings = settings
        self.closing = asyncio.Event()
        """Set when the service is to end: whoever streams stops."""
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="waq-web")
        self._handovers: list[Handover[Any, Any]] = []
        self._messages = self.handover(partial(enqueue_with_etas, queue), MESSAGES_MAX)

    async def run(self, work: Callable[[], T]) -> T:
        """Do something with the queue in a thread, and wait for what it gives."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def acting(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Queue:
        """The queue on behalf of the token that a request came with."""
        token: Token = connection.scope["user"]
        return self.queue.acting_as(f"api:{token.name}")

    def handover(self, together: Together[Item, Result], most: int) -> Handover[Item, Result]:
        """A thread for work that many requests share; it ends with this backend."""
        made = Handover(together, most)
        self._handovers.append(made)
        return made

    async def enqueue(self, draft: Draft) -> Message:
        """Queue a message, in one commit with whoever comes meanwhile; its ETA is worked out.

        Raises:
            As `Queue.enqueue`.
            BusyError: more wait to be queued than would be in time.
        """
        return await self._messages.hand_over(draft)

    def close(self) -> None:
        """Wait for what is under way in the threads. The queue is its owner's to close."""
        self._threads.shutdown()
        for handover in self._handovers:
            handover.close()


def enqueue_with_etas(queue: Queue, drafts: Sequence[Draft]) -> list[Message | Exception]:
    """Queue messages each for itself, and work out when they will be called for."""
    results = queue.enqueue_each(drafts)
    for one in results:
        if isinstance(one, Message):
            _ = one.eta  # Here, and not on the loop: the first of them reads for all.
            break
    return results
