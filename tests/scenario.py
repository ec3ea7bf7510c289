"""A queue, its dispatchers and a scripted gateway in virtual time; judged by what the gateway got.

`play(tmp_path, story)` runs a story: a coroutine function that is given a `Scenario`. Seconds are
counted from the story's start. The database is a real one, of the engine that the folder says, and
the dispatcher and the queue are the real ones; only the clock, the loop and the gateway are not.
"""

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, TypeVar

import psycopg

from tests.engines import address, is_server
from tests.virtual_time import EPOCH, VirtualClock, VirtualLoop, run
from waqcore.clock import Clock
from waqcore.core.instants import SECOND
from waqcore.core.outcome import Accepted, Answer, Healthy, ProbeResult
from waqcore.dispatcher.dispatcher import Dispatcher
from waqcore.gateways.gateway import Call
from waqcore.gateways.sandbox import Sandbox
from waqcore.message import Message
from waqcore.queue import Queue
from waqcore.senders import Fleet, fleet
from waqcore.settings import Kind, Settings
from waqcore.store import presence
from waqcore.store.commit import T, Work
from waqcore.store.errors import StoreError
from waqcore.store.presence import Process
from waqcore.store.store import Store

SENDER = "628114040707"
SIBLING = "628114040808"
RECIPIENT = "+6281234567890"
START = datetime(2026, 1, 1, tzinfo=UTC)
"""What the wall shows when a story begins."""

WORKS_MAX = 500
"""Store calls of one dispatcher at one instant: with more it spins, and time would stand still."""

RAM_DISK = Path("/dev/shm")
STOP_MAX_S = 120.0
"""Virtual time in which a stopped dispatcher must have ended: twice the longest call."""

Script = Callable[[Call, int], Answer]
R = TypeVar("R")


class Arrived(NamedTuple):
    """A call as the gateway got it."""

    at: float
    """Seconds since the story began, on no clock that anybody can set."""
    body: str


class FaultyStore(Store):
    """A store whose next writes fail, as on a disk that is full for a moment."""

    _good = 0
    _bad = 0
    _torn = False

    def fail(self, times: int = 1, *, after: int = 0, torn: bool = False) -> None:
        """Fail so many writes, after so many good ones; torn: the first of them is stored."""
        self._good, self._bad, self._torn = after, times, torn

    def write(self, work: Work[T]) -> T:
        """Run work in a write transaction, unless a fault is due."""
        if self._good > 0:
            self._good -= 1
        elif self._bad > 0:
            self._bad -= 1
            if self._torn:
                self._torn = False
                super().write(work)
            raise StoreError("the disk is full")
        return super().write(work)

    def autocommit(self, work: Work[T]) -> T:
        """Run work that may commit by itself, unless a fault is due."""
        return self.write(work)


class SlowSandbox(Sandbox):
    """A sandbox whose probes take time too."""

    probe_latency_s = 0.0

    async def probe(self, sender: str) -> ProbeResult:
        """Answer as the script says, later."""
        result = await super().probe(sender)
        await asyncio.sleep(self.probe_latency_s)
        return result


class Running:
    """One dispatcher with a store and gateways of its own, as in a process of its own."""

    def __init__(self, scenario: "Scenario", name: str) -> None:
        self.name = name
        self.store = FaultyStore(
            scenario.settings.database_url,
            scenario.fleet.senders,
            clock=scenario.clock,
            timezone=scenario.settings.zone(),
        )
        self.gateways = {account: scenario.a_gateway() for account in scenario.fleet.accounts}
        self.dispatcher = Dispatcher(
            self.store,
            self.gateways,
            id_=name,
            process=Process(f"{scenario.clock.boot_id}/pids", name),
            execute=self._execute,
            seed=scenario.settings.seed,
        )
        self.store_latency_s = 0.0
        """How long after a transaction the dispatcher hears of its result."""
        self.cut_off_until = 0.0
        """Until when nothing gets through to the database; what was to, does then."""
        self._loop = scenario.loop
        self._instant = -1.0
        self._works = 0
        self.task = asyncio.create_task(self.dispatcher.run())

    async def _execute(self, work: Callable[[], Any]) -> Any:
        if self._loop.now > self._instant:
            self._instant, self._works = self._loop.now, 0
        self._works += 1
        assert self._works < WORKS_MAX, f"{self.name} spins: time stands still"
        if self._loop.now < self.cut_off_until:
            await asyncio.sleep(self.cut_off_until - self._loop.now)
        result = work()
        if self.store_latency_s:
            await asyncio.sleep(self.store_latency_s)
        return result

    def calls(self) -> list[Arrived]:
        """What this dispatcher sent; a store's steady time less its offset is the boot clock."""
        offset = self.store.offset_us
        return [
            Arrived((call.left_at - offset) / SECOND, call.body)
            for gateway in self.gateways.values()
            for call in gateway.calls
        ]


