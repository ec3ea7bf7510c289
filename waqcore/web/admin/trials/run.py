"""Runs scenarios, one at a time, each in a thread of its own."""

import logging
import secrets
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from waqcore.core.instants import seconds
from waqcore.gateways.sandbox import Received
from waqcore.queue import Queue
from waqcore.settings import Settings
from waqcore.store.controls import Filter
from waqcore.web.admin.trials.course import Course
from waqcore.web.admin.trials.plans import Plan
from waqcore.web.admin.trials.sandbox import sandbox
from waqcore.web.admin.trials.verdict import Check, verdict

log = logging.getLogger("waqcore.web")

LOOK_S = 0.1
"""How often a run is looked at: more often than a page asks."""

PATIENCE_PACES = 40
"""A run that takes longer is stuck; the longest planned takes eleven paces."""

KEPT = 5
"""Runs whose outcome can still be read."""


class Phase(StrEnum):
    """How far a run has come."""

    STARTING = "starting"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True)
class Live:
    """What a run against the real queue needs."""

    queue: Queue
    to: str
    """Who gets every message."""


class Trial:
    """One run."""

    def __init__(
        self, plan: Plan, settings: Settings, *, pace_s: float, live: Live | None, by: str
    ) -> None:
        self.id = secrets.token_hex(6)
        self.plan, self.pace_s, self.live, self.by = plan, pace_s, live, by
        self.reference = f"TEST-{self.id}"
        self.phase = Phase.STARTING
        self.trouble = ""
        """Why it came to no verdict; empty: it did, or is still running."""
        self.checks: list[Check] = []
        self.course: Course | None = None
        self._settings = settings
        self._stop = threading.Event()

    @property
    def over(self) -> bool:
        """Whether it has come to its end."""
        return self.phase not in (Phase.STARTING, Phase.RUNNING)

    def stop(self) -> None:
        """End it early."""
        self._stop.set()

    def run(self, closing: Callable[[], bool]) -> None:
        """Run to the end; `closing` is whether the service is about to stop."""
        try:
            if self.live is not None:
                self._follow(self.live.queue, None, closing)
            else:
                with sandbox(self._settings, self.plan, self.pace_s) as bench:
                    self._follow(bench.queue, bench.calls, closing)
        except Exception as error:  # The outermost guard of its thread: the page tells.
            log.error("a test run broke", extra={"plan": self.plan.name}, exc_info=error)
            self.trouble, self.phase = f"it broke: {error}", Phase.FAILED

    def _follow(
        self,
        queue: Queue,
        calls: Callable[[], list[Received]] | None,
        closing: Callable[[], bool],
    ) -> None:
        to = self.live.to if self.live is not None else ""
        self.course = course = Course(plan=self.plan, queue=queue, reference=self.reference, to=to)
        self.phase = Phase.RUNNING
        steps = list(self.plan.steps)
        while not (course.over and not steps):
            if self._stop.is_set() or closing():
                return self._stopped(queue)
            if course.now_s > self._patience_s(queue):
                self.trouble = f"not over after {course.now_s:.0f} s"
                break
            while steps and course.is_time_for(steps[0], self.pace_s):
                course.do(steps.pop(0))
            course.look()
            self._stop.wait(LOOK_S)
        course.look()
        received: Sequence[Received] | None = None if calls is None else calls()
        self.checks = verdict(course, received, self.pace_s)
        good = not self.trouble and all(check.good for check in self.checks)
        self.phase = Phase.PASSED if good else Phase.FAILED
        return None

    def _patience_s(self, queue: Queue) -> float:
        waits_s = 0.0
        if self.live is not None:  # Whatever is queued already may go first.
            waits_s = queue.status().clear_in_s or 0.0
        return PATIENCE_PACES * self.pace_s + waits_s + 10

    def _stopped(self, queue: Queue) -> None:
        queue.cancel(Filter(reference=self.reference), reason="the test was stopped")
        self.phase = Phase.STOPPED


class Trials:
    """The runs of this process."""

    def __init__(self, settings: Settings, closing: Callable[[], bool]) -> None:
        self._settings, self._closing = settings, closing
        self._kept: deque[Trial] = deque(maxlen=KEPT)
        self._mutex = threading.Lock()

    @property
    def kept(self) -> list[Trial]:
        """The newest runs, newest first."""
        return list(reversed(self._kept))

    def find(self, id_: str) -> Trial | None:
        """A run by its id; None: there is none, or it is too long ago."""
        return next((trial for trial in self._kept if trial.id == id_), None)

    def start(self, plan: Plan, *, pace_s: float, live: Live | None, by: str) -> Trial | None:
        """Start a run; None: another has not ended yet."""
        trial = Trial(plan, self._settings, pace_s=pace_s, live=live, by=by)
        with self._mutex:
            if any(not other.over for other in self._kept):
                return None
            self._kept.append(trial)
        threading.Thread(
            target=trial.run, args=(self._closing,), name="waq-test", daemon=True
        ).start()
        return trial


def live_pace_s(queue: Queue) -> float:
    """The pace of the sender that messages go from which name none."""
    sender = next(iter(queue.store.senders.values()))
    return seconds(sender.policy.pace_us)
