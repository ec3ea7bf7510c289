"""Foretells every message of a simulation as it comes, and judges each forecast by what happens."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from simulations.lane import ModelLane
from simulations.model import simulate
from simulations.traffic import STARTS_AT, Traffic
from simulations.verdict import Foretold, Verdict, judge
from simulations.weather import Weather
from waqcore.core import forecast
from waqcore.core.course import Place
from waqcore.core.instants import HOUR, MINUTE
from waqcore.core.message import Message, Priority
from waqcore.core.order import place as rank
from waqcore.core.outcome import NotSent, Outcome, ProbeResult
from waqcore.core.outlook import Outlook, outlook
from waqcore.core.policy import Policy
from waqcore.core.rates import Rates

WARM_UP_US = 2 * HOUR
"""Messages before this are not judged: the lane began empty, and nothing was known."""
REFRESH_US = MINUTE
"""How long an outlook is kept before it is worked out anew."""

Expects = Callable[[int], Outlook]
"""What is expected at an instant."""


class _Heard(NamedTuple):
    at: int
    took_us: int
    failed: bool


class Backtest:
    """Watches one simulation; a gateway to it, so that it sees every call."""

    def __init__(
        self, traffic: Traffic, weather: Weather, expects: Expects | None, *, every: int
    ) -> None:
        self.verdicts: list[Verdict] = []
        self._policy: Policy = traffic.policy
        self._weather = weather
        self._expects = expects or self._estimated
        self._every = every
        self._rates = Rates.since(STARTS_AT)
        self._heard: deque[_Heard] = deque()
        self._foretold: dict[int, Foretold] = {}
        self._outlook: tuple[int, Outlook] | None = None

    def call(self, seq: int, attempt: int, sender: int, at: int) -> tuple[Outcome, int]:
        """The gateway's answer, noted; a first call is what was foretold."""
        if attempt == 1 and seq in self._foretold:
            self.verdicts.append(judge(self._foretold.pop(seq), at))
        outcome, took_us = self._weather.call(seq, attempt, sender, at)
        self._heard.append(_Heard(at + took_us, took_us, isinstance(outcome, NotSent)))
        return outcome, took_us

    def probe(self, sender: int, at: int) -> tuple[ProbeResult, int]:
        """The gateway's answer."""
        return self._weather.probe(sender, at)

    def arrived(self, lane: ModelLane, seq: int, at: int) -> None:
        """Learn from a message, and foretell it with all that has come by this instant."""
        while self._heard and self._heard[0].at <= at:
            call = self._heard.popleft()
            held_us = self._policy.pace_us + min(call.took_us, self._policy.guard_us)
            self._rates = self._rates.called(held_us, self._policy, failed=call.failed)
        message = next(one for one in lane.queue if one.seq == seq)
        self._rates = self._rates.arrived(message.priority, at, self._policy)
        if at < STARTS_AT + WARM_UP_US or seq % self._every:
            return
        place = place_of(message, lane, at)
        expected = self._expects(at)
        law = forecast.law(lane.lane, place, at, self._policy, expected)
        eta = forecast.eta(lane.lane, place, at, self._policy, expected)
        self._foretold[seq] = Foretold(at, message.priority, place.ahead, law, eta)

    def _estimated(self, at: int) -> Outlook:
        if self._outlook is None or at - self._outlook[0] >= REFRESH_US:
            self._outlook = at, outlook(self._rates, at, self._policy)
        return self._outlook[1]


def place_of(message: Message, lane: ModelLane, now: int) -> Place:
    """Where a message of a model's queue stands."""
    before = [one for one in lane.queue if rank(one) < rank(message)]
    due = [one for one in before if max(one.due_at, one.retry_at) <= now]
    later = sorted(max(one.due_at, one.retry_at) for one in before)[len(due) :]
    sending = lane.in_flight.message if lane.in_flight is not None else None
    return Place(
        message.priority,
        max(message.due_at, message.retry_at),
        ahead=len(due),
        loud=sum(one.priority <= Priority.HIGH for one in due),
        later=tuple((at, 1) for at in later),
        returning=sending is not None and rank(sending) < rank(message),
    )


def backtest(
    traffic: Traffic, *, seed: int, expects: Expects | None = None, every: int = 1
) -> pd.DataFrame:
    """Forecasts of one run and what came of them: `scenario`, `seed` and the columns of `Verdict`.

    Without `expects` they are made as production makes them, with what was seen until then. `every`
    judges one message in so many.
    """
    arrivals_rng, latency_rng, outcomes_rng = np.random.default_rng(seed).spawn(3)
    given = traffic.workload(arrivals_rng)
    weather = Weather(
        traffic.climate, len(given), latency_rng=latency_rng, outcomes_rng=outcomes_rng
    )
    watching = Backtest(traffic, weather, expects, every=every)
    simulate(given, watching, {"sender-0": traffic.policy}, seed=seed, watcher=watching.arrived)
    frame = pd.DataFrame(watching.verdicts, columns=list(Verdict._fields))
    frame.insert(0, "scenario", traffic.name)
    frame.insert(1, "seed", seed)
    return frame


def knowing(traffic: Traffic) -> Expects:
    """What is expected by one who knows the rates of the present hour."""
    by_hour = [traffic.outlook(hour * HOUR) for hour in range(len(traffic.hourly))]
    return lambda at: by_hour[(at - STARTS_AT) // HOUR % len(by_hour)]
