"""Kills a dispatcher at random instants, restarts it at once, and judges what is left each time.

`python -m tests.chaos.kills --kills 300` is the proof as a command; `run` is it as a function.
"""

import argparse
import contextlib
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from tests.chaos.application import Application, write_lock_between_claim_and_call
from tests.chaos.evidence import Witness, moment
from tests.chaos.judge import judge
from tests.chaos.report import Report, show_progress
from tests.chaos.stage import Process, Stage, Stuck, now_us, staged

STUCK_S = 30.0
"""No restart takes a tenth of this: what has not happened by then will not."""
AT_ONCE_S = 10.0
"""Much, for a busy machine; but a lane that waited for the lease of the dead took longer (12 s)."""
DRAIN_S = 60.0
COLD_EVERY = 10
"""Every tenth restart is one from nothing, imports and all."""


class Aim(StrEnum):
    """When a dispatcher is killed."""

    AT_WORK = "at work"  # Within two paces of its first call.
    STARTING = "starting"  # Within a fifth of a second of its start.
    HELD_UP = "held up"  # In or after somebody else's long transaction.


_AIMS = {Aim.AT_WORK: 4, Aim.STARTING: 2, Aim.HELD_UP: 4}


class Plan(NamedTuple):
    """What a run does."""

    kills: int
    seed: int
    pace_s: float = 0.5  # Longer than a restart takes, or none would ever have to wait for it.
    senders: int = 3


def run(plan: Plan, folder: Path, progress: Callable[[Report], None]) -> Report:
    """Carry a plan out in a folder; what gets stuck is a problem of the report, no exception."""
    began = time.monotonic()
    report = Report(kills=plan.kills, seed=plan.seed)
    with staged(folder, pace_s=plan.pace_s, senders=plan.senders, seed=plan.seed) as stage:
        try:
            with _handing_over(stage, plan.seed) as application:
                killer = _Killer(stage, application, report)
                while report.clean and report.done < plan.kills:
                    killer.kill_one()
                    progress(report)
            if report.clean:
                killer.finish()
        except Stuck as error:
            report.problems.append(str(error))
        report.errors_logged = stage.errors()
    report.took_s = time.monotonic() - began
    return report


@contextlib.contextmanager
def _handing_over(stage: Stage, seed: int) -> Iterator[Application]:
    application = Application(stage, seed=seed)
    application.start()
    try:
        if not application.backlogged.wait(STUCK_S):
            raise Stuck(f"the application handed over only {len(application.handed)} messages")
        yield application
    finally:
        application.stop()


