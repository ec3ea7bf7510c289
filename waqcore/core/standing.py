"""What stands before a message that falls due later: the lane as it is then, in the long run."""

from math import exp
from typing import NamedTuple

from waqcore.core.cumulants import Cumulants
from waqcore.core.extra import Counted, Extra, Standing
from waqcore.core.surprise import Surprise

_NEVER_CALLED = Counted((0.0,), None)


class Rest(NamedTuple):
    """A time in which a lane has no work that is known, before a message or those before it."""

    slots: float
    front: Surprise
    """What comes meanwhile and goes before the message."""
    load: float
    """Share of the slots that anything takes."""
    due: float = 0.0
    """Share of the slots by which messages are late that are known to fall due in the rest."""
    held: Cumulants = Cumulants()
    """Slots of what comes meanwhile, goes before the message, and is not called in the rest."""


def standing(higher: Surprise, rest: Rest, *, slots: float, ahead: float) -> Extra:
    """The law of what a message waits for after a rest, over `slots` of work that is known.

    The rest leaves the work of what goes before it and what is left of a slot spent on something
    else; while that is done, more of the `higher` come. `ahead` of the known may fail and return.
    Source: L. Takács, Introduction to the Theory of Queues, 1962 (the moments of M/G/1's work);
    A. Cobham, "Priority assignment in waiting line problems", Oper. Res. 2, 1954.
    """
    if higher.progeny is None:
        return _NEVER_CALLED
    work, none = _work(rest)
    known = Cumulants(slots)
    wait = known.plus(work).plus(rest.held).of(higher.progeny)
    wait = wait.plus(higher.again.of(higher.progeny).times(ahead))
    none *= exp(ahead * higher.none_fails - slots * higher.batches - rest.held.mean)
    return Standing(none, _given_some(wait._replace(mean=wait.mean - slots), none))


def _work(rest: Rest) -> tuple[Cumulants, float]:
    """The work that stands in front, in slots, and the probability that there is none."""
    rho, second, third = (cumulant + rest.due for cumulant in rest.front.slot)
    load = rest.load + rest.due
    if rho >= 1.0:
        return Cumulants(rho - 1.0, second, third).times(rest.slots), 0.0
    mean = second / (2 * (1 - rho))
    variance = mean**2 + third / (3 * (1 - rho))
    busy = min(1.0, max(0.0, load - rho) / (1 - rho))
    left = Cumulants(busy / 2, busy / 3 - busy**2 / 4, busy / 4 - busy**2 / 2 + busy**3 / 4)
    skewed = 2 * variance**2 / mean if mean > 0.0 else 0.0  # As a gamma law is.
    return Cumulants(mean, variance, skewed).plus(left), max(0.0, 1.0 - max(load, rho))


def _given_some(all_of_it: Cumulants, none: float) -> Cumulants:
    """The cumulants of a number that is not negative, given that it is not 0."""
    if none >= 1.0:
        return Cumulants()
    mean, variance, third = all_of_it
    some = mean / (1 - none)
    square = (variance + mean**2) / (1 - none)
    cube = (third + 3 * variance * mean + mean**3) / (1 - none)
    spread = max(0.0, square - some**2)
    return Cumulants(some, spread, cube - 3 * some * spread - some**3)


def backlog(higher: Surprise) -> float:
    """The slots that stand in a lane on average, counted in the time in which so many arrive."""
    load, second, _ = higher.slot
    return second / (2 * load * (1 - load)) if 0.0 < load < 1.0 else 0.0
