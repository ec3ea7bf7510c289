"""What goes wrong now: the weather, how often each rule has struck, and what it left behind."""

import random
from collections.abc import Container

from loadtests.mock_gateway import faults
from loadtests.mock_gateway.clock import whole_us
from loadtests.mock_gateway.faults import Fault
from loadtests.mock_gateway.weather import Rule, Weather

FINE = Rule(fault=Fault.OK)
DOWN = Rule(fault=Fault.DISCONNECTED)
NOBODY = Rule(fault=Fault.NOT_REGISTERED)


class Sky:
    """One weather from the moment it was set.

    Probes (check-number, info-devices) look at it without using a rule up.
    """

    def __init__(
        self,
        weather: Weather,
        *,
        since_us: int,
        chance: random.Random,
        chats: Container[tuple[str, str]] = (),
    ) -> None:
        """`chats` are the senders and numbers between which a message has been delivered."""
        self.weather = weather
        self._chats = chats
        self._since_us = since_us
        self._chance = chance
        self._calls = 0
        self._struck = [0] * len(weather.rules)
        self._down_until_us: dict[str, int] = {}  # By sender.
        self._fate: dict[tuple[int, str], bool] = {}  # Rule and number: is it unregistered?

    def strike(self, sender: str, numbers: tuple[str, ...], *, now_us: int) -> list[Rule]:
        """Decide the fate of one send call, number by number."""
        self._calls += 1
        if not self.weather.rules:
            return [_unruled(number) for number in numbers]
        return [self._strike_one(sender, number, now_us) for number in numbers]

    def is_connected(self, sender: str, *, now_us: int) -> bool:
        """Whether the sender's device is online."""
        if now_us < self._down_until_us.get(sender, now_us):
            return False
        for _, rule in self._covering(sender, "", call=self._calls + 1, now_us=now_us):
            if rule.fault in faults.DOWN and rule.seconds is None:
                return False
            if rule.fault is Fault.OK and rule.is_certain:
                return True
        return True

    def is_registered(self, sender: str, number: str, *, now_us: int) -> bool:
        """Whether the number is on WhatsApp."""
        for index, rule in self._covering(sender, number, call=self._calls + 1, now_us=now_us):
            if rule.fault is Fault.NOT_REGISTERED and self._chosen(index, number):
                return False
            if rule.fault is Fault.OK and rule.is_certain:
                return True
        return number != ""

    def _strike_one(self, sender: str, number: str, now_us: int) -> Rule:
        if now_us < self._down_until_us.get(sender, now_us):
            return DOWN
        for index, rule in self._covering(sender, number, call=self._calls, now_us=now_us):
            if rule.times is not None and self._struck[index] >= rule.times:
                continue
            if not self._chosen(index, number) or self._is_known(rule, sender, number):
                continue
            self._struck[index] += 1
            if rule.fault is Fault.DISCONNECTED and rule.seconds is not None:
                self._down_until_us[sender] = now_us + whole_us(rule.seconds)
            return rule
        return _unruled(number)

    def _is_known(self, rule: Rule, sender: str, number: str) -> bool:
        """Whether a rule for first contacts meets two who have a chat already."""
        return rule.fault is Fault.COLD and (sender, number) in self._chats

    def _covering(
        self, sender: str, number: str, *, call: int, now_us: int
    ) -> list[tuple[int, Rule]]:
        since_us = now_us - self._since_us
        return [
            (index, rule)
            for index, rule in enumerate(self.weather.rules)
            if rule.covers(sender=sender, number=number, call=call, since_us=since_us)
        ]

    def _chosen(self, index: int, number: str) -> bool:
        rule = self.weather.rules[index]
        if rule.probability is None:
            return True
        if rule.fault is not Fault.NOT_REGISTERED:
            return self._chance.random() < rule.probability
        # Drawn once per number: a check and a send must not disagree about it.
        key = (index, number)
        if key not in self._fate:
            self._fate[key] = self._chance.random() < rule.probability
        return self._fate[key]


def _unruled(number: str) -> Rule:
    return FINE if number else NOBODY  # A number without a digit is nobody's.
