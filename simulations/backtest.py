"""Foretells every message of a simulation as it comes, and judges each forecast by what happens."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from simulations.lane import ModelLane
from simulations.model import simulate
from simulations.traffic import STARTS_AT, Traffic
from simulations.weather import Weather
from waqcore.core import forecast
from waqcore.core.course import Place
from waqcore.core.forecast import Eta
from waqcore.core.instants import HOUR, MINUTE, SECOND
from waqcore.core.law import Law
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
STEPS = 80
"""Parts in which a law's distance from what happened is summed up."""
LOW, HIGH = 0.05, 0.95

Expects = Callable[[int], Outlook]
"""What is expected at an instant."""


class Verdict(NamedTuple):
    """One forecast and what came of it: a row of the frame."""

    scenario: str
    seed: int
    priority: str
    made_at: int
    ahead: int
    known_at: int
    """The message's slot if nothing happens that nobody knows of: today's position × pace."""
    eta_at: int | None
    """None: "not while this lasts"."""
    eta_low_at: int | None
    eta_high_at: int | None
    called_at: int
    pit_low: float
    """The probability of a call before its slot, and `pit_high`, by its end: a draw between both
    is uniform if the forecast's law is the true one."""
    pit_high: float
    covered: float
    """The probability that such a draw lies in the central 90 %."""
    crps_s: float
    """Seconds between the law and what happened; nan: the law has no end."""
    pinball_s: float
    """Mean quantile loss at 5, 50 and 95 %; nan: the range has no end."""
    missed_s: float
    """Seconds between `known_at` and the call: the CRPS of position × pace."""
    surprised: bool
    """It was called in another slot than known."""


class _Foretold(NamedTuple):
    at: int
    priority: Priority
    ahead: int
    law: Law
    eta: Eta


class _Heard(NamedTuple):
    at: int
    took_us: int
    failed: bool


class Backtest:
    """Watches one simulation; a gateway to it, so that it sees every call."""

    def __init__(
        self, traffic: Traffic, weather: Weather, expects: Expects | None, *, every: int
    ) -> None:
        self.verdicts: list[tuple[_Foretold, int]] = []
        self._policy: Policy = traffic.policy
        self._weather = weather
        self._expects = expects or self._estimated
        self._every = every
        self._rates = Rates.since(STARTS_AT)
        self._heard: deque[_Heard] = deque()
        self._foretold: dict[int, _Foretold] = {}
        self._outlook: tuple[int, Outlook] | None = None

    def call(self, seq: int, attempt: int, sender: int, at: int) -> tuple[Outcome, int]:
        """The gateway's answer, noted; a first call is what was foretold."""
        if attempt == 1 and seq in self._foretold:
            self.verdicts.append((self._foretold.pop(seq), at))
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
        self._foretold[seq] = _Foretold(at, message.priority, place.ahead, law, eta)

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


def backtest(traffic: Traffic, *, seed: int, known: bool, every: int = 1) -> pd.DataFrame:
    """Forecasts of one run and what came of them, a row each, the columns of `Verdict`.

    They are made with the true rates, or as production does with estimates. `every` judges one
    message in so many.
    """
    arrivals_rng, latency_rng, outcomes_rng = np.random.default_rng(seed).spawn(3)
    given = traffic.workload(arrivals_rng)
    weather = Weather(
        traffic.climate, len(given), latency_rng=latency_rng, outcomes_rng=outcomes_rng
    )
    by_hour = {at: traffic.outlook(at) for at in range(0, len(traffic.hourly) * HOUR, HOUR)}

    def true(at: int) -> Outlook:
        return by_hour[(at - STARTS_AT) // HOUR % len(traffic.hourly) * HOUR]

    watching = Backtest(traffic, weather, true if known else None, every=every)
    simulate(given, watching, {"sender-0": traffic.policy}, seed=seed, watcher=watching.arrived)
    rows = [judge(traffic.name, seed, one, at) for one, at in watching.verdicts]
    return pd.DataFrame(rows, columns=list(Verdict._fields))


def judge(scenario: str, seed: int, told: _Foretold, called_at: int) -> Verdict:
    """Compare a forecast with the call.

    A slot's probability lies at one instant, so a law that is right is uniform only after it is
    spread over the slot: the randomized probability integral transform, its expectation taken.
    Source: C. Czado, T. Gneiting and L. Held, "Predictive model assessment for count data",
    Biometrics 65, 2009.
    """
    law, eta, half = told.law, told.eta, round(told.law.slot_us / 2)
    low, high = law.reached(called_at - half), law.reached(called_at + half)
    inside = min(high, HIGH) - max(low, LOW)
    covered = max(0.0, inside) / (high - low) if high > low else float(LOW <= low <= HIGH)
    return Verdict(
        scenario=scenario,
        seed=seed,
        priority=told.priority.word,
        made_at=told.at,
        ahead=told.ahead,
        known_at=law.known_at,
        eta_at=eta.at,
        eta_low_at=eta.low_at,
        eta_high_at=eta.high_at,
        called_at=called_at,
        pit_low=low,
        pit_high=high,
        covered=covered,
        crps_s=crps_s(law, called_at),
        pinball_s=_pinball_s(eta, called_at),
        missed_s=abs(called_at - law.known_at) / SECOND,
        surprised=abs(called_at - law.known_at) > half,
    )
