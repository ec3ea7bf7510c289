"""Where messages stand in a picture that gives each a row: by priority, then as they were enqueued.

A few rows have names beside the axis; more of them become a shape; of very many, some are drawn.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulations.plots import reading, style
from simulations.plots.scale import Floats

NAMED_MAX = 40
"""As many rows have names that can be read."""
ROWS_MAX = 3_000
"""More lines would lie upon each other."""
NAME_MAX = 14
"""Characters of a name."""
ROW_IN, SHAPE_IN = 0.2, 4.4
"""The height of a row with a name, and of everything where rows have none."""
HEADING = 1.4
"""Rows that a heading takes."""
HEADING_SHARE = 0.07
"""Of the height, where rows have no names."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Messages and their heights, from above."""

    messages: pd.DataFrame
    """Those that are drawn."""
    y: Floats
    headings: tuple[tuple[float, str, str], ...]
    """Height, priority and words of each."""
    named: bool
    bottom: float
    """Where the last row ends."""
    height_in: float
    """How high they want to be drawn."""

    @property
    def pitch(self) -> float:
        """Points from one row to the next."""
        return 72 * self.height_in / max(1.0, self.bottom)

    def frame(self, axes: Axes) -> None:
        """Put the names and headings into axes."""
        style.dress(axes, "", "one row a message, by enqueue", grid="x")
        axes.set_ylim(self.bottom, -0.3)
        axes.set_yticks([])
        for y, priority, words in self.headings:
            style.row_heading(axes, y, words, style.COLOURS[priority])
        if self.named:
            told = self.messages[["reference", "id"]].to_numpy().tolist()
            axes.set_yticks(self.y, [_name(*one) for one in told])
            axes.tick_params(axis="y", labelsize=style.SMALL_SIZE)


def rows(messages: pd.DataFrame, *, named_max: int = NAMED_MAX, shape_in: float = SHAPE_IN) -> Rows:
    """Place messages; those of a shape share its height."""
    n, named = len(messages), len(messages) <= named_max
    share = min(1.0, ROWS_MAX / max(1, n))
    heading = HEADING if named else HEADING_SHARE * n * share
    top, shown, headings = 0.0, [messages[:0]], []
    placed: list[Floats] = [np.empty(0)]
    for priority in reading.priorities(messages):
        of = messages[messages["priority"] == priority].sort_values("seq", kind="stable")
        drawn = of.iloc[reading.thinned(len(of), max(2, round(share * len(of))))]
        some = f" ({len(drawn):,} of them drawn)" if len(drawn) < len(of) else ""
        words = f"{priority}: {reading.count(len(of), 'message')}{some}"
        headings.append((top + heading / 2, priority, words))
        placed.append(top + heading + np.arange(len(drawn), dtype=np.float64))
        shown.append(drawn)
        top += heading + len(drawn) - (0.3 if named else 0.0)
    y, drawn = np.concatenate(placed), pd.concat(shown) if n else messages
    bottom = max(top, 1.0)
    return Rows(drawn, y, tuple(headings), named, bottom, ROW_IN * bottom if named else shape_in)


def _name(reference: object, id_: object) -> str:
    whole = str(reference if isinstance(reference, str) else id_)
    return whole if len(whole) <= NAME_MAX else f"{whole[: NAME_MAX - 1]}…"
