"""What pictures read from frames whose columns are those of `waqcore.core.records`."""

import numpy as np
import pandas as pd

from simulations.console import span
from simulations.plots.scale import Floats
from simulations.plots.style import COLOURS
from waqcore.core.instants import SECOND
from waqcore.core.message import State


def at(frame: pd.DataFrame, column: str) -> Floats:
    """A column of instants; nan: there is none. Microseconds since the epoch are exact so."""
    return frame[column].to_numpy(dtype=np.float64, na_value=np.nan)


def due_at(messages: pd.DataFrame) -> Floats:
    """When each message was due first: at its enqueue, or at its `send_at` if that is later."""
    return np.fmax(at(messages, "enqueued_at"), at(messages, "send_at"))


def left_at(messages: pd.DataFrame) -> Floats:
    """When each message left the queue: at its end, or with the call that nobody knows the end of;
    nan: it has not."""
    ended, called = at(messages, "ended_at"), at(messages, "called_at")
    unresolved = (messages["state"] == State.UNKNOWN).to_numpy() & np.isnan(ended)
    return np.where(unresolved, called, ended)


def last_at(*frames: pd.DataFrame) -> float:
    """The last instant at which anything is known to have happened; nan: nothing did."""
    columns = ("enqueued_at", "called_at", "ended_at", "finished_at")
    known = [at(frame, one) for frame in frames for one in columns if one in frame]
    every = np.concatenate(known)
    return float(np.nanmax(every)) if not np.isnan(every).all() else np.nan


def priorities(frame: pd.DataFrame) -> list[str]:
    """Those that are there, in the order they are sent."""
    there = set(frame["priority"].unique())
    return [word for word in COLOURS if word in there]


def lasted(duration_us: float) -> str:
    """A duration as a person says it, never broken over two lines; nan: a dash."""
    return span(duration_us / SECOND).replace(" ", "\N{NO-BREAK SPACE}")


def percent(share: float, digits: int = 1) -> str:
    """A share of 1 in per cent."""
    return f"{100 * share:.{digits}f} %"


def number(n: int) -> str:
    """A number of things that one hopes for none of."""
    return f"{n:,}" if n else "none"


def count(n: int, word: str) -> str:
    """A number of things: `1 message`, `2,000 messages`."""
    return f"{n:,} {word}{'s' * (n != 1)}"


def thinned(n: int, most: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Which of n rows are drawn: all, or `most` of them, evenly spread, the ends among them."""
    if n <= most:
        return np.arange(n)
    return np.linspace(0, n - 1, most).round().astype(np.int64)


def joined(*parts: str) -> str:
    """Parts of what is said under a title; empty ones are left out."""
    return " · ".join(part for part in parts if part)
