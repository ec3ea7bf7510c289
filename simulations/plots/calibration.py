"""Whether forecasts keep their word: how many calls come inside the 90 % range, and where else."""

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from simulations.plots import reading, style
from simulations.plots.forecasts import Forecasts, forecasts, held
from simulations.plots.scale import Floats
from simulations.plots.style import Picture
from waqcore.core.instants import HOUR, MINUTE, SECOND

HEIGHT_IN = 4.4
PROMISED, PROMISED_LOW, PROMISED_HIGH = 0.90, 0.85, 0.95
"""Of calls inside the range; and between what shares a forecaster that estimates its rates may be.
Source: bar d of the forecaster's issue."""
HORIZONS = (
    ("< 1", MINUTE),
    ("1-5", 5 * MINUTE),
    ("5-15", 15 * MINUTE),
    ("15-60 min", HOUR),
    ("1-4 h", 4 * HOUR),
    ("> 4 h", 2**62),
)
"""By how far ahead the call was forecast."""
PLACES = ("before", "early\nhalf", "late\nhalf", "after")
EXACT_US = SECOND
"""So near is at the median: where nothing can come between, all of a range is no longer."""
EXPECTED = (0.05, 0.45, 0.45, 0.05)
"""The shares of calls in these places of the 5 %, 50 % and 95 % quantiles."""


def calibration(messages: pd.DataFrame, *, about: str = "") -> Picture:
    """The share of calls inside the range by how far ahead they were, and where all of them fell.

    Whiskers are 95 % intervals as if messages were independent; those of one burst are not.
    """
    words = reading.priorities(messages)
    of = {word: _judged(messages[messages["priority"] == word]) for word in words}
    every = forecasts(messages)
    picture = style.picture(held(every), reading.joined(about, _said(every)), HEIGHT_IN)
    grid = picture.add_gridspec(1, 2, width_ratios=(1.3, 1))
    left, right = picture.add_subplot(grid[0]), picture.add_subplot(grid[1])
    style.dress(left, "how far ahead the call was forecast", "calls inside the range", grid="y")
    style.dress(right, "where in its range the call came", "share of calls", grid="y")
    judged = {word: one for word, one in of.items() if len(one.made)}
    if not judged:
        for axes in (left, right):
            style.empty(axes, "no forecast to judge" if len(messages) else "no messages")
        return picture
    for axes in (left, right):
        style.shares(axes)
    _reliability(left, judged)
    _places(right, judged)
    style.legend(picture, _explained(judged))
    return picture


def _judged(messages: pd.DataFrame) -> Forecasts:
    of = forecasts(messages)
    return of.only(of.judged)


def _said(every: Forecasts) -> str:
    judged = every.only(every.judged)
    if not len(judged.made):
        return ""
    off = float(np.median(np.abs(judged.called - judged.median)))
    median = f"half of the medians were {reading.lasted(off)} off or less"
    return f"{median}; whiskers: 95 %, were calls independent"


def _reliability(axes: Axes, judged: dict[str, Forecasts]) -> None:
    axes.axhspan(PROMISED_LOW, PROMISED_HIGH, color=style.GRID, alpha=0.5, linewidth=0)
    axes.axhline(PROMISED, color=style.INK, linewidth=1.2, linestyle="--")
    lowest = 0.8
    bounds = np.array([0, *(until for _, until in HORIZONS)], dtype=np.float64)
    for n, (word, of) in enumerate(judged.items()):
        ahead = np.maximum(of.median - of.made, 0)
        inside = np.histogram(ahead[of.inside], bounds)[0]
        calls = np.histogram(ahead, bounds)[0]
        there = calls > 0
        share, low, high = wilson(inside[there], calls[there])
        x = np.arange(len(HORIZONS))[there] + 0.2 * (n - (len(judged) - 1) / 2)
        whiskers = np.stack([share - low, high - share])
        axes.errorbar(x, share, whiskers, fmt="o", color=style.COLOURS[word], capsize=3, ms=6)
        lowest = min(lowest, float(low.min()))
    axes.set_xticks(range(len(HORIZONS)), [words for words, _ in HORIZONS])
    axes.tick_params(axis="x", labelsize=style.SMALL_SIZE)
    axes.set_xlim(-0.6, len(HORIZONS) - 0.4)
    axes.set_ylim(max(-0.03, lowest - 0.04), 1.02)


def wilson(
    inside: NDArray[np.int64], calls: NDArray[np.int64], z: float = 1.96
) -> tuple[Floats, Floats, Floats]:
    """Shares and their 95 % intervals.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    J. Amer. Statist. Assoc. 22, 1927.
    """
    share = inside / calls
    middle = (share + z**2 / (2 * calls)) / (1 + z**2 / calls)
    half = z * np.sqrt(share * (1 - share) / calls + z**2 / (4 * calls**2)) / (1 + z**2 / calls)
    return share, np.clip(middle - half, 0, share), np.clip(middle + half, share, 1)


def places(of: Forecasts) -> Floats:
    """The shares of calls before, in either half of, and after the range.

    A call at the median, or as good as at it, is in both halves.
    """
    off = of.called - of.median
    early, late = off <= EXACT_US, off >= -EXACT_US
    weight = 1 / (early.astype(np.float64) + late)
    before, after = of.called < of.low, of.called > of.high
    return np.array(
        [
            before.mean(),
            (weight * (early & ~before & ~after)).mean(),
            (weight * (late & ~before & ~after)).mean(),
            after.mean(),
        ]
    )


def _places(axes: Axes, judged: dict[str, Forecasts]) -> None:
    x, width = np.arange(len(PLACES)), 0.75 / len(judged)
    for n, (word, of) in enumerate(judged.items()):
        left = x - 0.375 + width * n
        axes.bar(left, places(of), 0.92 * width, align="edge", color=style.COLOURS[word])
    axes.hlines(EXPECTED, x - 0.45, x + 0.45, colors=style.INK, linewidth=1.4, linestyles="--")
    axes.set_xticks(x, PLACES)
    axes.set_ylim(0, max(0.52, axes.get_ylim()[1]))


def _explained(judged: dict[str, Forecasts]) -> list[tuple[Artist, str]]:
    marks: list[tuple[Artist, str]] = [
        (Patch(facecolor=style.COLOURS[word]), f"{word}: {reading.count(len(of.made), 'call')}")
        for word, of in judged.items()
    ]
    marks.append((Line2D([], [], color=style.INK, linewidth=1.2, linestyle="--"), "promised"))
    return marks
