"""The units of axes: durations by their length, instants from the first enqueue or by the clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from math import ceil, isfinite

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MultipleLocator, NullLocator
from numpy.typing import NDArray

from waqcore.core.instants import DAY, HOUR, MINUTE, SECOND

Floats = NDArray[np.float64]

SECONDS_BELOW_US, MINUTES_BELOW_US = 3 * MINUTE, 3 * HOUR
"""What takes longer is told in minutes; longer still, in hours or by the clock."""
TICKS_MAX = 9
_STEPS = {
    SECOND: (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30),
    MINUTE: (1, 2, 5, 10, 15, 20, 30),
    HOUR: (0.25, 0.5, 1, 2, 3, 4, 6, 12, 24),
}
_WORDS = {SECOND: "seconds", MINUTE: "minutes", HOUR: "hours"}


@dataclass(frozen=True, slots=True)
class Durations:
    """Durations along an axis."""

    unit_us: int
    word: str

    def of(self, durations_us: Floats) -> Floats:
        """Microseconds in the axis's unit."""
        return durations_us / self.unit_us


@dataclass(frozen=True, slots=True)
class Instants:
    """Instants along an axis."""

    zero_at: int
    """The instant at 0: the first enqueue, or the midnight before it."""
    unit_us: int
    label: str
    utc_offset_us: int | None
    """What the clock on the axis is ahead of UTC; None: it shows no clock."""
    days: bool
    """The clock has to tell the day too."""

    def of(self, at: Floats) -> Floats:
        """Instants in microseconds since the epoch, in the axis's unit."""
        return (at - self.zero_at) / self.unit_us

    def mark(self, axes: Axes, first_at: float, last_at: float, *, room: float = 0.02) -> None:
        """Set limits, ticks and label; `room` is a share left free on the right."""
        low, high = self.of(np.array([first_at, last_at], dtype=np.float64))
        span = (high - low) or 1.0
        axes.set_xlim(low - 0.015 * span, high + room * span)
        axes.xaxis.set_major_locator(MultipleLocator(step(span, _STEPS[self.unit_us])))
        axes.xaxis.set_major_formatter(FuncFormatter(self._tick))
        axes.set_xlabel(self.label)

    def _tick(self, value: float, _: object) -> str:
        if self.utc_offset_us is None:
            return f"{value:g}"
        when = _local(self.zero_at + round(value * HOUR), self.utc_offset_us)
        return f"{when:%H:%M}\n{when.day} {when:%b}" if self.days else f"{when:%H:%M}"


def durations(longest_us: float) -> Durations:
    """The unit for durations up to the longest; nan: there are none."""
    unit_us = _unit(longest_us)
    return Durations(unit_us, {SECOND: "s", MINUTE: "min", HOUR: "h"}[unit_us])


def instants(first_at: float, last_at: float, utc_offset_us: int = 0) -> Instants:
    """The scale for what lies between two instants, in microseconds since the epoch."""
    unit_us = _unit(last_at - first_at)
    if unit_us < HOUR:
        label = f"{_WORDS[unit_us]} since the first enqueue"
        return Instants(int(first_at), unit_us, label, None, days=False)
    zero_at = int(first_at) - (int(first_at) + utc_offset_us) % DAY
    start, zone = _local(zero_at, utc_offset_us), _zone(utc_offset_us)
    days = last_at > zero_at + DAY
    on = "" if days else f" on {start.day} {start:%b %Y}"
    return Instants(zero_at, HOUR, f"clock time{on} ({zone.tzname(None)})", utc_offset_us, days)


def step(span: float, steps: Sequence[float]) -> float:
    """The distance of ticks, so that few enough are on a span."""
    wanted = span / TICKS_MAX
    last = steps[-1]
    return next((one for one in steps if one >= wanted), last * ceil(wanted / last))


def _unit(longest_us: float) -> int:
    if not isfinite(longest_us) or longest_us < SECONDS_BELOW_US:
        return SECOND
    return MINUTE if longest_us < MINUTES_BELOW_US else HOUR


def _zone(utc_offset_us: int) -> timezone:
    return timezone(timedelta(microseconds=utc_offset_us))


def _local(at: int, utc_offset_us: int) -> datetime:
    return datetime.fromtimestamp(at / SECOND, _zone(utc_offset_us))


_ROUND_S = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 18_000, 43_200, 86_400)
_ROUND = (*_ROUND_S, *(days * 86_400 for days in (2, 7, 14, 28, 91, 364)))


def mark_log(axes: Axes, shortest_us: float, longest_us: float) -> None:
    """Make the axis logarithmic and in seconds, with ticks at durations that people name."""
    low, high = shortest_us / SECOND, longest_us / SECOND
    ticks = [one for one in _ROUND if low <= one <= high]
    axes.set_xscale("log")
    axes.set_xlim(low, 1.1 * high)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(ticks, [_named(one) for one in ticks])


def _named(seconds: int) -> str:
    for unit, word in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds // unit} {word}"
    return f"{seconds} s"
