"""The gateway of a story: what it truly did, whether or not anybody heard of it."""

import asyncio
import random
from collections.abc import Callable
from typing import NamedTuple

from tests.dst.plan import Rules
from waqcore.core.outcome import (
    Accepted,
    Answer,
    Healthy,
    NotSent,
    ProbeResult,
    Refused,
    Rejected,
    Scope,
    SenderDown,
    Unknown,
    Unreachable,
)
from waqcore.gateways.gateway import Call, Departure, Reply


class Arrival(NamedTuple):
    """A call that reached the gateway."""

    at: int
    """Microseconds since the story began, on no clock that anybody can set."""
    sender: str
    body: str
    answer: Answer
    """What was answered, heard or not."""
    delivered: bool
    by: str
    """The process that called."""


class Course(NamedTuple):
    """What becomes of a call; times in seconds."""

    answer: Answer
    delivered: bool
    connecting_s: float
    answering_s: float
    breaks: bool = False
    """The adapter breaks after the check that lets the call leave: whether it had left, only the
    gateway knows."""


class Weather:
    """What the gateway answers, call by call of a text, and what arrived; shared by all processes.

    A text's nth call gets the same answer however the story around it is cut down.
    """

    def __init__(self, seed: int, rules: Rules, now: Callable[[], int]) -> None:
        self.seed = seed
        self.rules = rules
        self.now = now
        self.fair = False
        """Everything is accepted at once."""
        self.arrivals: list[Arrival] = []
        self.on_arrival: Callable[[Arrival], None] = lambda _: None
        self._asked: dict[str, int] = {}

    def draw(self, body: str) -> "Course":
        """What becomes of a call."""
        self._asked[body] = nth = self._asked.get(body, 0) + 1
        if self.fair:
            return Course(Accepted("fair"), delivered=True, connecting_s=0.0, answering_s=0.05)
        chance = random.Random(f"{self.seed} {body} {nth}")
        answer, delivered = self._answer(chance)
        connecting_s = chance.choice((0.0, 0.0, 0.0, 0.0, 0.01, 0.4, 4.0))
        answering_s = chance.choice((0.0, 0.001, 0.2, 1.0, 3.0, 17.0, 30.0, 70.0))
        breaks = chance.random() < self.rules.trouble / 8
        return Course(answer, delivered, connecting_s, answering_s, breaks)

    def _answer(self, chance: random.Random) -> tuple[Answer, bool]:
        if chance.random() >= self.rules.trouble:
            return Accepted("fine"), True
        seconds = chance.choice((None, 3, 30))
        scope = chance.choice((Scope.LANE, Scope.MESSAGE, Scope.ACCOUNT))
        return chance.choice(
            (
                (NotSent("busy"), False),
                (NotSent("busy"), False),
                (Unknown("timed out"), True),
                (Unknown("timed out"), False),
                (Refused("429", None if seconds is None else seconds * 1_000_000, scope), False),
                (Rejected("not on WhatsApp"), False),
                (Unreachable("refused"), False),
                (SenderDown("disconnected"), False),
            )
        )

    def probe(self, sender: str) -> ProbeResult:
        """Whether the sender is well: three of four times."""
        self._asked[sender] = nth = self._asked.get(sender, 0) + 1
        good = self.fair or random.Random(f"{self.seed} probe {sender} {nth}").random() < 0.75
        return Healthy() if good else SenderDown("still disconnected")


class StoryGateway:
    """The gateway as one process reaches it."""

    def __init__(self, weather: Weather, by: str) -> None:
        self._weather = weather
        self._by = by

    async def send(self, call: Call, departure: Departure) -> Reply:
        """Answer as the weather says."""
        course = self._weather.draw(call.body)
        if course.connecting_s:
            await asyncio.sleep(course.connecting_s)
        if not isinstance(course.answer, Unreachable):
            departure.check()
            if course.breaks:
                if course.delivered:
                    self._arrives(call, course)
                raise OSError("the adapter broke on its way out")
            departure.leave()
            self._arrives(call, course)
        await asyncio.sleep(course.answering_s)
        return Reply(course.answer)

    def _arrives(self, call: Call, course: Course) -> None:
        weather, (answer, delivered, *_) = self._weather, course
        arrival = Arrival(weather.now(), call.sender, call.body, answer, delivered, self._by)
        weather.arrivals.append(arrival)
        weather.on_arrival(arrival)

    async def probe(self, sender: str) -> ProbeResult:
        """Answer as the weather says, a moment later."""
        await asyncio.sleep(0.02)
        return self._weather.probe(sender)

    async def aclose(self) -> None:
        """Let go of nothing."""
