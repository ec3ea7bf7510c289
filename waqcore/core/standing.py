"""What stands before a message that falls due later: the lane as it will be then, in the long run."""

from math import exp

from waqcore.core.cumulants import Cumulants
from waqcore.core.extra import Counted, Extra, Standing
from waqcore.core.surprise import Surprise

NEVER_CALLED = Counted((0.0,), None)


def standing(
    higher: Surprise, front: Surprise, load: float, *, slots: float, ahead: float, rested: float
) -> Extra:
    """The law of what a message waits for, over `slots` that it waits for in any case.

    When it falls due the lane has been without known work for `rested` slots. It finds the work
    of what goes before it (`front`: higher priorities and those of its own that came before), and
    the rest of a slot spent on something else, `load` being that of everything; then it waits while
    more of the `higher` come. `ahead` messages among the known may fail and come back.
    Source: L. Takács, Introduction to the Theory of Queues, 1962 (the moments of M/G/1's work);
    A. Cobham, "Priority assignment in waiting line problems", Oper. Res. 2, 1954.
    """
    if higher.progeny is None:
        return NEVER_CALLED
    work, none = _work(front, load, rested)
    more = higher.again.of(higher.progeny).times(ahead)
    wait = work._replace(mean=work.mean + slots).of(higher.progeny).plus(more)
    extra = wait._replace(mean=wait.mean - slots)
    none *= exp(ahead * higher.none_fails - slots * higher.batches)
    return Standing(none, _given_some(extra, none))


def _work(front: Surprise, load: float, rested: float) -> tuple[Cumulants, float]:
    """The work that stands in front, in slots, and the probability that there is none."""
    rho, second, third = front.slot
    if rho >= 1.0:
        return Cumulants((rho - 1.0) * rested, second * rested, third * rested), 0.0
    mean = second / (2 * (1 - rho))
    variance = mean**2 + third / (3 * (1 - rho))
    busy = min(1.0, max(0.0, load - rho) / (1 - rho))
    rest = Cumulants(busy / 2, busy / 3 - busy**2 / 4, busy / 4 - busy**2 / 2 + busy**3 / 4)
    skewed = 2 * variance**2 / mean if mean > 0.0 else 0.0  # As a gamma law is.
    return Cumulants(mean, variance, skewed).plus(rest), max(0.0, 1.0 - max(load, rho))


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
