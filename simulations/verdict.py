"""What becomes of a forecast once the message is called: how far off it was, and how honest."""

from math import ceil
from typing import NamedTuple

from waqcore.core.forecast import Eta
from waqcore.core.instants import SECOND
from waqcore.core.law import Law
from waqcore.core.message import Priority

STEPS = 80
"""Parts in which a law's distance from what happened is summed up."""
LOW, MEDIAN, HIGH = 0.05, 0.5, 0.95
END = 0.9995
"""The level at which a law's tail is cut off."""


class Verdict(NamedTuple):
    """One forecast and what came of it: a row of the frame."""

    priority: str
    made_at: int
    ahead: int
    known_at: int
    """The message's slot if nothing happens that nobody knows of: position times pace."""
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
    """Seconds between `known_at` and the call: the CRPS of position times pace."""
    surprised: bool
    """It was called in another slot than known."""


class Foretold(NamedTuple):
    """A forecast, and what it was made of."""

    at: int
    priority: Priority
    ahead: int
    law: Law
    eta: Eta


def judge(told: Foretold, called_at: int) -> Verdict:
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
        pinball_s=pinball_s(eta, called_at),
        missed_s=abs(called_at - law.known_at) / SECOND,
        surprised=abs(called_at - law.known_at) > half,
    )


def crps_s(law: Law, called_at: int) -> float:
    """The continuous ranked probability score, in seconds: ∫ (F(t) - 1[called by t])² dt.

    For a law that is certain of one instant it is the distance to it. Summed up in slots, or in
    larger steps where there are more of them than `STEPS`.
    Source: T. Gneiting and A. E. Raftery, "Strictly proper scoring rules, prediction, and
    estimation", J. Amer. Statist. Assoc. 102, 2007.
    """
    last_at = law.quantile(END)
    if last_at is None:
        return float("nan")
    slot = law.slot_us
    # Steps begin and end where slots lie, so that their middles, which count, lie between those.
    early = max(0, ceil((law.known_at - called_at) / slot))
    begins = law.known_at - (early + 1) * slot
    ends = max(last_at, called_at) + slot
    step = max(1, round((ends - begins) / slot / STEPS)) * slot
    total, at = 0.0, begins
    while at < ends:
        reached = law.reached(round(at + step / 2))
        before = min(max(called_at - at, 0.0), step)
        total += before * reached**2 + (step - before) * (1 - reached) ** 2
        at += step
    return total / SECOND


def pinball_s(eta: Eta, called_at: int) -> float:
    """The mean quantile loss, in seconds, of a range's ends and its middle; nan: it has no end.

    Source: R. Koenker and G. Bassett, "Regression quantiles", Econometrica 46, 1978.
    """
    if eta.low_at is None or eta.at is None or eta.high_at is None:
        return float("nan")
    told = ((LOW, eta.low_at), (MEDIAN, eta.at), (HIGH, eta.high_at))
    losses = (max(level * (called_at - at), (level - 1) * (called_at - at)) for level, at in told)
    return sum(losses) / len(told) / SECOND
