"""How many messages wait, over time."""

import numpy as np
import pandas as pd
from matplotlib.artist import Artist

from simulations.legacy import LOST
from simulations.plots import reading, style
from simulations.plots.scale import Floats, instants
from simulations.plots.style import Picture

HEIGHT_IN = 3.8
INSTANTS_MAX, PARTS = 2_000, 600
"""Where more happens, only the fullest instant of each of so many equal parts is drawn."""


def queue_length(messages: pd.DataFrame, *, about: str = "", utc_offset_us: int = 0) -> Picture:
    """The messages that are due and have not left, those of one priority upon the other's.

    A message for later counts from its `send_at`; one that was lost never counts.
    """
    waiting = messages[messages["state"] != LOST]
    end_at = reading.last_at(waiting)
    looks, parts = _looks(waiting, end_at)
    most = int(_in_queue(waiting, looks).max(initial=0))
    lost = len(messages) - len(waiting)
    said = reading.joined(about, f"{lost:,} lost messages not counted" if lost else "", parts)
    title = f"At most {reading.count(most, 'message')} in the queue at once"
    picture = style.picture(title, said, HEIGHT_IN)
    axes = picture.add_subplot()
    style.dress(axes, "seconds since the first enqueue", "messages queued or being sent")
    if not most:
        style.empty(axes, "no messages")
        return picture
    first_at = float(reading.at(waiting, "enqueued_at").min())
    scale = instants(first_at, end_at, utc_offset_us)
    marks: list[tuple[Artist, str]] = []
    words = reading.priorities(waiting)
    # From the highest pile down to the lowest, each over the one before.
    for n, priority in reversed(list(enumerate(words))):
        pile = _in_queue(waiting[waiting["priority"].isin(words[: n + 1])], looks)
        area = axes.fill_between(scale.of(looks), pile, step="post")
        colour = style.COLOURS[priority]
        area.set(facecolor=style.pale(colour), edgecolor=colour, linewidth=1.0)
        marks.insert(0, (area, priority))
    scale.mark(axes, first_at, end_at)
    axes.set_ylim(0, 1.06 * most)
    style.counts(axes)
    style.legend(picture, marks)
    return picture


def _looks(waiting: pd.DataFrame, end_at: float) -> tuple[Floats, str]:
    """The instants to count at; and, in words, how they were chosen if they are not all."""
    every = np.concatenate([*_stays(waiting), [end_at]])
    changes = np.unique(every[every <= end_at])
    if len(changes) <= INSTANTS_MAX:
        return changes, ""
    part_us = (changes[-1] - changes[0]) / PARTS
    part = np.minimum((changes - changes[0]) // part_us, PARTS - 1)
    order = np.lexsort((_in_queue(waiting, changes), part))
    fullest = order[np.append(np.diff(part[order]) > 0, True)]
    words = f"each point the fullest instant of {reading.lasted(part_us)}"
    return np.append(changes[fullest], end_at), words


def _in_queue(waiting: pd.DataFrame, looks: Floats) -> Floats:
    """How many are due, and have not left, at each instant."""
    came, left = (np.sort(one) for one in _stays(waiting))
    counted = np.searchsorted(came, looks, "right") - np.searchsorted(left, looks, "right")
    return counted.astype(np.float64)


def _stays(waiting: pd.DataFrame) -> tuple[Floats, Floats]:
    """When messages came, and when those of them that have left did."""
    came, left = reading.due_at(waiting), reading.left_at(waiting)
    stayed = ~(left < came)  # Others were cancelled before they were due.
    return came[stayed], left[stayed & ~np.isnan(left)]
