"""The gaps between the starts of one sender's calls, against the pace that they must keep."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator, StrMethodFormatter
from numpy.typing import NDArray

from simulations.plots import reading, style
from simulations.plots.style import Picture
from waqcore.core.instants import SECOND

HEIGHT_IN = 3.8
BARS = 60
"""On each side of the pace, at most."""
SHOWN = 2
"""Gaps up to so many paces have a bar of their own kind; the others are idleness."""
SKEWED = 100
"""From so many in one bar on, the axis is logarithmic: a single short gap must be seen."""

Ints = NDArray[np.int64]


def gaps_us(attempts: pd.DataFrame) -> Ints:
    """The gaps between the starts of one sender's consecutive calls, in microseconds."""
    called = attempts[attempts["called_at"].notna() & (attempts["outcome"] != "not_called")]
    called = called.sort_values(["sender", "called_at"], kind="stable")
    at = called["called_at"].to_numpy(dtype=np.int64)
    sender = called["sender"].to_numpy()
    gaps: Ints = np.diff(at)[sender[1:] == sender[:-1]]
    return gaps


def gaps(attempts: pd.DataFrame, pace_us: int, *, about: str = "") -> Picture:
    """How often each gap occurred; those shorter than the pace are counted in the title."""
    found = gaps_us(attempts)
    short = int((found < pace_us).sum())
    picture = style.picture(
        _title(found, short, pace_us), reading.joined(about, _said(found, pace_us)), HEIGHT_IN
    )
    axes = picture.add_subplot()
    style.dress(axes, "gap between the starts of two calls of one sender (s)", "gaps", grid="y")
    if not len(found):
        style.empty(axes, "no two calls of one sender")
        return picture
    edges = _edges(found, pace_us)
    most = _bars(axes, found[found <= edges[-1]], edges, pace_us)
    around = pace_us // 20
    low, high = min(edges[0], pace_us - around), max(edges[-1], pace_us + around)
    axes.set_xlim(low / SECOND, high / SECOND)
    axes.ticklabel_format(axis="x", useOffset=False)
    axes.axvline(pace_us / SECOND, color=style.INK, linewidth=1.4, linestyle="--")
    style.note(axes, 0.99, 0.97, f"dashed: the pace, {pace_us / SECOND:g} s")
    if most >= SKEWED:
        axes.set_yscale("log")
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.set_ylim(0.7, 2.0 * most)
        axes.set_ylabel("gaps (logarithmic)")
    else:
        axes.set_ylim(0, 1.12 * most)
        style.counts(axes)
    return picture


def _title(found: Ints, short: int, pace_us: int) -> str:
    pace = f"the pace of {pace_us / SECOND:g} s"
    if not len(found):
        return f"No gaps to hold against {pace}"
    if short:
        return f"{short:,} of {reading.count(len(found), 'gap')} shorter than {pace}"
    return f"None of {reading.count(len(found), 'gap')} is shorter than {pace}"


def _said(found: Ints, pace_us: int) -> str:
    if not len(found):
        return ""
    longer = int((found > SHOWN * pace_us).sum())
    smallest = f"smallest gap {found.min() / SECOND:.6f} s"
    if not longer:
        return smallest
    idle = f"{reading.count(longer, 'gap')} over {SHOWN * pace_us / SECOND:g} s not drawn"
    return f"{smallest}; {idle} (idle, or held up)"


def _edges(found: Ints, pace_us: int) -> Ints:
    """The edges of bars, one of them the pace: no bar has gaps of both sides."""
    shown = found[found <= SHOWN * pace_us]
    low = min(int(shown.min(initial=pace_us)), pace_us)
    high = max(int(shown.max(initial=pace_us)), pace_us)
    width = max(1, -(-max(high - low, pace_us // 5) // BARS))
    below, above = -(-(pace_us - low) // width), (high - pace_us) // width + 1
    return pace_us + width * np.arange(-below, above + 1, dtype=np.int64)


def _bars(axes: Axes, shown: Ints, edges: Ints, pace_us: int) -> int:
    """Draw the bars; returns the largest count."""
    counts = np.histogram(shown, edges)[0]
    filled = counts > 0
    left, width = edges[:-1][filled], np.diff(edges)[filled]
    axes.bar(
        left / SECOND,
        counts[filled],
        width / SECOND,
        align="edge",
        color=[style.ORANGE if one < pace_us else style.SKY for one in left],
        edgecolor=style.PAPER,
        linewidth=0.5,
    )
    return int(counts.max(initial=1))
