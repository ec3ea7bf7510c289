"""Enqueues that come while one commit runs go into the next one together."""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from waqcore.draft import Draft
from waqcore.message import Message
from waqcore.queue import Queue

TOGETHER_MAX = 128
"""Messages in one commit: some 20 ms of work, which is the wait of the first of them."""
GATHER_S = 0.008
"""How long a commit waits for as many as came together before, in seconds. What a commit and its
forecasts cost is paid once for all in it: some 3 ms, beside 0.1 ms for each message."""
WAITING_MAX = 4_096
"""Messages that wait for their commit, two seconds of work; whoever comes then is sent away."""


class BusyError(Exception):
    """More messages wait to be queued than would be in time."""

    def __init__(self) -> None:
        super().__init__(
            f"{WAITING_MAX:,} messages wait to be queued: this one was not; try again in a second"
        )


class _Handed:
    __slots__ = ("draft", "future")

    def __init__(self, draft: Draft, future: "asyncio.Future[Message]") -> None:
        self.draft = draft
        self.future = future


class Handover:
    """Hands messages to the queue from a loop: one thread, one commit at a time.

    Thirty requests that each took a thread of their own, and their ETAs one by one, were measured
    to cost twice the work.
    """

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="waq-handover")
        self._waiting: deque[_Handed] = deque()
        self._committing = False
        self._gathering: asyncio.TimerHandle | None = None
        """None: nobody waits for company."""
        self._crowds = deque([1, 1], maxlen=2)
        """Messages in the last commits."""

    async def enqueue(self, draft: Draft) -> Message:
        """Queue a message; returns once it is on disk, with its ETA worked out.

        Raises:
            As `Queue.enqueue`.
            BusyError: too many wait.
        """
        if len(self._waiting) >= WAITING_MAX:
            raise BusyError
        loop = asyncio.get_running_loop()
        handed = _Handed(draft, loop.create_future())
        self._waiting.append(handed)
        self._gather(loop)
        return await handed.future

    def close(self) -> None:
        """Wait for the commit that is under way."""
        self._thread.shutdown()

    def _gather(self, loop: asyncio.AbstractEventLoop) -> None:
        """Commit once as many wait as last time, or after a moment; at once for who comes alone."""
        if self._committing or not self._waiting:
            return
        if len(self._waiting) >= max(self._crowds):
            self._hand_over(loop)
        elif self._gathering is None:
            self._gathering = loop.call_later(GATHER_S, self._hand_over, loop)

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        together = [self._waiting.popleft() for _ in range(min(TOGETHER_MAX, len(self._waiting)))]
        self._crowds.append(len(together))
        self._committing = True
        drafts = [handed.draft for handed in together]
        done = loop.run_in_executor(self._thread, _enqueue, self._queue, drafts)
        done.add_done_callback(lambda done: self._answer(together, done, loop))

    def _answer(
        self,
        together: Sequence[_Handed],
        done: "asyncio.Future[list[Message | Exception]]",
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        error = done.exception()
        results = [error] * len(together) if error is not None else done.result()
        for handed, result in zip(together, results, strict=True):
            if handed.future.done():  # Its caller has gone.
                continue
            if isinstance(result, BaseException):
                handed.future.set_exception(result)
            else:
                handed.future.set_result(result)
        self._committing = False
        self._gather(loop)


def _enqueue(queue: Queue, drafts: Sequence[Draft]) -> list[Message | Exception]:
    results = queue.enqueue_each(drafts)
    for one in results:
        if isinstance(one, Message):
            _ = one.eta  # Here, and not on the loop: the first of them reads for all.
            break
    return results
