"""The gateway without its HTTP: decides what each call comes to, and logs it.

**Invariant:** a call is decided and logged in one step, when it has been read, so the log holds
calls that are never answered and nothing that happens later changes what it says.
"""

import random
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from loadtests.mock_gateway import mpwa
from loadtests.mock_gateway.clock import Clock
from loadtests.mock_gateway.faults import EFFECTS, Fault
from loadtests.mock_gateway.fields import Send
from loadtests.mock_gateway.log import Call, CallLog, Delivered
from loadtests.mock_gateway.mpwa import Answer
from loadtests.mock_gateway.mutation import delivered_text, recipients
from loadtests.mock_gateway.sky import DOWN, FINE, Sky
from loadtests.mock_gateway.throttle import Throttle
from loadtests.mock_gateway.weather import Rule, Weather


class Ending(Enum):
    """How the connection of a call ends."""

    ANSWERED = "answered"
    HUNG = "hung"
    RESET = "reset"


class Reply(NamedTuple):
    """What the HTTP side has to do about a call."""

    answer: Answer
    delay_s: float = 0.0
    ending: Ending = Ending.ANSWERED


class _Fate(NamedTuple):
    """What came of one call."""

    name: str  # As the log calls it.
    answer: Answer
    deliveries: tuple[Delivered, ...] = ()
    rule: Rule = FINE


_ENDINGS = {Fault.HANG: Ending.HUNG, Fault.RESET_AFTER_WRITE: Ending.RESET}


class Gateway:
    """The state of one mock gateway: weather, log, bans, throttle.

    *latency_ms* is a uniform range added to every answer; *pace_us* bans a sender whose calls
    come closer than that (None: nobody is banned); *throttle* None lets every request through.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        chance: random.Random | None = None,
        weather: Weather | None = None,
        throttle: Throttle | None = None,
        latency_ms: tuple[float, float] = (0.0, 0.0),
        pace_us: int | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.log = CallLog()
        self._throttle = throttle
        self._chance = chance or random.Random(0)
        self._latency_ms = latency_ms
        self._pace_us = pace_us
        self._last_arrival_us: dict[str, int] = {}  # By sender.
        self._banned: dict[str, None] = {}  # In the order of their bans.
        self.set_weather(weather or Weather())

    def set_weather(self, weather: Weather) -> None:
        """Change the weather; its seconds and calls are counted from now."""
        self.sky = Sky(weather, since_us=self.clock.now_us(), chance=self._chance)

    @property
    def banned(self) -> tuple[str, ...]:
        """The senders whose calls came too close, in the order they were banned."""
        return tuple(self._banned)

    def forget(self) -> None:
        """Clear the log, and with it the bans: the next run starts clean."""
        self.log.clear()
        self._last_arrival_us.clear()
        self._banned.clear()

    def latency_s(self) -> float:
        """Seconds until the next answer, drawn anew each time."""
        low, high = self._latency_ms
        return self._chance.uniform(low, high) / 1_000 if high else 0.0

    def refused(self, client: str) -> Answer | None:
        """The throttle's 429 if *client* has used up its minute; counts the request if not."""
        if self._throttle is None:
            return None
        after_s = self._throttle.refuse_for_s(client, now_us=self.clock.now_us())
        if after_s is None:
            return None
        return mpwa.throttled(
            retry_after=str(after_s),
            reset_at_s=int(self.clock.wall_s()) + after_s,
        )

    def knows(self, *, api_key: str, sender: str) -> bool:
        """Whether both are configured; unless restricted, any that is not empty is."""
        weather = self.sky.weather
        return all(
            word and (known is None or word in known)
            for word, known in ((api_key, weather.api_keys), (sender, weather.senders))
        )

    def is_connected(self, sender: str) -> bool:
        """What info-devices says of a sender."""
        connected = self.sky.is_connected(sender, now_us=self.clock.now_us())
        return connected and sender not in self._banned

    def receive(self, send: Send, *, client: str, arrived_us: int) -> Reply:
        """Decide and log one send call."""
        numbers = recipients(send.number)
        self._note_arrival(send.sender, arrived_us)
        fate = self._fate(send, numbers, client)
        self.log.append(
            Call(
                call=self.log.next_call,
                arrived_us=arrived_us,
                sender=send.sender,
                recipients=numbers,
                text=send.message,
                deliveries=fate.deliveries,
                answer=fate.answer,
                fault=fate.name,
            )
        )
        slow_s = fate.rule.seconds or 0.0 if fate.rule.fault is Fault.SLOW else 0.0
        ending = _ENDINGS.get(fate.rule.fault, Ending.ANSWERED)
        return Reply(fate.answer, self.latency_s() + slow_s, ending)

    def _note_arrival(self, sender: str, arrived_us: int) -> None:
        if self._pace_us is None:
            return
        last_us = self._last_arrival_us.get(sender)
        if last_us is not None and arrived_us - last_us < self._pace_us:
            self._banned[sender] = None
        self._last_arrival_us[sender] = arrived_us

    def _fate(self, send: Send, numbers: tuple[str, ...], client: str) -> _Fate:
        refusal = self.refused(client)
        if refusal is not None:
            return _Fate("throttle", refusal)
        if not self.knows(api_key=send.api_key, sender=send.sender):
            return _Fate("bad_key", mpwa.plain(Fault.BAD_KEY, locale=send.locale))
        if not numbers or not send.message.strip():
            return _Fate("invalid", mpwa.plain(Fault.INVALID, locale=send.locale))
        if send.sender in self._banned:
            return _Fate("banned", self._answer(send, DOWN, ()))
        struck = self.sky.strike(send.sender, numbers, now_us=self.clock.now_us())
        leading = min(struck, key=_weight)
        if EFFECTS[leading.fault].of_whole_call:
            struck = [leading] * len(numbers)
        deliveries = tuple(self._deliveries(send, zip(numbers, struck, strict=True)))
        return _Fate(leading.fault, self._answer(send, leading, deliveries), deliveries, leading)

    def _deliveries(self, send: Send, struck: Iterable[tuple[str, Rule]]) -> Iterable[Delivered]:
        for number, rule in struck:
            if rule.delivers:
                yield Delivered(
                    number,
                    delivered_text(
                        send.message, number=number, footer=send.footer, chance=self._chance
                    ),
                )

    def _answer(self, send: Send, rule: Rule, deliveries: tuple[Delivered, ...]) -> Answer:
        fault = rule.fault
        if fault is Fault.THROTTLED:
            return mpwa.throttled(
                retry_after="" if rule.retry_after is None else str(rule.retry_after),
                reset_at_s=None,
            )
        if send.full and fault in (Fault.OK, Fault.SLOW):
            return mpwa.sent_in_full(
                message_id=f"3EB0{self._chance.getrandbits(72):018X}",
                number=deliveries[0].recipient,
                text=deliveries[0].text,
                wall_s=self.clock.wall_s(),
            )
        in_full = mpwa.failed_in_full(fault) if send.full else None
        return in_full or mpwa.plain(fault, locale=send.locale)


def _weight(rule: Rule) -> int:
    """What decides a call's answer first: the whole call's fault, then one that delivered."""
    if EFFECTS[rule.fault].of_whole_call:
        return 0
    return 1 if rule.delivers else 2
