"""The PHP loop that waqcore replaces, as a baseline: an array in a cache, and a sleep.

- An enqueue reads the array from the cache, puts its message in, and writes it back: `high` at the
  front, so that high messages leave last-in first-out, all others at the end. Nothing locks: of two
  enqueues that have both read before either has written, the later writer's array stands, and the
  earlier one's message is lost.
- One loop serves all senders. It takes the first message, calls, and sleeps *after* each one while
  anything is left, so gaps are the call's own time longer than the pause; it ends when nothing is
  left, and the next enqueue starts it at once, however short ago its last call was.
- Whatever fails is put at the end, up to three calls; there is no backoff, no breaker, no expiry,
  and no difference between a failure and an answer nobody can know.

In its favour: the loop's own reading and writing of the array loses nothing and doubles nothing.
"""

from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass, fields
from itertools import groupby

import numpy as np
import pandas as pd
import simpy
from numpy.typing import NDArray

from simulations.model import Gateway
from simulations.run import Recorder, Run
from simulations.workload import Workload
from waqcore.core.instants import SECOND
from waqcore.core.message import Event, Message, Priority
from waqcore.core.outcome import Accepted, Unknown

PAUSE_US = 10 * SECOND
ATTEMPTS_MAX = 3

WINDOW_US = 5_000
"""From an enqueue's reading of the array to its writing: two round trips to a cache on the same
host, and PHP's unserialising and serialising of some hundred messages between them. Assumed, not
measured, and kept short in the old system's favour: a database as cache takes several times that.
"""

LOST = "lost"
"""The word in a frame's `state` for what an enqueue acknowledged and another one overwrote. No
message of waqcore can be in that state."""

Waiting = Generator[simpy.Event, None, None]


@dataclass(frozen=True, slots=True)
class LegacyRun(Run):
    """The old loop's record: a `Run` whose frame of messages may say `lost`."""

    lost: NDArray[np.bool_]
    """By message; its `state` is `queued`, since nobody ever learned of it."""

    def messages(self) -> pd.DataFrame:
        """One row a message, the columns of `MessageRecord`; `state` may also be `lost`."""
        frame = Run.messages(self)
        frame.loc[self.lost, "state"] = LOST
        return frame


def simulate(
    given: Workload,
    gateway: Gateway,
    *,
    pause_us: int = PAUSE_US,
    attempts_max: int = ATTEMPTS_MAX,
    window_us: int = WINDOW_US,
) -> LegacyRun:
    """Run a workload through the old loop to its end.

    One request enqueues its messages one after the other, each with a reading and a writing of its
    own: those of one reference and instant. `window_us` = 0 is an enqueue that cannot be disturbed.
    What is for later (`send_at`) is enqueued then, as a cron job did.
    """
    arrives_at = np.maximum(given.at, given.send_at)
    starts_at = int(arrives_at.min()) if len(given) else 0
    site = _Site(given, gateway, starts_at, pause_us, attempts_max, window_us)
    site.env.process(site.requests(arrives_at))
    site.env.run()
    run = site.recorder.finished(site.now)
    lost = np.zeros(len(given), dtype=np.bool_)
    lost[site.lost] = True
    return LegacyRun(**{one.name: getattr(run, one.name) for one in fields(run)}, lost=lost)


class _Site:
    """The cached array, the requests that write to it, and the loop that empties it."""

    def __init__(
        self,
        given: Workload,
        gateway: Gateway,
        starts_at: int,
        pause_us: int,
        attempts_max: int,
        window_us: int,
    ) -> None:
        self.env = simpy.Environment(initial_time=starts_at)
        self.recorder = Recorder(given, starts_at)
        self.lost: list[int] = []
        self._given = given
        self._priorities = [Priority(one) for one in given.priority.tolist()]
        self._gateway = gateway
        self._pause_us = pause_us
        self._attempts_max = attempts_max
        self._window_us = window_us
        self._cached: deque[Message] = deque()
        self._written: list[Message] = []
        self._looping = False

    @property
    def now(self) -> int:
        """Microseconds since the epoch, whole as every delay is."""
        return int(self.env.now)

    def requests(self, arrives_at: NDArray[np.int64]) -> Waiting:
        """Start every request at its instant."""
        for at, messages in _requests(self._given, arrives_at):
            if at > self.now:
                yield self.env.timeout(at - self.now)
            self.env.process(self._request(messages))

    def _request(self, messages: list[int]) -> Waiting:
        for seq in messages:
            yield self.env.timeout(0)  # What others write at this instant is read.
            read = len(self._written)
            if self._window_us:
                yield self.env.timeout(self._window_us)
            message = Message(seq, self._given.id_of(seq), self._priorities[seq])
            self._write(message, overwritten=self._written[read:])

    def _write(self, message: Message, overwritten: list[Message]) -> None:
        for other in overwritten:
            if other in self._cached:  # Else the loop has taken it in time.
                self._cached.remove(other)
                self.lost.append(other.seq)
        if message.priority <= Priority.HIGH:
            self._cached.appendleft(message)
        else:
            self._cached.append(message)
        self._written.append(message)
        if not self._looping:
            self._looping = True
            self.env.process(self._loop())

    def _loop(self) -> Waiting:
        # Everything that is written at this instant comes before the first look.
        yield self.env.timeout(0)
        while self._cached:
            yield from self._call(self._cached.popleft())
            if self._cached:
                yield self.env.timeout(self._pause_us)
                yield self.env.timeout(0)
        self._looping = False

    def _call(self, message: Message) -> Waiting:
        called_at = self.now
        sender = int(self._given.sender[message.seq])
        outcome, latency = self._gateway.call(message.seq, message.attempts + 1, sender, called_at)
        message = message.after(Event.LEASE, attempts=message.attempts + 1)
        yield self.env.timeout(latency)
        self.recorder.attempt(message, sender, called_at, self.now, outcome)
        if isinstance(outcome, Accepted):
            self.recorder.ended(message.after(Event.ACCEPT), self.now)
            return
        failures = message.failures + 1
        if failures >= self._attempts_max:
            self.recorder.ended(message.after(Event.FAIL, failures=failures), self.now)
            return
        doubtful = message.maybe_duplicate or isinstance(outcome, Unknown)
        again = message.after(Event.RETRY, failures=failures, maybe_duplicate=doubtful)
        self._cached.append(again)


def _requests(given: Workload, arrives_at: NDArray[np.int64]) -> Iterator[tuple[int, list[int]]]:
    """Each request's instant and messages, in order."""
    references = given.references
    at = arrives_at.tolist()
    order = np.argsort(arrives_at, kind="stable").tolist()

    def request(seq: int) -> tuple[int, object]:
        reference = None if references is None else references[seq]
        return at[seq], seq if reference is None else reference

    for (instant, _), group in groupby(order, key=request):
        yield instant, list(group)
