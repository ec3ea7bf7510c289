"""Forecasts against what happened: each message's range, its median, and its first call."""

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from simulations.plots import reading, style
from simulations.plots.forecasts import Forecasts, forecasts, held
from simulations.plots.scale import Instants, durations, instants
from simulations.plots.style import Picture

PANEL_IN, LEGEND_IN = 2.1, 0.9
DRAWN_MAX = 300
"""Messages of a priority: the ranges of more would be one area."""
SHOWN, FAR = 0.98, 2.5
"""Of the ranges' upper ends, the share that the axis has room for; and of the longest wait there
was, how many times it reaches at most."""


def eta_fan(messages: pd.DataFrame, *, about: str = "", utc_offset_us: int = 0) -> Picture:
    """By priority, for each message by its enqueue: how long it was to wait, and how long it did.

    A range is the forecast's 90 %, made as the message came.
    """
    told = messages[messages["eta_at"].notna() | messages["eta_low_at"].notna()]
    words = reading.priorities(told)
    said = reading.joined(about, _said(messages, told))
    height_in = PANEL_IN * max(1, len(words)) + LEGEND_IN
    picture = style.picture(held(forecasts(told)), said, height_in)
    if not words:
        axes = picture.add_subplot()
        style.dress(axes, "time of enqueue (s)", "wait until the first call (s)")
        style.empty(axes, "no message has an ETA" if len(messages) else "no messages")
        return picture
    enqueued_at = reading.at(messages, "enqueued_at")
    first_at, last_at = float(enqueued_at.min()), float(enqueued_at.max())
    scale = instants(first_at, last_at, utc_offset_us)
    for n, word in enumerate(words, start=1):
        axes = picture.add_subplot(len(words), 1, n)
        _panel(axes, told[told["priority"] == word], word, scale)
        scale.mark(axes, first_at, last_at)
        axes.tick_params(labelbottom=n == len(words))
        axes.set_xlabel(f"time of enqueue: {scale.label}" if n == len(words) else "")
    style.legend(picture, _explained())
    return picture


def _said(messages: pd.DataFrame, told: pd.DataFrame) -> str:
    without = len(messages) - len(told)
    endless = int((told["eta_high_at"].isna()).sum())
    return reading.joined(
        f"{without:,} without an ETA" if without else "",
        f"{endless:,} whose range has no end" if endless else "",
    )


def _panel(axes: Axes, told: pd.DataFrame, word: str, scale: Instants) -> None:
    of = forecasts(told.sort_values("enqueued_at", kind="stable"))
    share = of.only(of.judged).inside
    drawn = reading.thinned(len(told), DRAWN_MAX)
    thin = f", {len(drawn)} of them drawn" if len(drawn) < len(told) else ""
    inside = f": {reading.percent(float(share.mean()), 0)} inside" if len(share) else ""
    words = f"{word}{inside}, {reading.count(len(told), 'message')}{thin}"
    most = _top(of)
    above = int((of.median - of.made > most).sum())
    words += f", {reading.count(above, 'median')} above the picture" if above else ""
    unit = durations(most)
    style.dress(axes, "", f"wait ({unit.word})", grid="y")
    style.heading(axes, words, style.COLOURS[word])
    _messages(axes, of.only(np.isin(np.arange(len(told)), drawn)), word, scale, most)
    axes.set_ylim(-0.03 * most / unit.unit_us, 1.05 * most / unit.unit_us)


def _top(of: Forecasts) -> float:
    """The longest wait that is drawn: forecasts that are far off do not flatten what happened."""
    ends = (one - of.made for one in (of.called, of.median, of.high))
    called, median, high = (one[~np.isnan(one)] for one in ends)
    happened = float(called.max(initial=0.0))
    foretold = float(max(median.max(initial=0.0), np.quantile(high, SHOWN) if len(high) else 0.0))
    return max(happened, min(foretold, FAR * happened) if happened else foretold, 1.0)


def _messages(axes: Axes, of: Forecasts, word: str, scale: Instants, most: float) -> None:
    colour, unit_us = style.COLOURS[word], durations(most).unit_us
    x = scale.of(of.made)
    low, median, high, called = ((one - of.made) / unit_us for one in of[1:])
    high = np.where(np.isnan(high), 2 * most / unit_us, high)
    width = 4.0 if len(x) <= 60 else 2.0
    ranged = ~np.isnan(low)
    pale = style.pale(colour)
    axes.vlines(x[ranged], low[ranged], high[ranged], colors=pale, linewidth=width, zorder=1)
    axes.scatter(x, median, s=5.0 * width, marker="_", c=colour, linewidths=1.2, zorder=2)
    held = of.inside | ~of.judged
    size = 6.0 * width
    for which, face, edge in ((held, colour, style.PAPER), (~held, style.PAPER, style.INK)):
        drawn = which & ~np.isnan(called)
        dots = axes.scatter(x[drawn], called[drawn], s=size, c=face, zorder=3)
        dots.set(edgecolor=edge, linewidth=0.4 if edge == style.PAPER else 1.0)


def _explained() -> list[tuple[Artist, str]]:
    def dot(marker: str, face: str, edge: str) -> Line2D:
        return Line2D([], [], linewidth=0, marker=marker, markersize=6, mfc=face, mec=edge)

    return [
        (Patch(facecolor=style.GRID), "90 % range"),
        (dot("_", style.QUIET, style.QUIET), "median"),
        (dot("o", style.QUIET, style.PAPER), "first call, inside the range"),
        (dot("o", style.PAPER, style.INK), "outside"),
    ]
