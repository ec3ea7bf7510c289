"""Kills dispatchers on three hosts that share a PostgreSQL server, which is restarted now and then.

`python -m tests.chaos.hosts --kills 200 --restarts 20` is the proof as a command; `run` is it as a
function. A host whose dispatcher has died either has it started again at once, or stays down until
the others have taken over what it left: they cannot tell that it is dead but by its lease.
"""

import argparse
import contextlib
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import psycopg

from tests.chaos.application import Application
from tests.chaos.dispatch import HOST
from tests.chaos.evidence import InFlight, Witness, moment
from tests.chaos.judge import judge
from tests.chaos.report import Report, show_progress
from tests.chaos.stage import Stage, Stuck, now_us, staged
from tests.postgres import Postgres, server

HOSTS = 3
STUCK_S = 30.0
"""Twice what a lane may wait for, and no start takes a tenth of this."""
TAKEOVER_S = 15.0
DRAIN_S = 90.0
LOOK_S = 0.01
STAYS_DOWN = 0.2
"""How often a host stays down whose dispatcher died in a call; the first always does."""
HOLD = b"LOCK TABLE waq_attempt IN EXCLUSIVE MODE"
"""Before a call its row is written there: with this held, claims wait on their way to their call.
"""


class Aim(StrEnum):
    """When a dispatcher is killed."""

    ANY_TIME = "any time"  # Within a second and a half of its start.
    STARTING = "starting"  # Within a fifth of a second of its start.
    IN_A_CALL = "in a call"  # As soon as it is seen in one.
    HELD_UP = "held up"  # In or after somebody else's long transaction.


_AIMS = {Aim.ANY_TIME: 3, Aim.STARTING: 1, Aim.IN_A_CALL: 4, Aim.HELD_UP: 2}


class Plan(NamedTuple):
    """What a run does."""

    kills: int
    restarts: int
    """Of the database server, spread over the kills."""
    seed: int
    pace_s: float = 0.5
    senders: int = 8


def run(
    plan: Plan, folder: Path, postgres: Postgres, url: str, progress: Callable[[Report], None]
) -> Report:
    """Carry a plan out on a database of a server; what gets stuck is a problem of the report."""
    began = time.monotonic()
    report = Report(kills=plan.kills, seed=plan.seed)
    with staged(
        folder, pace_s=plan.pace_s, senders=plan.senders, seed=plan.seed, database_url=url
    ) as stage:
        application = Application(stage, seed=plan.seed)
        try:
            _play(plan, stage, postgres, application, report, progress)
        except Stuck as error:
            report.problems.append(str(error))
        report.errors_logged = stage.errors()
    report.took_s = time.monotonic() - began
    return report


def _play(
    plan: Plan,
    stage: Stage,
    postgres: Postgres,
    application: Application,
    report: Report,
    progress: Callable[[Report], None],
) -> None:
    round_ = _Round(plan, report)
    hosts = [_Host(f"host{n}", stage, postgres, round_) for n in range(HOSTS)]
    with contextlib.closing(Witness(stage.url, stage.database)) as witness:
        application.start()
        try:
            for host in hosts:
                host.start()
            # In this thread: the server ends with the thread that started it.
            _look_on(postgres, round_, witness, progress)
        finally:
            round_.over.set()
            for host in hosts:
                host.join()
            application.stop()
        if report.clean:
            _finish(hosts, witness, report)
        _judge(stage, witness, application, report)


def _look_on(
    postgres: Postgres, round_: "_Round", witness: Witness, progress: Callable[[Report], None]
) -> None:
    """Note when what the dead left is taken over, and restart the server again and again."""
    plan, report, told = round_.plan, round_.report, 0
    jitter = round_.uniform(0.1, 0.9)  # Evenly spread, but at no instant that kills are tied to.
    while report.clean and (report.done < plan.kills or round_.left):
        if report.done * plan.restarts > (report.restarts.total() + jitter) * plan.kills:
            jitter = round_.uniform(0.1, 0.9)
            # A fast shutdown cuts everybody off; a crash leaves but what is on disk.
            crash = report.restarts.total() % 2 == 0
            postgres.restart(signal.SIGQUIT if crash else signal.SIGINT)
            report.restarts["crashes" if crash else "shutdowns"] += 1
        round_.note_takeovers(lambda: {one.token for one in witness.in_flight()})
        if report.done > told:
            told = report.done
            progress(report)
        time.sleep(LOOK_S)


