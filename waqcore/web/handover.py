"""What comes while one commit runs goes into the next one together."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

Together = Callable[[Sequence[Item]], Sequence[Result | Exception]]
"""Work on all that have come, in a thread: for each what came of it, or its own error."""

GATHER_S = 0.008
"""How long a commit waits for those who may come before long, in seconds. What a commit and its
forecasts cost is paid once for all in it: as much as a dozen messages in it do."""
WAITING_MAX = 4_096
"""Items that wait for their commit, two seconds of work; whoever comes then is sent away."""


class BusyError(Exception):
    """More wait to be stored than would be in time."""

    def __init__(self) -> None:
        super().__init__(
            f"{WAITING_MAX:,} others wait to be stored: this was not taken; try again in a second"
        )


class _Handed(Generic[Item, Result]):
    __slots__ = ("future", "item")

    def __init__(self, item: Item, future: "asyncio.Future[Result]") -> None:
        self.item = item
        self.future = future


class Handover(Generic[Item, Result]):
    """Hands items over from a loop: one thread, one commit at a time.

    Thirty requests that each took a thread of their own, and their ETAs one by one, were measured
    to cost twice the work.
    """

    def __init__(self, together: Together[Item, Result], most: int) -> None:
        """`most` is how many go into one commit: the first of them waits for them all."""
        self._together = together
        self._most = most
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="waq-handover")
        self._waiting: deque[_Handed[Item, Result]] = deque()
        self._committing = False
        self._gathering: asyncio.TimerHandle | None = None
        """None: nobody waits for company."""
        self._expected = 1
        """Items that may come before long: as many as were under way when last some were answered,
        since whoever is answered tends to come again."""

    async def hand_over(self, item: Item) -> Result:
        """Have an item's work done in one commit with whoever comes meanwhile.

        Raises:
            The item's own error.
            BusyError: too many wait.
        """
        if len(self._waiting) >= WAITING_MAX:
            raise BusyError
        loop = asyncio.get_running_loop()
        handed = _Handed[Item, Result](item, loop.create_future())
        self._waiting.append(handed)
        self._gather(loop)
        return await handed.future

    def close(self) -> None:
        """Wait for the commit that is under way."""
        self._thread.shutdown()

    def _gather(self, loop: asyncio.AbstractEventLoop) -> None:
        """Commit once as many wait as may come, or after a moment; at once for who comes alone."""
        if self._committing or not self._waiting:
            return
        if len(self._waiting) >= min(self._expected, self._most):
            self._commit(loop)
        elif self._gathering is None:
            self._gathering = loop.call_later(GATHER_S, self._commit, loop)

    def _commit(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        at_once = min(self._most, len(self._waiting))
        together = [self._waiting.popleft() for _ in range(at_once)]
        self._committing = True
        items = [handed.item for handed in together]
        done = loop.run_in_executor(self._thread, self._together, items)
        done.add_done_callback(lambda done: self._answer(together, done, loop))

    def _answer(
        self,
        together: Sequence[_Handed[Item, Result]],
        done: "asyncio.Future[Sequence[Result | Exception]]",
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
        self._expected = len(together) + len(self._waiting)
        self._gather(loop)
