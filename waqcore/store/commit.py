"""Group commit: writers of one process who come together share one transaction, and one sync."""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from itertools import groupby
from operator import attrgetter
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

from waqcore.store.errors import DoubtfulCommitError

T = TypeVar("T")
Item = TypeVar("Item")

Work = Callable[[Connection], T]

JointWork = Callable[[Connection, Sequence[Item]], Sequence[T]]
"""Work on everything that waits for the same work: a result for each item, in order."""


class _Request(Generic[T]):
    """One caller's item, waiting to be part of a commit."""

    def __init__(self, work: JointWork[Any, T], item: object) -> None:
        self.work = work
        self.item = item
        self.result: T | None = None
        self.error: BaseException | None = None
        self.done = False
        self.elected = False
        """Its caller is to lead the next commit."""
        self.led = False
        """It has begun to."""
        self.woken: threading.Lock | None = None
        """Held until its caller may go on; None: the caller leads at once and waits for nobody."""

    def wake(self) -> None:
        if self.woken is not None:
            self.woken.release()

    def outcome(self) -> T:
        if self.error is not None:
            raise self.error
        return self.result  # type: ignore[return-value]  # Set when done; None is a T then.


class GroupCommit:
    """One caller leads: it commits its own work and all that waits by then, while the next gather.

    No thread of its own: a single writer pays for no hand-over. A leader leads once and elects the
    first of those who came meanwhile, so that nobody serves others for long.
    """

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[Connection]],
        explained: Callable[[BaseException], BaseException],
    ) -> None:
        """`explained` turns what a database raises into what its caller is told."""
        self._transaction = transaction
        self._explained = explained
        self._mutex = threading.Lock()
        self._waiting: list[_Request[Any]] = []
        self._led = False

    def take_part(self, work: JointWork[Item, T], item: Item) -> T:
        """Have an item's work done as part of some commit; returns once that is on disk."""
        request = _Request(work, item)
        with self._mutex:
            self._waiting.append(request)
            request.elected, self._led = not self._led, True
            if not request.elected:
                request.woken = threading.Lock()
                request.woken.acquire()
        try:
            if request.woken is not None:
                request.woken.acquire()
            if not request.done:
                self._lead(request)
        except BaseException:  # Interrupted: nobody may wait for one that is gone.
            self._withdraw(request)
            raise
        return request.outcome()

    def alone(self, look: Callable[[], T]) -> T | None:
        """Run something on the connection while nobody writes; None, at once, if somebody does."""
        with self._mutex:
            if self._led:
                return None
            self._led = True
        try:
            return look()
        finally:
            self._hand_over()

    def _withdraw(self, request: _Request[Any]) -> None:
        with self._mutex:
            if request in self._waiting:
                self._waiting.remove(request)
        if request.elected and not request.led:
            self._hand_over()

    def _lead(self, leader: _Request[Any]) -> None:
        leader.led = True
        with self._mutex:
            batch, self._waiting = self._waiting, []
        try:
            self._commit(batch, leader)
        finally:
            self._hand_over()
            for request in batch:
                request.wake()

    def _hand_over(self) -> None:
        with self._mutex:
            heir = self._waiting[0] if self._waiting else None
            if heir is None:
                self._led = False
                return
            heir.elected = True
        heir.wake()

    def _commit(self, batch: Sequence[_Request[Any]], leader: _Request[Any]) -> None:
        try:
            with self._transaction() as connection:
                for work, requests in groupby(batch, key=attrgetter("work")):
                    _run(connection, work, list(requests))
        except Exception as error:
            self._failed(batch, leader, error)
        except BaseException as error:  # The leader was interrupted, not those who go along.
            leader.error = error
            others = [request for request in batch if request is not leader]
            if others:
                self._commit(others, leader)
        for request in batch:
            request.done = True

    def _failed(
        self, batch: Sequence[_Request[Any]], leader: _Request[Any], error: Exception
    ) -> None:
        if len(batch) == 1:
            batch[0].error = self._explained(error)
        elif isinstance(error, DoubtfulCommitError):
            for request in batch:  # Done over, it might be done twice.
                request.error = error
        else:
            # One of them failed all: each alone, so that only its own caller hears of it.
            for request in batch:
                self._commit([request], leader)


def _run(
    connection: Connection, work: JointWork[Any, Any], requests: Sequence[_Request[Any]]
) -> None:
    results = work(connection, [request.item for request in requests])
    for request, result in zip(requests, results, strict=True):
        request.result = result