def _finish(hosts: "list[_Host]", witness: Witness, report: Report) -> None:
    """Let all hosts empty the queue together and stop."""
    for host in hosts:
        if host.process.ended() is not None:
            host.process.go()  # It was started while there was no server.
    for host in hosts:
        host.process.wait_for("all sent", lambda: witness.unended() == 0, within_s=DRAIN_S)
    for host in hosts:
        host.process.signal(signal.SIGTERM)
    codes = [host.process.ends(within_s=STUCK_S) for host in hosts]
    if any(codes) or witness.dispatchers():
        report.problems.append(f"the dispatchers left with {codes}, {witness.dispatchers()} rows")


def _judge(stage: Stage, witness: Witness, application: Application, report: Report) -> None:
    report.refused = application.refused
    report.finding = judge(
        application.handed,
        witness.rows(),
        witness.calls(),
        report.caught,
        pace_us=stage.pace_us,
        ended=report.clean,
    )
    torn = [f"lane and messages of {sender} disagree" for sender in witness.torn()]
    times = report.takeovers_s + report.restored_s
    slow = [f"a takeover took {s:.1f} s" for s in times if s > TAKEOVER_S]
    report.problems += report.finding.problems + torn + slow


class _Round:
    """What the hosts of a run share."""

    def __init__(self, plan: Plan, report: Report) -> None:
        self.plan = plan
        self.report = report
        self.chance = random.Random(plan.seed)
        self.mutex = threading.Lock()
        self.one_down = threading.Lock()
        """Held by the host that stays down: the others are there to take over."""
        self.over = threading.Event()
        self.left: dict[str, tuple[str, int]] = {}
        """The leases of the dead that nobody has settled yet: of which host, and since when."""
        self.down: str | None = None
        """The host that stays down."""
        self._begun = 0

    def next_aim(self) -> Aim | None:
        """When the next kill is to be; None: there have been enough."""
        with self.mutex:
            if self._begun == self.plan.kills or self.over.is_set():
                return None
            self._begun += 1
            aim = self.chance.choices(list(_AIMS), list(_AIMS.values()))[0]
            self.report.aims[aim] += 1
            return aim

    def uniform(self, low: float, high: float) -> float:
        """A number between two."""
        with self.mutex:
            return self.chance.uniform(low, high)

    def note_takeovers(self, in_flight: Callable[[], set[str]]) -> None:
        """Note how long it took where a lease of the dead is no more."""
        with self.mutex:
            known = set(self.left)  # Who dies during the look may not be in it.
        gone = known - in_flight()
        now = now_us()
        with self.mutex:
            for token in gone:
                host, killed_us = self.left.pop(token)
                down = host == self.down
                times = self.report.takeovers_s if down else self.report.restored_s
                times.append((now - killed_us) / 1_000_000)