class _Killer:
    """One run: starts, kills, and has every kill judged."""

    def __init__(self, stage: Stage, application: Application, report: Report) -> None:
        self._stage = stage
        self._application = application
        self._report = report
        self._witness = Witness(stage.url, stage.database)
        self._chance = random.Random(report.seed)
        self._left: set[str] = set()  # The leases of the dead that nobody has settled yet.
        self._warm = stage.warm()
        self._warm.warm_up()
        self._restarts = 0

    def kill_one(self) -> None:
        """Start a dispatcher, kill it at a random instant, and judge."""
        process, started_us, cold = self._start()
        aim = self._chance.choices(list(_AIMS), list(_AIMS.values()))[0]
        self._report.aims[aim] += 1
        if aim is Aim.STARTING:
            time.sleep(self._chance.uniform(0.0, 0.2))
        else:
            self._recover(process, started_us, cold=cold)
            time.sleep(self._chance.uniform(0.0, 2 * self._stage.pace_us / 1_000_000))
        if aim is Aim.HELD_UP:
            self._hold_up_and_kill(process)
        process.kill()
        self._report.done += 1
        self._judge_kill()

    def finish(self) -> None:
        """Let a last dispatcher empty the queue and stop, and judge the whole run."""
        process, started_us, cold = self._start()
        self._recover(process, started_us, cold=cold)
        process.wait_for("everything sent", lambda: self._witness.unended() == 0, within_s=DRAIN_S)
        process.signal(signal.SIGTERM)
        code = process.ends(within_s=STUCK_S)
        if code != 0 or self._witness.dispatchers():
            self._report.problems.append(f"the last dispatcher left with {code}, its row behind")
        if self._application.refused:
            self._report.problems.append(f"{self._application.refused} messages were not taken")
        self._judge(ended=True)

    def _start(self) -> tuple[Process, int, bool]:
        self._restarts += 1
        cold = self._restarts % COLD_EVERY == 0
        if cold:
            process, started_us = self._stage.cold()
            return process, started_us, cold
        return self._warm, self._warm.go(), cold

    def _recover(self, process: Process, started_us: int, *, cold: bool) -> None:
        """Wait for the first call, and for the dead one's messages to be settled."""

        def first_us() -> int | None:
            return next(
                (c.arrived_us for c in self._witness.calls() if c.arrived_us > started_us), None
            )

        process.wait_for("a first call", lambda: first_us() is not None, within_s=STUCK_S)
        process.wait_for(
            "the messages of the dead settled",
            lambda: not self._left & {one.token for one in self._witness.in_flight()},
            within_s=STUCK_S,
        )
        settled_s = (now_us() - started_us) / 1_000_000
        report = self._report
        times = report.cold_recoveries_s if cold else report.recoveries_s
        times.append(((first_us() or started_us) - started_us) / 1_000_000)
        if settled_s > AT_ONCE_S:
            report.problems.append(f"a restart took {settled_s:.1f} s to its call and takeovers")

    def _hold_up_and_kill(self, process: Process) -> None:
        """Make a claim wait on its way to its call, and kill in the midst or just after."""
        stall_s = self._chance.uniform(0.0, 0.3)  # Now and then beyond the call_by of the claim.
        kill_s = stall_s + self._chance.uniform(-min(0.1, stall_s), 0.1)
        assert isinstance(self._stage.database, Path)
        with write_lock_between_claim_and_call(self._witness, self._stage.database):
            time.sleep(min(stall_s, kill_s))
            if kill_s <= stall_s:
                process.kill()
        time.sleep(max(0.0, kill_s - stall_s))

    def _judge_kill(self) -> None:
        """Note what the kill has left in flight, and judge what it has left altogether."""
        in_flight = self._witness.in_flight()
        new = [one for one in in_flight if one.token not in self._left]
        self._left = {one.token for one in in_flight}
        self._report.moments[moment(new)] += 1
        self._report.caught.update(one.id for one in new if one.begun)
        self._judge(ended=False)

    def _judge(self, *, ended: bool) -> None:
        # First what was acknowledged, then the rows: the application goes on meanwhile.
        handed = list(self._application.handed)
        self._report.finding = judge(
            handed,
            self._witness.rows(),
            self._witness.calls(),
            self._report.caught,
            pace_us=self._stage.pace_us,
            ended=ended,
        )
        torn = [f"lane and messages of {sender} disagree" for sender in self._witness.torn()]
        self._report.problems += self._report.finding.problems + torn


def main() -> int:
    """The command; 1 if anything is not clean."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=300, metavar="N")
    parser.add_argument("--seed", type=int, default=None, help="default: a new one")
    parser.add_argument("--pace", type=float, default=0.5, metavar="SECONDS")
    parser.add_argument("--senders", type=int, default=3, metavar="N")
    chosen = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if chosen.seed is None else chosen.seed
    print(f"seed {seed}", flush=True)
    plan = Plan(chosen.kills, seed, chosen.pace, chosen.senders)
    with tempfile.TemporaryDirectory(prefix="waq-kills-") as folder:
        report = run(plan, Path(folder), show_progress)
    print(report)
    return 0 if report.clean else 1


if __name__ == "__main__":
    sys.exit(main())
