"""A case on the real dispatcher: virtual clock, real SQLite, scripted gateway."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from shutil import copy
from typing import NamedTuple

from tests.scenario import RECIPIENT, SENDER, SIBLING, START, Running, Scenario
from tests.simulations.cases import END_S, Act, Case, Enqueue
from tests.virtual_time import VirtualLoop, run
from waqcore.core.instants import SECOND
from waqcore.core.outcome import Answer, Healthy, ProbeResult, SenderDown
from waqcore.gateways.gateway import Call
from waqcore.store.controls import Filter

SENDERS = (SENDER, SIBLING)
PROBE_LATENCY_US = 100_013
HOPS = 40
"""Passes of the loop after which whatever else happens at an instant has happened."""


class Called(NamedTuple):
    """One call as the attempt row tells it."""

    called_at: int
    """Microseconds since the epoch."""
    message: int
    number: int
    outcome: str


class Told(NamedTuple):
    """What became of a case."""

    ids: tuple[str, ...]
    """By message, in the order of their enqueue."""
    calls: list[Called]
    states: list[str]
    """By message."""


class _LastAtAnInstant(Running):
    """A dispatcher whose turns come after all else that happens at their instant."""

    def __init__(self, scenario: Scenario, name: str) -> None:
        super().__init__(scenario, name)
        for waits in ("_join", "_rest"):  # After either it takes a turn.
            setattr(self.dispatcher, waits, _then_hop(getattr(self.dispatcher, waits)))


def _then_hop(waits: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    async def waits_and_hops() -> None:
        await waits()
        for _ in range(HOPS):
            await asyncio.sleep(0)

    return waits_and_hops


class _Stage(Scenario):
    """A scenario whose gateway follows a case."""

    def __init__(self, loop: VirtualLoop, folder: Path, case: Case) -> None:
        super().__init__(loop, folder, senders=SENDERS[: case.senders], **case.settings)
        self.case = case
        self.ids: list[str] = []
        self.attempts = [0] * len(case.enqueues)
        self.starts = 0
        self.script = self._scripted
        self.probe_script = self._probed
        self.probe_latency_s = PROBE_LATENCY_US / SECOND
        self.stopping: list[asyncio.Task[None]] = []

    def _scripted(self, call: Call, _: int) -> Answer:
        message = int(call.body)
        self.attempts[message] += 1
        answer, latency_us = self.case.answer(message, self.attempts[message])
        self.latency_s = latency_us / SECOND
        return answer

    def _probed(self, _: str) -> ProbeResult:
        well = round(self.loop.now * SECOND) >= self.case.well_at
        return Healthy() if well else SenderDown("disconnected")

    @property
    def name(self) -> str:
        return f"d{self.starts}"

    def begin(self) -> None:
        """Start a dispatcher; a former one is known to be dead."""
        if self.starts:
            self.bury(self.name)
        self.starts += 1
        running = _LastAtAnInstant(self, self.name)
        self._all.append(running)
        self._live[self.name] = running

    def put(self, n: int, one: Enqueue) -> None:
        """Enqueue a message."""
        message = self.enqueue(
            str(n),
            one.priority.word,
            to=RECIPIENT,
            sender=SENDERS[one.sender],
            send_at=None if one.send_at is None else START + timedelta(microseconds=one.send_at),
            expires_at=None
            if one.expires_at is None
            else START + timedelta(microseconds=one.expires_at),
            on_unknown=one.on_unknown.value,
        )
        self.ids.append(message.id)

    async def act(self, act: Act) -> None:
        """Press a button, or end or start the dispatcher."""
        sender = SENDERS[act.sender]
        until = None if act.until is None else START + timedelta(microseconds=act.until)
        match act.kind:
            case "pause":
                self.queue.pause("lunch", sender=sender, until=until)
            case "resume":
                self.queue.resume(sender=sender)
            case "process":
                self.queue.process(sender=sender)
            case "cancel":
                if act.message < len(self.ids):
                    self.queue.cancel(Filter(ids=(self.ids[act.message],)))
            case _:
                await self._befall(act.kind)
        self.wake()

    async def _befall(self, kind: str) -> None:
        match kind:
            case "stop":
                self.stopping.append(asyncio.create_task(self.stop(self.name)))
            case "crash":
                await self.crash(self.name)
            case _:
                assert kind == "start"
                self.begin()


def empty_database(folder: Path) -> Path:
    """A database to copy, as the virtual clock has it at its start; making one takes longer than
    a case."""
    case = Case(2, {}, (), (), (), 0)
    run(lambda loop: _closed(_Stage(loop, folder, case)))
    return folder / "queue.db"


async def _closed(stage: _Stage) -> None:
    stage.queue.close()


def played(case: Case, folder: Path, template: Path) -> Told:
    """Run a case on the real dispatcher; `template` is an empty database to copy."""
    path = folder / "queue.db"
    for leftover in folder.glob("queue.db*"):
        leftover.unlink()
    copy(template, path)
    return run(lambda loop: _play(_Stage(loop, folder, case)))


async def _play(stage: _Stage) -> Told:
    stage.begin()
    await asyncio.sleep(0)
    happenings = [(one.at, 0, n, one) for n, one in enumerate(stage.case.enqueues)]
    happenings += [(act.at, 1, n, act) for n, act in enumerate(stage.case.acts)]  # type: ignore[misc]
    for at, _, n, one in sorted(happenings, key=lambda happening: happening[:3]):
        await stage.until(at / SECOND)
        if isinstance(one, Enqueue):
            stage.put(n, one)
        else:
            await stage.act(one)
    await stage.until(END_S)
    await stage.close()
    rows = stage.sql(
        "SELECT coalesce(called_at, started_at) AS called, body, number, outcome FROM waq_attempt "
        "JOIN waq_message ON seq = message_seq ORDER BY called, seq"
    )
    calls = [Called(at, int(body), number, outcome) for at, body, number, outcome in rows]
    states = [state for (state,) in stage.sql("SELECT state FROM waq_message ORDER BY seq")]
    return Told(tuple(stage.ids), calls, states)