class _Host(threading.Thread):
    """A host: its dispatcher is started, killed and started again until the round is over."""

    def __init__(self, name: str, stage: Stage, postgres: Postgres, round_: _Round) -> None:
        super().__init__(name=name, daemon=True)
        self._stage = stage
        self._round = round_
        # A user of its own: the server is asked whether anything of a dead one's still goes on.
        postgres.sql(f"CREATE ROLE {name} LOGIN SUPERUSER")
        url = str(stage.environ["WAQ_DATABASE_URL"])
        url = url.replace("postgres@", f"{name}@", 1)
        self._witness = Witness(stage.url, stage.database)
        self.process = stage.warm(**{HOST: name, "WAQ_DATABASE_URL": url})

    def run(self) -> None:
        """Live and die until there have been enough kills; the last life goes on."""
        try:
            self.process.warm_up()
            while True:
                self.process.go()
                aim = self._round.next_aim()
                if aim is None:
                    break
                self._die(aim)
                self._stay_down()
        except Exception as error:
            with self._round.mutex:
                self._round.report.problems.append(f"{self.name}: {error}")
        finally:
            self._witness.close()

    def _die(self, aim: Aim) -> None:
        match aim:
            case Aim.STARTING:
                time.sleep(self._round.uniform(0.0, 0.2))
            case Aim.ANY_TIME:
                time.sleep(self._round.uniform(0.0, 1.5))
            case Aim.IN_A_CALL:
                self._await_a_call()
            case Aim.HELD_UP:
                time.sleep(self._round.uniform(0.3, 1.0))
                self._hold_up()
        self.process.kill()
        killed_us = now_us()
        self._note(killed_us)

    def _await_a_call(self) -> None:
        """Wait until it is in one, if that comes by within a while."""
        until = time.monotonic() + STUCK_S / 2
        while time.monotonic() < until and not any(one.begun for one in self._in_flight()):
            if self.process.ended() is not None:
                self.process.go()  # It found no server; whoever keeps services starts them again.
            time.sleep(LOOK_S)
        time.sleep(self._round.uniform(0.0, 0.1))

    def _hold_up(self) -> None:
        """Have whatever was claimed wait on its way to its call; end in the midst or just after."""
        assert isinstance(self._stage.database, str)
        with (
            contextlib.suppress(psycopg.OperationalError),  # The server may be restarted meanwhile.
            psycopg.connect(self._stage.database, connect_timeout=5) as somebody,
        ):
            somebody.execute(HOLD)
            time.sleep(self._round.uniform(0.0, 0.3))
            if self._round.uniform(0, 1) < 0.5:
                self.process.kill()
        time.sleep(self._round.uniform(0.0, 0.1))

    def _note(self, killed_us: int) -> None:
        """Note what a kill has left in flight, once the server is done with all it was asked."""
        self._until("the sessions of the dead ended", lambda: not self._witness.sessions(self.name))
        cut, torn = self._in_flight(), self._witness.torn()
        with self._round.mutex:
            report = self._round.report
            self._round.left |= {one.token: (self.name, killed_us) for one in cut}
            report.done += 1
            report.moments[moment(cut)] += 1
            report.caught.update(one.id for one in cut if one.begun)
            report.problems += [f"lane and messages of {sender} disagree" for sender in torn]

    def _stay_down(self) -> None:
        """Stay down for a moment, or until others have taken over what the dead one left."""
        round_ = self._round
        stays = not round_.report.takeovers_s or round_.uniform(0, 1) < STAYS_DOWN
        if self._left() and stays and round_.one_down.acquire(blocking=False):
            try:
                round_.down = self.name
                self._until("the messages of the dead settled", lambda: not self._left())
            finally:
                round_.down = None
                round_.one_down.release()
        time.sleep(round_.uniform(0.0, 0.3))

    def _left(self) -> list[str]:
        """The leases of our dead."""
        with self._round.mutex:
            return [token for token, (host, _) in self._round.left.items() if host == self.name]

    def _in_flight(self) -> list[InFlight]:
        return [one for one in self._witness.in_flight() if one.pid == self.process.pid]

    def _until(self, what: str, happened: Callable[[], bool]) -> None:
        until = time.monotonic() + STUCK_S
        while not happened():
            if time.monotonic() > until:
                raise Stuck(f"{what}: not within {STUCK_S:g} s: {self.process.complaints()}")
            time.sleep(LOOK_S)


def main() -> int:
    """The command; 1 if anything is not clean."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.hosts", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, metavar="N")
    parser.add_argument("--restarts", type=int, default=20, metavar="N", help="of the server")
    parser.add_argument("--seed", type=int, default=None, help="default: a new one")
    parser.add_argument("--pace", type=float, default=0.5, metavar="SECONDS")
    chosen = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if chosen.seed is None else chosen.seed
    print(f"seed {seed}", flush=True)
    plan = Plan(chosen.kills, chosen.restarts, seed, chosen.pace)
    with (
        tempfile.TemporaryDirectory(prefix="waq-hosts-") as folder,
        server() as postgres,
        postgres.database() as url,
    ):
        report = run(plan, Path(folder), postgres, url, show_progress)
    print(report)
    return 0 if report.clean else 1


if __name__ == "__main__":
    sys.exit(main())
