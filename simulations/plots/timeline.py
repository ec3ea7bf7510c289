"""A timeline: when each message was enqueued, called, called again, and sent."""

import pandas as pd

from simulations.plots import lives, reading, style
from simulations.plots.rows import rows
from simulations.plots.scale import instants
from simulations.plots.style import Picture
from waqcore.core.message import State

LEGEND_IN = 0.9
"""Room for the time axis and what is below it."""


def timeline(
    messages: pd.DataFrame, attempts: pd.DataFrame, *, about: str = "", utc_offset_us: int = 0
) -> Picture:
    """A row a message: waiting, every call with its outcome, and how it ended.

    `about` is said under the title; `utc_offset_us` is for the clock, where it tells the instants.
    """
    placed = rows(messages)
    said = reading.joined(about, _calls(attempts))
    picture = style.picture(_title(messages), said, placed.height_in + LEGEND_IN)
    axes = picture.add_subplot()
    if not len(messages):
        style.dress(axes, "seconds since the first enqueue", "messages", grid="none")
        style.empty(axes, "no messages")
        return picture
    first_at = float(reading.at(messages, "enqueued_at").min())
    end_at = reading.last_at(messages, attempts)
    scale = instants(first_at, end_at, utc_offset_us)
    explained = lives.draw(axes, placed, attempts, scale, end_at)
    scale.mark(axes, first_at, end_at, room=0.08 if placed.named else 0.02)
    style.legend(picture, explained)
    return picture


def _title(messages: pd.DataFrame) -> str:
    sent = messages[messages["state"] == State.SENT]
    if not len(messages):
        return "Nothing was enqueued"
    whose = f"{len(sent):,} of {reading.count(len(messages), 'message')} sent"
    if not len(sent):
        return whose
    took_us = reading.at(sent, "called_at").max() - reading.at(messages, "enqueued_at").min()
    return f"{whose}, the last after {reading.lasted(took_us)}"


def _calls(attempts: pd.DataFrame) -> str:
    """How many calls there were, and of how many outcomes that were not wished for."""
    calls = attempts[attempts["called_at"].notna()]
    others = calls["outcome"][calls["outcome"] != "accepted"].fillna("open").value_counts()
    words = (f"{n:,} {str(outcome).replace('_', ' ')}" for outcome, n in others.items())
    return ", ".join([reading.count(len(calls), "call"), *words])
