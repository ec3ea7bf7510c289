"""How far the model's calls are from those of a recorded run."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.artist import Artist

from simulations.plots import reading, style
from simulations.plots.style import Picture
from waqcore.core.instants import SECOND

HEIGHT_IN = 3.8
BAR_S = 0.05
"""How far a call may be predicted off, either way."""


def deviation(replays: Mapping[str, pd.DataFrame], *, about: str = "") -> Picture:
    """A dot a call: when it was made, and how much later the model makes it, in milliseconds.

    `replays` are the calls of `simulations.replay.Replayed`, by what is said of them.
    """
    picture = style.picture(_title(replays), about, HEIGHT_IN)
    axes = picture.add_subplot()
    style.dress(axes, "call made (s after the first)", "the model's less the run's (ms)", grid="y")
    drawn = {words: calls for words, calls in replays.items() if len(calls)}
    if not drawn:
        style.empty(axes, "no calls that both made")
        return picture
    first_at = min(reading.at(calls, "called_at").min() for calls in drawn.values())
    colours = (style.BLUE, style.ORANGE, style.GREEN)
    marks: list[tuple[Artist, str]] = []
    for (words, calls), colour in zip(drawn.items(), colours, strict=False):
        made_s = (reading.at(calls, "called_at") - first_at) / SECOND
        off_ms = 1_000 * calls["off_s"].to_numpy()
        (dots,) = axes.plot(made_s, off_ms, ".", markersize=5, color=colour)
        marks.append((dots, words))
    for bound in (-BAR_S, BAR_S):
        axes.axhline(1_000 * bound, color=style.INK, linewidth=1.0, linestyle="--")
    largest = max(float(calls["off_s"].abs().max()) for calls in drawn.values())
    axes.set_ylim(-1_150 * max(largest, BAR_S), 1_150 * max(largest, BAR_S))
    style.note(axes, 0.99, 0.03, f"dashed: {1_000 * BAR_S:g} ms")
    style.legend(picture, marks)
    return picture


def _title(replays: Mapping[str, pd.DataFrame]) -> str:
    off = [float(np.abs(calls["off_s"]).max()) for calls in replays.values() if len(calls)]
    if not off:
        return "Nothing to compare"
    n = max(len(calls) for calls in replays.values())
    return f"{reading.count(n, 'call')}: the model is off by {1_000 * max(off):.0f} ms at most"
