"""One call per pace on one key, two workers: steady, and killed mid-call or between calls."""

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from tests.peers.judge import Arrival, Verdict, judge
from tests.peers.peer import Peer, Setting
from tests.peers.process import Failed, Worker, ask
from tests.peers.servers import Servers
from tests.peers.sink import Sink

WORKERS = ("a", "b")
IDLE_S = 6.0
"""For the workers to start and be idle before the first message comes."""
COMMAND_WITHIN_S = 60.0
IN_BETWEEN_S = 0.5
"""After an answer, well before the next call is due."""
TAIL_S = 3.0
"""After the last message, for doubles to show."""
LAST_WORDS = 400


@dataclass(frozen=True, kw_only=True)
class Play:
    """What happens in a run."""

    name: str
    pace_s: int
    messages: int
    kill_at: int | None
    """The arrival, counted from 1, in the middle of which workers are killed."""
    kill: int
    """How many."""
    between: bool = False
    """Killed once the call is answered, while the pace passes, and not in the middle of it."""
    within_s: float
    """From the last enqueue, or the kill, to when a message counts as lost."""


PLAYS = (
    Play(name="steady", pace_s=1, messages=20, kill_at=None, kill=0, within_s=60),
    Play(name="kill one", pace_s=1, messages=20, kill_at=6, kill=1, within_s=75),
    Play(
        name="kill between calls",
        pace_s=2,
        messages=10,
        kill_at=4,
        kill=1,
        between=True,
        within_s=75,
    ),
    Play(name="kill all", pace_s=5, messages=6, kill_at=2, kill=2, within_s=90),
)


def shortened(play: Play) -> Play:
    """The same play for a quick look."""
    return replace(play, messages=max(5, play.messages // 3), kill_at=play.kill_at and 2)


@dataclass(frozen=True, kw_only=True)
class Run:
    """A play as it went."""

    play: Play
    verdict: Verdict
    arrivals: Sequence[Arrival]

    @property
    def keeps_all(self) -> bool:
        """Pace, order, every message once, and the way back in 15 s."""
        verdict = self.verdict
        mid_call = self.play.kill > 0 and not self.play.between
        back = not mid_call or (verdict.rerun_us is not None and verdict.rerun_us <= BACK_US_MAX)
        paced = (verdict.gap_us or 0) >= self.play.pace_s * 1_000_000
        return paced and back and not (verdict.disordered or verdict.lost or verdict.doubled)


BACK_US_MAX = 15_000_000
"""Within which a killed worker's message must be called again."""


def perform(peer: Peer, play: Play, servers: Servers, logs: Path) -> Run:
    """Run a play on a peer.

    Raises:
        Failed: the peer could not be set up.
    """
    with ExitStack() as stack:
        place = stack.enter_context(servers.place(peer.broker))
        sink = stack.enter_context(Sink())
        told = Setting(
            variant=peer.variant, place=place, sink=sink.url, tally="", pace_s=play.pace_s
        )
        ask(peer, told, "prepare", within_s=COMMAND_WITHIN_S)
        crew = _Crew(peer, told, logs / f"{peer.name}-{play.name.replace(' ', '-')}.log")
        stack.callback(crew.kill)
        time.sleep(IDLE_S)
        crew.check()
        # In a thread: a kill in the middle of an early call must not wait for the enqueuer to end.
        enqueuing = stack.enter_context(ThreadPoolExecutor(1)).submit(
            ask, peer, told, "enqueue", "0", str(play.messages), within_s=COMMAND_WITHIN_S
        )
        killed_at_us = _kill(play, sink, crew)
        enqueuing.result()
        everything = set(range(play.messages))
        sink.wait_for(lambda calls: everything <= _answered(calls), play.within_s)
        time.sleep(TAIL_S)
        crew.kill()
        arrivals = sink.arrivals
    return Run(play=play, verdict=judge(arrivals, play.messages, killed_at_us), arrivals=arrivals)


def _answered(calls: Iterable[Arrival]) -> set[int]:
    return {call.number for call in calls if call.answered}


def _kill(play: Play, sink: Sink, crew: "_Crew") -> int | None:
    """Kill as the play says, in the middle of a call; returns when.

    Raises:
        Failed: nobody could be found to kill.
    """
    kill_at = play.kill_at
    if kill_at is None or not sink.wait_for(lambda calls: len(calls) >= kill_at, play.within_s):
        return None
    latest = sink.calls[-1]
    doomed = crew.workers if play.kill == len(WORKERS) else crew.owners(latest.port)
    if play.between:
        sink.wait_for(lambda _: latest.arrival.answered, play.within_s)
        time.sleep(IN_BETWEEN_S)
    if not doomed:
        raise Failed(f"{play.name}: no worker holds the connection of call {kill_at}")
    for worker in doomed:
        worker.strike()
    killed_at_us = time.monotonic_ns() // 1_000
    for worker in doomed:
        worker.wait()
        crew.replace(worker)
    return killed_at_us


class _Crew:
    """The workers of a run."""

    def __init__(self, peer: Peer, told: Setting, log: Path) -> None:
        self._peer, self._told, self._log = peer, told, log
        self.workers: list[Worker] = []
        for slot in WORKERS:
            self._start(slot)

    def owners(self, port: int) -> list[Worker]:
        return [worker for worker in self.workers if worker.owns(port)]

    def check(self) -> None:
        """See that none has ended."""
        if any(worker.ended for worker in self.workers):
            raise Failed(f"a worker ended: {self._log.read_text()[-LAST_WORDS:].strip()}")

    def replace(self, worker: Worker) -> None:
        """Start a new worker in the place of a killed one."""
        self.workers = [one for one in self.workers if one is not worker]
        self._start(worker.slot)

    def kill(self) -> None:
        for worker in self.workers:
            worker.kill()

    def _start(self, slot: str) -> None:
        told = replace(self._told, slot=slot)
        self.workers.append(Worker(self._peer, told, self._log))