class Scenario:
    """A database, a queue on it, any number of dispatchers, and the gateway's answers."""

    def __init__(
        self,
        loop: VirtualLoop,
        folder: Path,
        *,
        senders: Sequence[str] = (SENDER,),
        fleet_: Fleet | None = None,
        **settings: Any,
    ) -> None:
        """`settings` by field name; unless they say otherwise the guard is 0, and the zone UTC."""
        self.loop = loop
        self.clock = VirtualClock(loop)
        self.folder = folder
        given: dict[str, Any] = {
            "whatsapp_sender": senders[0],
            "senders": ",".join(senders[1:]),
            "gateway": Kind.SANDBOX,
            "guard_ms": 0.0,
            "timezone": "UTC",
            **settings,
        }
        self.settings = Settings(database_url=address(folder), **given)
        self.fleet = fleet_ or fleet(self.settings, {})
        self.queue = self.a_queue()
        self.script: Script | Sequence[Answer] = ()
        """What the gateway answers; a sequence is followed once, after which all is accepted."""
        self.probe_script: Callable[[str], ProbeResult] = lambda _: Healthy()
        self.latency_s = 0.0
        """How long the gateway takes to answer a call."""
        self.probe_latency_s = 0.0
        """How long it takes to answer a probe; of dispatchers started from now on."""
        self.probes: list[tuple[float, str]] = []
        """When the gateway was probed, and for whom."""
        self._sends = 0
        self._all: list[Running] = []
        self._live: dict[str, Running] = {}

    # The cast

    def a_queue(self, clock: Clock | None = None) -> Queue:
        """An application's handle on the queue."""
        return Queue(self.settings, self.fleet, actor="test", clock=clock or self.clock)

    def a_gateway(self) -> Sandbox:
        """The gateway as one dispatcher sees it: the script and its count are shared by all."""
        gateway = SlowSandbox(
            self._answer, probe_script=self._probe, sleep=self._answer_later, latency_us=1
        )
        gateway.probe_latency_s = self.probe_latency_s
        return gateway

    def start(self, name: str = "d1") -> Running:
        """Start a dispatcher."""
        running = Running(self, name)
        self._all.append(running)
        self._live[name] = running
        return running

    async def stop(self, name: str = "d1") -> None:
        """Stop a dispatcher as SIGTERM does."""
        running = self._live.pop(name)
        running.dispatcher.stop()
        try:
            async with asyncio.timeout(STOP_MAX_S):
                await running.task
        finally:
            running.store.close()

    async def crash(self, name: str = "d1") -> None:
        """End a dispatcher as kill -9 does: nothing is settled and nobody leaves."""
        running = self._live.pop(name)
        running.task.cancel()
        await asyncio.gather(running.task, return_exceptions=True)
        running.store.close()

    def bury(self, name: str = "d1") -> None:
        """What a dispatcher that starts on the same host does about a dead one."""
        host = f"{self.clock.boot_id}/pids"
        with_store = Store(self.settings.database_url, self.fleet.senders, clock=self.clock)
        with_store.write(lambda connection: presence.bury(connection, host, lambda n: n == name))
        with_store.close()

    # What happens

    def enqueue(self, body: str, priority: str = "normal", **draft: Any) -> Message:
        """Queue a message, and wake the dispatchers as they would hear of it."""
        draft.setdefault("to", RECIPIENT)
        message = self.queue.enqueue(body=body, priority=priority, **draft)
        self.wake()
        return message

    def wake(self) -> None:
        """Let every dispatcher look: something was enqueued or pressed."""
        for running in self._live.values():
            running.dispatcher.wake()

    async def until(self, seconds: float) -> None:
        """Let the story run on to an instant, and notice a dispatcher that died."""
        await asyncio.sleep(seconds - self.loop.now)
        for running in self._live.values():
            if running.task.done():
                running.task.result()
                raise AssertionError(f"{running.name} has ended by itself")

    def step_wall(self, seconds: float) -> None:
        """Somebody sets the wall clock, ahead or back."""
        self.clock.wall_step_us += round(seconds * SECOND)

    def reboot(self, wall_step_s: float = 0.0) -> None:
        """The machine has started anew, its wall clock off by some seconds; the queue is reopened.

        Dispatchers that ran must have crashed or stopped.
        """
        self.queue.close()
        step_us = self.clock.wall_step_us + round(wall_step_s * SECOND)
        self.clock = VirtualClock(self.loop, f"boot of {self.loop.now}")
        self.clock.wall_step_us = step_us
        self.queue = self.a_queue()

    async def close(self) -> None:
        """Stop what still runs; a dispatcher that had died raises what it died of."""
        for name in list(self._live):
            await self.stop(name)
        self.queue.close()

    # What is judged

    @property
    def calls(self) -> list[Arrived]:
        """Every call any dispatcher made, in the order they arrived."""
        return sorted(call for running in self._all for call in running.calls())

    @property
    def bodies(self) -> list[str]:
        """The texts the gateway got, in order."""
        return [call.body for call in self.calls]

    @property
    def times(self) -> list[float]:
        """When the gateway's calls arrived."""
        return [call.at for call in self.calls]

    @property
    def shortest_gap(self) -> float:
        """The least time between two calls, all being one sender's, to the microsecond."""
        return round(min(later - earlier for earlier, later in pairwise(self.times)), 6)

    def sql(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database holds, read past all of our code."""
        if is_server(self.folder):
            with psycopg.connect(self.settings.database_url) as server:
                return server.execute(query.replace("?", "%s").encode(), values).fetchall()
        with closing(sqlite3.connect(self.folder / "queue.db")) as file:
            return file.execute(query, values).fetchall()

    def states(self) -> dict[str, str]:
        """The state of every message, by its text."""
        return dict(self.sql("SELECT body, state FROM waq_message ORDER BY seq"))

    def alerts(self, action: str) -> list[str]:
        """What a person was told under a name, oldest first."""
        return [d for (d,) in self.sql("SELECT detail FROM waq_event WHERE action = ?", action)]

    # The gateway

    def _answer(self, call: Call, _number: int) -> Answer:
        self._sends += 1
        if callable(self.script):
            return self.script(call, self._sends)
        if self._sends <= len(self.script):
            return self.script[self._sends - 1]
        return Accepted(f"sandbox-{self._sends}")

    async def _answer_later(self, _seconds: float) -> None:
        await asyncio.sleep(self.latency_s)

    def _probe(self, sender: str, _number: int) -> ProbeResult:
        self.probes.append((self.loop.now, sender))
        return self.probe_script(sender)


def by_body(answers: Mapping[str, Sequence[Answer]]) -> Script:
    """A script that follows a list of answers for each text once, and accepts everything else."""
    left = {body: list(following) for body, following in answers.items()}

    def script(call: Call, _number: int) -> Answer:
        following = left.get(call.body)
        return following.pop(0) if following else Accepted(f"accepted {call.body}")

    return script


def at(seconds: float) -> datetime:
    """What the wall shows so many seconds into a story, if nobody sets it."""
    return START + timedelta(seconds=seconds)


def play(folder: Path, story: Callable[[Scenario], Awaitable[R]], **settings: Any) -> R:
    """Run a story in virtual time."""

    async def main(loop: VirtualLoop, quick: Path) -> R:
        scenario = Scenario(loop, quick, **settings)
        try:
            result = await story(scenario)
        except BaseException:
            for name in list(scenario._live):
                await scenario.crash(name)
            raise
        finally:
            await scenario.close()
        return result

    assert datetime.fromtimestamp(EPOCH / SECOND, UTC) == START
    if is_server(folder):
        return run(lambda loop: main(loop, folder))
    with on_a_ram_disk(folder) as quick:
        return run(lambda loop: main(loop, quick))


@contextmanager
def on_a_ram_disk(folder: Path) -> Iterator[Path]:
    """A folder where syncs, of which hours of virtual time make thousands, cost nothing; `folder`
    itself where the machine has no such disk."""
    if not os.access(RAM_DISK, os.W_OK):
        yield folder
        return
    with TemporaryDirectory(dir=RAM_DISK, prefix="waq-test-") as made:
        yield Path(made)
