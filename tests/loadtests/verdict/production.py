"""The folder of a load test in virtual time: the real queue, store and dispatcher, and a gateway
whose log is kept by the test, as the mock gateway would keep it."""

import asyncio
import random
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from tests.scenario import SENDER, Scenario, SlowSandbox, on_a_ram_disk
from tests.virtual_time import EPOCH, VirtualLoop, run
from waqcore.core.outcome import Accepted, Answer, NotSent, Unknown
from waqcore.export import read_attempts, read_messages
from waqcore.gateways.gateway import Call, Departure, Reply
from waqcore.message import Message

US = 1_000_000
PACE_S, GUARD_MS, TRIP_S = 10.0, 50.0, 0.12
PEOPLE, ARRIVING_S = 200, 12.0
"""As many as make a queue: two messages every twelve seconds, at one call in ten."""
DRAINED_S = 1_800.0
"""For backoffs, after as many calls as there are messages."""

Line = dict[str, Any]


class Weather(NamedTuple):
    """What the gateway does, and how it looks to a dispatcher."""

    not_sent: float = 0.08
    lost_answer: float = 0.02
    """Delivered, and the answer is lost."""
    lost_answer_means: Answer = Unknown("timed out")


class Log:
    """What the gateway received, decided by a seed."""

    def __init__(self, loop: VirtualLoop, weather: Weather, seed: int) -> None:
        self._loop = loop
        self._weather = weather
        self._chance = random.Random(seed)
        self.lines: list[Line] = []

    def receive(self, call: Call, _number: int) -> Answer:
        """Decide a call and keep it."""
        drawn = self._chance.random()
        if drawn < self._weather.not_sent:
            return self._keep(call, "failed", NotSent("failed"))
        if drawn < self._weather.not_sent + self._weather.lost_answer:
            return self._keep(call, "reset_after_write", self._weather.lost_answer_means)
        return self._keep(call, "ok", Accepted())

    def _keep(self, call: Call, fault: str, answer: Answer) -> Answer:
        arrived_us = round(self._loop.now * US)
        recipient = call.recipient.removeprefix("+")
        delivered = [{"recipient": recipient, "text": call.body}] if fault != "failed" else []
        self.lines.append(
            {
                "call": len(self.lines) + 1,
                "arrived_us": arrived_us,
                "arrived_at": EPOCH + arrived_us,
                "sender": call.sender,
                "recipients": [recipient],
                "text": call.body,
                "deliveries": delivered,
                "status": 200 if delivered else 400,
                "fault": fault,
            }
        )
        return answer


class Impatient(SlowSandbox):
    """An adapter that tries again at once, behind the dispatcher's back."""

    async def send(self, call: Call, departure: Departure) -> Reply:
        """Send, and once more if that did not go out."""
        reply = await super().send(call, departure)
        return await super().send(call, departure) if isinstance(reply.outcome, NotSent) else reply


class Forgetful(SlowSandbox):
    """An adapter that takes one call in a thousand for sent without sending it."""

    async def send(self, call: Call, departure: Departure) -> Reply:
        """Send, most of the time."""
        self._asked = getattr(self, "_asked", 0) + 1
        if self._asked % 1_000:
            return await super().send(call, departure)
        departure.check()
        departure.leave()
        return Reply(Accepted())


class Staged(Scenario):
    """A scenario whose adapters are of a kind the test chooses."""

    adapter: type[SlowSandbox] = SlowSandbox

    def a_gateway(self) -> SlowSandbox:
        """The gateway as one dispatcher sees it."""
        return self.adapter(
            self._answer, probe_script=self._probe, sleep=self._answer_later, latency_us=1
        )


def load_test(
    folder: Path,
    *,
    seed: int = 3,
    people: int = PEOPLE,
    weather: Weather | None = None,
    adapter: type[SlowSandbox] = SlowSandbox,
    pace_s: float = PACE_S,
    also: Callable[[Staged, int], None] = lambda _staged, _person: None,
) -> Path:
    """Run a load test and write its folder; `also` happens after each registration."""

    async def main(loop: VirtualLoop, quick: Path) -> None:
        staged = Staged(loop, quick, pace_seconds=pace_s, guard_ms=GUARD_MS, backoff_seconds=5.0)
        log = Log(loop, weather or Weather(), seed)
        staged.adapter, staged.script, staged.latency_s = adapter, log.receive, TRIP_S
        try:
            staged.start()
            acknowledged = await _register(staged, people, random.Random(seed), also)
            await staged.until(people * 2 * 1.15 * PACE_S + DRAINED_S)
            _write(folder, staged, log, acknowledged, seed)
        finally:
            await staged.close()

    with on_a_ram_disk(folder) as quick:
        run(lambda loop: main(loop, quick))
    return folder


async def _register(
    staged: Staged, people: int, chance: random.Random, also: Callable[[Staged, int], None]
) -> list[Line]:
    acknowledged = []
    seconds = sorted(chance.uniform(0, people * ARRIVING_S) for _ in range(people))
    for person, second in enumerate(seconds):
        await asyncio.sleep(second - staged.loop.now)
        recipient = f"62812{person:07}"
        for kind, priority in (("link", "high"), ("welcome", "normal")):
            body = f"{kind} <{person}>"
            message = staged.enqueue(body, priority, to=f"+{recipient}")
            acknowledged.append(_line(staged, message, recipient, body))
        also(staged, person)
    return acknowledged


def _line(staged: Staged, message: Message, recipient: str, mark: str) -> Line:
    eta = message.eta
    return {
        "id": message.id,
        "kind": "registration",
        "acknowledged_at": staged.clock.wall_us(),
        "recipient": recipient,
        "sender": SENDER,
        "mark": mark,
        "eta_at": _us(eta.at) if eta else None,
        "eta_low_at": _us(eta.low_at) if eta else None,
        "eta_high_at": _us(eta.high_at) if eta else None,
    }


def _us(instant: datetime | None) -> int | None:
    return None if instant is None else round(instant.timestamp() * US)


def _write(folder: Path, staged: Staged, log: Log, acknowledged: list[Line], seed: int) -> None:
    url, clock = staged.settings.database_url, staged.clock
    _lines(folder / "messages.jsonl", (r._asdict() for r in read_messages(url, clock=clock)))
    _lines(folder / "attempts.jsonl", (r._asdict() for r in read_attempts(url, clock=clock)))
    _lines(folder / "calls.jsonl", log.lines)
    _lines(folder / "acknowledged.jsonl", acknowledged)
    about = {
        "scenario": "virtual time",
        "seed": seed,
        "pace_s": PACE_S,
        "guard_s": GUARD_MS / 1_000,
        "started_at": EPOCH,
        "ended_at": EPOCH + round(staged.loop.now * US),
    }
    (folder / "run.json").write_bytes(msgspec.json.encode(about))


def _lines(path: Path, lines: Iterable[Line]) -> None:
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
