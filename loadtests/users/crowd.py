"""What the users of one Locust process share: arrivals, payments to come, messages to ask about."""

import heapq
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from random import Random

from loadtests.users.ledger import Ledger
from loadtests.users.plan import GRACE_S, Plan

RECENT_MAX = 500
"""Messages that pollers choose from."""
LATE_S = 0.1
"""An arrival that had to wait for a free hand for longer is late."""


class Crowd:
    """The state of one Locust process; gevent switches only where something waits."""

    def __init__(self, plan: Plan, worker: int, workers: int) -> None:
        self.plan = plan
        self.worker = worker
        self.chance = Random(f"crowd {plan.seed} {worker}")
        self.ledger = Ledger(plan.folder / f"acknowledged-{worker}.jsonl")
        self.recent: deque[str] = deque(maxlen=RECENT_MAX)
        self.late = 0
        self._arrivals = deque(plan.arrivals(worker, workers))
        self._taken = 0
        self._payments: list[tuple[float, str]] = []
        self._started = time.monotonic() + GRACE_S

    def next_arrival(self) -> tuple[str, float] | None:
        """The next person's number in this run, and for how many seconds they are not there yet;
        None: all have come."""
        if not self._arrivals:
            return None
        self._taken += 1
        in_s = self._started + self._arrivals.popleft() - time.monotonic()
        self.late += in_s < -LATE_S
        return f"{self.worker}-{self._taken:05}", max(0.0, in_s)

    @property
    def is_over(self) -> bool:
        """Whether nobody arrives any more."""
        return time.monotonic() > self._started + self.plan.seconds

    def sender(self) -> str | None:
        """Whom the next message is sent from; None: as the service thinks fit."""
        senders = self.plan.senders
        return self.chance.choice(senders) if senders else None

    def will_pay(self, registration_id: str) -> None:
        """Somebody pays, some time from now."""
        after_s = self.chance.expovariate(1.0 / self.plan.pay_after_s)
        heapq.heappush(self._payments, (time.monotonic() + after_s, registration_id))

    def next_payment(self) -> str | None:
        """A registration whose payment is due; None: none is yet."""
        if not self._payments or self._payments[0][0] > time.monotonic():
            return None
        return heapq.heappop(self._payments)[1]

    def close(self) -> None:
        """Write down how the arrivals fared."""
        self.ledger.close()
        said = f"{self._taken} {self.late} {len(self._arrivals)}\n"
        arrivals_of(self.plan.folder, self.worker).write_text(said, encoding="utf-8")


def arrivals_of(folder: Path, worker: int) -> Path:
    """Where a worker says how many arrived, how many of them late, and how many never."""
    return folder / f"arrivals-{worker}.txt"


_crowds: list[Crowd] = []


def assemble(plan: Plan, worker: int, workers: int) -> None:
    """A run begins."""
    _crowds[:] = [Crowd(plan, worker, workers)]


def crowd() -> Crowd:
    """The run that is going on."""
    return _crowds[0]


def running() -> Sequence[Crowd]:
    """The run that is going on, if there is one."""
    return tuple(_crowds)
