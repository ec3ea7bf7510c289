"""The old loop against waqcore: the same messages on one time axis, above each other."""

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from simulations.legacy import LOST
from simulations.plots import lives, reading, style
from simulations.plots.rows import rows
from simulations.plots.scale import instants
from simulations.plots.style import Picture
from waqcore.core.message import Priority, State

NAMED_MAX = 20
"""Rows with names in each half."""
SHAPE_IN = 3.3
LEGEND_IN = 1.5
"""Room for the halves' headings, the time axis, and what is below it."""

Frames = tuple[pd.DataFrame, pd.DataFrame]
"""A run's messages and its attempts."""


def old_and_new(old: Frames, new: Frames, *, about: str = "", utc_offset_us: int = 0) -> Picture:
    """What became of each message under the old loop, and under waqcore; lost ones are marked.

    `about` is said under the title; `utc_offset_us` is for the clock, where it tells the instants.
    """
    halves = {"the old loop": old, "waqcore": new}
    every = pd.concat([old[0], new[0]])
    placed = {
        name: rows(of[0], named_max=NAMED_MAX, shape_in=SHAPE_IN) for name, of in halves.items()
    }
    heights = [one.height_in for one in placed.values()]
    said = reading.joined(about, _links(halves))
    picture = style.picture(_title(old[0], new[0]), said, sum(heights) + LEGEND_IN)
    grid = picture.add_gridspec(2, 1, height_ratios=heights)
    if not len(every):
        axes = picture.add_subplot(grid[:])
        style.dress(axes, "seconds since the first enqueue", "messages", grid="none")
        style.empty(axes, "no messages")
        return picture
    first_at, end_at = float(reading.at(every, "enqueued_at").min()), reading.last_at(*old, *new)
    scale = instants(first_at, end_at, utc_offset_us)
    explained: dict[str, Artist] = {}
    both: list[Axes] = []
    for n, (name, (_, attempts)) in enumerate(halves.items()):
        axes = picture.add_subplot(grid[n])
        marks = lives.draw(axes, placed[name], attempts, scale, end_at)
        scale.mark(axes, first_at, end_at, room=0.08 if placed[name].named else 0.02)
        style.heading(axes, name)
        explained |= {words: mark for mark, words in marks}
        both.append(axes)
    both[0].set_xlabel("")
    both[0].tick_params(labelbottom=False)
    style.legend(picture, [(mark, words) for words, mark in explained.items()])
    return picture


def _title(old: pd.DataFrame, new: pd.DataFrame) -> str:
    if not len(old) and not len(new):
        return "Nothing was enqueued"
    lost = int((old["state"] == LOST).sum())
    words = f"Of {reading.count(len(old), 'message')} the old loop sent {_sent(old):,}"
    return f"{words} and lost {reading.number(lost)}; waqcore sent {_sent(new):,}"


def _sent(messages: pd.DataFrame) -> int:
    return int((messages["state"] == State.SENT).sum())


def _links(halves: dict[str, Frames]) -> str:
    """What became of the payment links, in words."""
    told = []
    for name, (messages, _) in halves.items():
        links = messages[messages["priority"] == Priority.HIGH.word]
        sent = links[links["state"] == State.SENT]
        if len(sent):
            took_us = reading.at(sent, "called_at").max() - reading.at(links, "enqueued_at").min()
            n = overtaken(links)
            told.append(
                f"{name}: {reading.number(n)} overtaken, last after {reading.lasted(took_us)}"
            )
    return f"payment links under {'; under '.join(told)}" if told else ""


def overtaken(messages: pd.DataFrame) -> int:
    """How many were called first after one that came later."""
    ordered = messages.sort_values(["enqueued_at", "seq"])
    called = reading.at(ordered, "first_called_at")
    called = called[~np.isnan(called)]
    soonest_after = np.minimum.accumulate(called[::-1])[::-1]
    return int((soonest_after < called).sum())
