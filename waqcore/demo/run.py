"""The demo from its empty folder to its end: starts a dispatcher, follows the ten, stops it."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from waqcore.core.message import State
from waqcore.demo import record
from waqcore.demo.environment import DATABASE, LOG, environment, fresh, settings
from waqcore.demo.following import Following
from waqcore.demo.process import Interruption, dispatching
from waqcore.demo.scenario import end_s, registrations
from waqcore.demo.screen import showing
from waqcore.demo.view import View, doing
from waqcore.queue import Queue
from waqcore.status import Status

LOOK_S = 0.25
"""How often the screen is drawn anew."""
START_S = 20.0
"""How long a dispatcher may take to start: a busy machine imports in seconds."""
PATIENCE = 2
"""The run ends at this many times its planned length, whatever is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What was asked for."""

    gateway_url: str
    pace_s: float
    folder: Path
    record: Path | None
    """None: nobody asked for one."""


def run(demo: Demo, console: Console, interruption: Interruption) -> int:
    """Run the scenario; 0 if all ten were sent, else 1, or as the interruption says."""
    fresh(demo.folder)
    ours = settings(demo.gateway_url, pace_s=demo.pace_s, folder=demo.folder)
    with (
        Queue.from_env(ours, actor="demo") as queue,
        dispatching(environment(ours), demo.folder / LOG) as dispatcher,
    ):
        course = _Course(demo, queue, dispatcher, interruption)
        # The gather is counted from the first registration: starting up must not eat it.
        if not course.wait_for_dispatcher():
            return _ended(course, console)
        with showing(console) as show:
            course.follow(show)
    if demo.record is not None and interruption.exit_code is None:
        record.write(demo.record, course.following, pace_s=demo.pace_s)
    return _ended(course, console)


class _Course:
    """How far a run has come, and why it ends."""

    def __init__(
        self,
        demo: Demo,
        queue: Queue,
        dispatcher: subprocess.Popen[bytes],
        interruption: Interruption,
    ) -> None:
        self.demo = demo
        self.interruption = interruption
        self.following = Following(queue, registrations(demo.pace_s))
        self.trouble = ""
        """Why not all were sent; empty: they were, or somebody interrupted."""
        self.doing = ""
        self._queue = queue
        self._dispatcher = dispatcher
        self._end_s = end_s(demo.pace_s)

    def wait_for_dispatcher(self) -> bool:
        """Wait until the dispatcher dispatches; False: it will not, or somebody interrupted."""
        give_up_at = time.monotonic() + START_S
        while not self._stopped():
            if self._queue.status().dispatchers == 1:
                return True
            if time.monotonic() >= give_up_at:
                self.trouble = f"the dispatcher did not start within {START_S:g} s; see {self._log}"
            time.sleep(0.02)
        return False

    def follow(self, show: Callable[[View], None]) -> None:
        """Register the five and look, until all ten have ended, or something ends the run."""
        following = self.following
        while True:
            following.register()
            self.doing = self._doing(following.look())
            show(self._view())
            if self._stopped() or following.over or self._late():
                return
            time.sleep(self._rest_s())

    def _rest_s(self) -> float:
        next_s = self.following.next_s
        if next_s is None:
            return LOOK_S
        return min(LOOK_S, max(0.0, next_s - self.following.now_s))

    def _stopped(self) -> bool:
        if self.interruption.exit_code is not None:
            return True
        if not self.trouble and self._dispatcher.poll() is not None:
            self.trouble = f"the dispatcher ended; see {self._log}"
        return bool(self.trouble)

    def _late(self) -> bool:
        if self.following.now_s < PATIENCE * self._end_s:
            return False
        self.trouble = f"not over after {PATIENCE} times the planned {self._end_s:g} s"
        return True

    def _doing(self, status: Status) -> str:
        (lane,) = status.lanes
        return doing(lane, None if lane.until is None else self.following.since(lane.until))

    def _view(self) -> View:
        return View(
            rows=tuple(self.following.rows),
            pace_s=self.demo.pace_s,
            now_s=self.following.now_s,
            end_s=self._end_s,
            doing=self.doing,
        )

    @property
    def _log(self) -> Path:
        return self.demo.folder / LOG


def _ended(course: _Course, console: Console) -> int:
    """Say what there is to say at the end; returns the exit code."""
    rows = course.following.rows
    interrupted = course.interruption.exit_code
    sent = sum(row.state is State.SENT for row in rows)
    if interrupted is not None:
        _say(console, f"interrupted: {sent} of {len(rows)} sent; the dispatcher has stopped")
        return interrupted
    if course.trouble:
        _say(console, f"stuck: {course.trouble}")
    for row in rows:
        if row.state is not State.SENT:
            what = f"{row.planned.kind} to {row.planned.user}: {row.state or 'never queued'}"
            _say(console, f"  {what}{f', {row.reason}' if row.reason else ''}")
    if course.doing and not course.following.over:
        _say(console, f"  the sender: {course.doing}")
    if sent < len(rows):
        _say(console, f"  its database: {course.demo.folder / DATABASE}")
    return 0 if sent == len(rows) else 1


def _say(console: Console, line: str) -> None:
    console.print(line, soft_wrap=True, highlight=False, markup=False)
