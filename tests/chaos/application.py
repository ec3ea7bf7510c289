"""The application: hands messages over all the while, and its database has other users too."""

import contextlib
import fcntl
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.chaos.evidence import Witness
from tests.chaos.judge import Handed
from tests.chaos.stage import Stage, now_us
from waqcore import Queue, StoreError

BACKLOG = 8
"""Messages kept waiting for each sender: more than a round between two kills can use up."""
PAUSE_S = 0.02
"""Between two messages, so that enqueues meet every moment of a dispatcher's life."""
HOLD_SHARE = 0.4
LIE_IN_WAIT_S = 1.0
AGAIN_S = 0.1
"""Before a message is handed over again that was refused for want of the database."""
LET_BY_S = 0.002
"""Between two looks, so that the dispatcher gets the lock in between."""


class Application(threading.Thread):
    """Keeps a backlog of messages of mixed priorities, and remembers what was acknowledged."""

    def __init__(self, stage: Stage, *, seed: int, backlog: int = BACKLOG) -> None:
        super().__init__(name="application", daemon=True)
        self.handed: list[Handed] = []
        self.refused = 0
        """How often a message was not known to be taken, for want of the database."""
        self.error: Exception | None = None
        self.backlogged = threading.Event()
        self._queue = Queue.from_env(stage.environ)
        self._stage = stage
        self._witness = Witness(stage.url, stage.database)
        self._chance = random.Random(seed)
        self._backlog = backlog
        self._enough = threading.Event()

    def run(self) -> None:
        """Hand messages over until told that it is enough."""
        try:
            while not self._enough.is_set():
                waiting = self._witness.waiting()
                short = [s for s in self._stage.senders if waiting.get(s, 0) < self._backlog]
                if short:
                    self._hand_over(self._chance.choice(short))
                else:
                    self.backlogged.set()
                self._enough.wait(0 if not self.backlogged.is_set() else PAUSE_S)
        except Exception as error:
            self.error = error

    def stop(self) -> None:
        """Hand no more over."""
        self._enough.set()
        self.join()
        self._queue.close()
        self._witness.close()
        if self.error is not None:
            raise self.error

    def _hand_over(self, sender: str) -> None:
        n = len(self.handed)
        priority = self._chance.choices(("high", "normal", "low"), (3, 4, 3))[0]
        on_unknown = "hold" if self._chance.random() < HOLD_SHARE else "resend"
        while True:
            try:
                message = self._queue.enqueue(
                    f"08123{n:07d}",
                    f"chaos {n}",
                    sender=sender,
                    priority=priority,
                    on_unknown=on_unknown,
                    idempotency_key=f"{n}",
                )
            except StoreError:
                self.refused += 1
                # With its key it is safe to try again, whatever became of it.
                if self._enough.wait(AGAIN_S):
                    return
            else:
                self.handed.append(Handed(message.id, f"chaos {n}", now_us()))
                return


@contextlib.contextmanager
def write_lock_between_claim_and_call(witness: Witness, database: Path) -> Iterator[None]:
    """Hold the lock of write transactions, as another process in a long one does.

    It is taken just when a message has been claimed and its call not begun, if that comes by within
    a while: this is where being held up matters most.
    """
    until = time.monotonic() + LIE_IN_WAIT_S
    with Path(f"{database}.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        while time.monotonic() < until and all(one.begun for one in witness.in_flight()):
            fcntl.flock(lock, fcntl.LOCK_UN)
            time.sleep(LET_BY_S)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
