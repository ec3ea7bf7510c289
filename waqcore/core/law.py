"""When a message is called, as a law: the probability of every instant."""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

from waqcore.core.extra import SMEAR, Extra
from waqcore.core.instants import NEVER

FINEST = 256
"""Parts of a slot to which an instant is worked out where slots have no fixed places."""
COARSEST = 1024
"""An instant is worked out to so great a part of the slots before it, where that is coarser."""
STRIDES = 8
"""An instant is first looked for by parts of the known slots before it, so many to all of them."""
SLOTS_MAX = 2**40
"""Slots after which a message is taken never to be called."""


class Case(NamedTuple):
    """One thing that may be so, and what follows from it."""

    weight: float
    extra: Extra


class Stage(NamedTuple):
    """How things stand for a message that is not called before the stage begins."""

    turn_at: int
    """When it is called if nothing happens that nobody knows of yet."""
    cases: Sequence[Case]
    noise: float = 0.0
    """The standard deviation, in slots, of where slots lie."""
    until: int = NEVER
    """When something known changes things for whatever is still not called: the next stage."""

    def reached(self, at: int, slot_us: float) -> float:
        """The probability of a call by an instant."""
        slots = (at - self.turn_at) / slot_us
        return sum(weight * extra.below(slots, self.noise) for weight, extra in self.cases)


class Law:
    """The law of the instant of a message's call."""

    def __init__(self, stages: Sequence[Stage], slot_us: float, earliest: int) -> None:
        """`earliest`: before it, the message cannot be called."""
        self._stages = stages
        self._earliest = earliest
        self.slot_us = slot_us

    @property
    def known_at(self) -> int:
        """When it is called if nothing happens that nobody knows of yet."""
        return next(stage.turn_at for stage in self._stages if stage.turn_at < stage.until)

    def reached(self, at: int) -> float:
        """The probability that it is called at an instant or before."""
        reached, begins = 0.0, self._earliest
        for stage in self._stages:
            if at < begins:
                break
            reached = max(reached, stage.reached(min(at, stage.until - 1), self.slot_us))
            begins = stage.until
        return reached

    def quantile(self, level: float) -> int | None:
        """The instant by which it is called with a probability; None: it may never be.

        What would be later than a stage is looked up in the next: those who are late anyway are
        taken to be late there too.
        """
        begins = self._earliest
        for stage in self._stages:
            at = self._quantile(stage, level)
            if at is not None and at < stage.until:
                return max(begins, at)
            begins = stage.until
        return None

    def _quantile(self, stage: Stage, level: float) -> int | None:
        def instant(slots: float) -> int:
            return stage.turn_at + round(slots * self.slot_us)

        def falls_short(slots: float) -> bool:
            return stage.reached(instant(slots), self.slot_us) < level

        high = -ceil(SMEAR * stage.noise)
        # What comes unforeseen is a share of what is known: strides of one would take long there.
        known = round((stage.turn_at - self._earliest) / self.slot_us)
        low, stride = high - 1, max(1, known // STRIDES)
        while falls_short(high + 0.5):
            low, high, stride = high, high + stride, 2 * stride
            if high > SLOTS_MAX:
                return None
        while high - low > max(1, high // COARSEST):
            middle = (low + high) // 2
            low, high = (middle, high) if falls_short(middle + 0.5) else (low, middle)
        if stage.noise == 0.0 and not falls_short(high) and falls_short(high - 1 / FINEST):
            return instant(high)
        first, last = low + 0.5, high + 0.5
        while last - first > max(1 / FINEST, last / COARSEST / 4):
            half = (first + last) / 2
            first, last = (half, last) if falls_short(half) else (first, half)
        return instant(last)
