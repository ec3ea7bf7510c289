"""The gateway without its HTTP: decides what each call comes to, and logs it.

**Invariant:** a call is decided and logged in one step, when it has been read, so the log holds
calls that are never answered and nothing that happens later changes what it says.
"""

import random
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from loadtests.mock_gateway import mpwa
from loadtests.mock_gateway.clock import US_PER_S, Clock
from loadtests.mock_gateway.counts import Counts
from loadtests.mock_gateway.faults import ACCEPTING, EFFECTS, Fault
from loadtests.mock_gateway.fields import Send
from loadtests.mock_gateway.latency import Latency
from loadtests.mock_gateway.log import Call, CallLog, Delivered
from loadtests.mock_gateway.mpwa import Answer
from loadtests.mock_gateway.mutation import delivered_text, recipients
from loadtests.mock_gateway.receipts import Receipt, planned
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
    receipts: tuple[Receipt, ...] = ()


class _Fate(NamedTuple):
    """What came of one call."""

    name: str  # As the log calls it.
    answer: Answer
    deliveries: tuple[Delivered, ...] = ()
    rule: Rule = FINE
    message_id: str = ""


_ENDINGS = {Fault.HANG: Ending.HUNG, Fault.RESET_AFTER_WRITE: Ending.RESET}


class Gateway:
    """The state of one mock gateway: weather, log, bans, throttle.

    *latency* goes before every answer whose weather has none; *pace_us* bans a sender whose calls
    come closer than that (None: nobody is banned); *throttle* None lets every request through.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        chance: random.Random | None = None,
        weather: Weather | None = None,
        throttle: Throttle | None = None,
        latency: Latency | None = None,
        pace_us: int | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.log = CallLog()
        self.counts = Counts()
        self._throttle = throttle
        self._chance = chance or random.Random(0)
        self._latency = latency
        self._pace_us = pace_us
        self._last_arrival_us: dict[str, int] = {}  # By sender.
        self._banned: dict[str, None] = {}  # In the order of their bans.
        self._chats: set[tuple[str, str]] = set()  # Sender and number, once one was delivered.
        self.set_weather(weather or Weather())

    def set_weather(self, weather: Weather) -> None:
        """Change the weather; its seconds and calls are counted from now."""
        self.sky = Sky(
            weather, since_us=self.clock.now_us(), chance=self._chance, chats=self._chats
        )

    @property
    def banned(self) -> tuple[str, ...]:
        """The senders whose calls came too close, in the order they were banned."""
        return tuple(self._banned)

    def forget(self) -> None:
        """Clear the log, and with it the bans: the next run starts clean."""
        self.log.clear()
        self.counts.clear()
        self._last_arrival_us.clear()
        self._banned.clear()

    def latency_s(self, rule: Rule = FINE) -> float:
        """Seconds until the next answer, drawn anew each time."""
        latency = rule.latency or self.sky.weather.latency or self._latency
        return latency.draw_s(self._chance) if latency else 0.0

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
        self._keep(send, numbers, fate, client=client, arrived_us=arrived_us)
        rule = fate.rule
        slow_s = rule.seconds or 0.0 if rule.fault is Fault.SLOW else 0.0
        ending = _ENDINGS.get(rule.fault, Ending.ANSWERED)
        receipts: tuple[Receipt, ...] = ()
        if fate.message_id:
            receipts = planned(rule.fault, message_id=fate.message_id, recipient=numbers[0])
        return Reply(fate.answer, self.latency_s(rule) + slow_s, ending, receipts)

    def _keep(
        self, send: Send, numbers: tuple[str, ...], fate: _Fate, *, client: str, arrived_us: int
    ) -> None:
        ago_us = self.clock.now_us() - arrived_us
        call = Call(
            call=self.log.next_call,
            arrived_us=arrived_us,
            sender=send.sender,
            recipients=numbers,
            text=send.message,
            deliveries=fate.deliveries,
            answer=fate.answer,
            fault=fate.name,
            arrived_at=round(self.clock.wall_s() * US_PER_S) - ago_us,
            client=client,
        )
        self.log.append(call)
        self.counts.add(call)
        self._chats.update((call.sender, delivery.recipient) for delivery in call.deliveries)

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
            return _Fate("banned", self._answer(send, DOWN))
        struck = self.sky.strike(send.sender, numbers, now_us=self.clock.now_us())
        leading = min(struck, key=_weight)
        if EFFECTS[leading.fault].of_whole_call:
            struck = [leading] * len(numbers)
        deliveries = tuple(self._deliveries(send, zip(numbers, struck, strict=True)))
        message_id = self._message_id(send, leading)
        answer = self._answer(send, leading, deliveries, message_id)
        return _Fate(leading.fault, answer, deliveries, leading, message_id)

    def _message_id(self, send: Send, rule: Rule) -> str:
        """WhatsApp's id of a text that is taken, where anybody is to hear of it."""
        heard = send.full or self.sky.weather.receipts_url is not None
        if not heard or rule.fault not in ACCEPTING:
            return ""
        return f"3EB0{self._chance.getrandbits(72):018X}"

    def _deliveries(self, send: Send, struck: Iterable[tuple[str, Rule]]) -> Iterable[Delivered]:
        for number, rule in struck:
            if rule.delivers:
                yield Delivered(
                    number,
                    delivered_text(
                        send.message, number=number, footer=send.footer, chance=self._chance
                    ),
                )

    def _answer(
        self, send: Send, rule: Rule, deliveries: tuple[Delivered, ...] = (), message_id: str = ""
    ) -> Answer:
        fault = rule.fault
        if fault is Fault.THROTTLED:
            return mpwa.throttled(
                retry_after="" if rule.retry_after is None else str(rule.retry_after),
                reset_at_s=None,
            )
        if send.full and message_id:
            return mpwa.sent_in_full(
                message_id=message_id,
                number=deliveries[0].recipient if deliveries else recipients(send.number)[0],
                text=deliveries[0].text if deliveries else send.message.strip(),
                wall_s=self.clock.wall_s(),
            )
        in_full = mpwa.failed_in_full(fault) if send.full else None
        return in_full or mpwa.plain(fault, locale=send.locale)


def _weight(rule: Rule) -> int:
    """What decides a call's answer first: the whole call's fault, then one that delivered."""
    if EFFECTS[rule.fault].of_whole_call:
        return 0
    return 1 if rule.delivers else 2
