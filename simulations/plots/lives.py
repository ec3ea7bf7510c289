"""What becomes of each message, drawn in its row: waiting, every call, and an end without one."""

from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from simulations.legacy import LOST
from simulations.plots import reading, style
from simulations.plots.rows import Rows
from simulations.plots.scale import Floats, Instants
from waqcore.core.message import State

TIMED_MAX = 20
"""As many rows have their send times written out."""

Explained = list[tuple[Artist, str]]
"""What a legend has to say."""


class Mark(NamedTuple):
    """How something that happens to a message at an instant is drawn."""

    words: str
    marker: str
    edge: str
    face: str | None
    """None: the priority's colour."""
    size: float
    """Against that of other marks."""


CALLS = {
    ("accepted",): Mark("call accepted", "o", style.PAPER, None, 1.0),
    ("not_sent", "rejected"): Mark("call failed", "X", style.PAPER, style.INK, 1.15),
    ("unknown",): Mark("outcome unknown", "X", style.INK, style.PAPER, 1.0),
    ("refused", "unreachable", "sender_down"): Mark(
        "turned away, not counted", "o", style.INK, style.PAPER, 0.85
    ),
}
"""By outcome; all but `not_called`, of which the gateway never saw anything."""
OPEN = Mark("no answer yet", "D", style.INK, style.PAPER, 0.8)
UNSENT = Mark("ended without being sent", "s", style.INK, "none", 1.6)
GONE = Mark("lost in an enqueue", "v", style.PAPER, style.INK, 1.5)
_ABOVE = {CALLS["accepted",]: 4, GONE: 5}
"""What no other mark may hide; those are at 3."""
WAITING_STATES = (State.QUEUED, State.SENDING)
UNSENT_STATES = (State.FAILED, State.UNKNOWN, State.CANCELLED, State.EXPIRED)


class Lives(NamedTuple):
    """The instants of each row's message in microseconds since the epoch; nan: none."""

    enqueued: Floats
    due: Floats
    first_call: Floats
    last_call: Floats
    ended: Floats
    end_at: float
    """Where the picture ends."""


def lives(placed: Rows, end_at: float) -> Lives:
    """The instants of the messages that are drawn."""
    shown = placed.messages
    return Lives(
        enqueued=reading.at(shown, "enqueued_at"),
        due=reading.due_at(shown),
        first_call=reading.at(shown, "first_called_at"),
        last_call=reading.at(shown, "called_at"),
        ended=reading.at(shown, "ended_at"),
        end_at=end_at,
    )


def draw(
    axes: Axes, placed: Rows, attempts: pd.DataFrame, scale: Instants, end_at: float
) -> Explained:
    """Draw messages in their rows, up to an instant; returns what a legend has to explain."""
    of = lives(placed, end_at)
    placed.frame(axes)
    if placed.named:
        _words(axes, placed, of, scale)
    return [
        *_waiting(axes, placed, of, scale),
        *_between_calls(axes, placed, of, scale),
        *_calls(axes, placed, attempts, scale),
        *_ends(axes, placed, of, scale),
    ]


def _waiting(axes: Axes, placed: Rows, of: Lives, scale: Instants) -> Explained:
    """From falling due to the first call, or to an end without one."""
    lost = (placed.messages["state"] == LOST).to_numpy()
    until = np.where(np.isnan(of.first_call), of.ended, of.first_call)
    until = np.where(np.isnan(until), of.end_at, until)
    drawn = ~lost & (until > of.due)
    later = ~lost & (of.due > of.enqueued)
    x, ends, y = scale.of(of.enqueued), scale.of(until), placed.y
    due = scale.of(np.fmin(of.due, until))
    # Lines of a shape reach over each other, or the paper would shine through between them.
    width = 0.55 * placed.pitch if placed.named else 1.1 * placed.pitch + 0.4
    explained: Explained = []
    if drawn.any():
        pale = _colours(placed.messages[drawn], pale=True)
        axes.hlines(y[drawn], due[drawn], ends[drawn], colors=pale, linewidth=width)
        explained.append((Patch(facecolor=style.GRID), "waits for its first call"))
    if later.any():
        own = _colours(placed.messages[later])
        axes.hlines(y[later], x[later], due[later], colors=own, linewidth=1.2, linestyles="dotted")
        explained.append((_line("dotted"), "not due yet"))
    return explained


def _between_calls(axes: Axes, placed: Rows, of: Lives, scale: Instants) -> Explained:
    """From the first call to the last one, or on, where another is to come."""
    to_come = placed.messages["state"].isin(WAITING_STATES).to_numpy()
    until = np.where(to_come, of.end_at, of.last_call)
    drawn = until > of.first_call
    if not drawn.any():
        return []
    start, end, y = scale.of(of.first_call[drawn]), scale.of(until[drawn]), placed.y[drawn]
    width = min(1.2, max(0.4, 0.25 * placed.pitch))
    axes.hlines(y, start, end, colors=_colours(placed.messages[drawn]), linewidth=width)
    return [(_line("solid"), "waits to be called again")]


def _calls(axes: Axes, placed: Rows, attempts: pd.DataFrame, scale: Instants) -> Explained:
    heights = pd.Series(placed.y, index=placed.messages["id"].to_numpy())
    y = attempts["message_id"].map(heights).to_numpy(dtype=np.float64, na_value=np.nan)
    x = scale.of(reading.at(attempts, "called_at"))
    there = ~np.isnan(y) & ~np.isnan(x)
    explained: Explained = []
    open_ = attempts["outcome"].isna().to_numpy()
    kinds = [(attempts["outcome"].isin(words).to_numpy(), mark) for words, mark in CALLS.items()]
    for which, mark in (*kinds, (open_, OPEN)):
        drawn = there & which
        if drawn.any():
            _scatter(axes, x[drawn], y[drawn], mark, placed, _colours(attempts[drawn]))
            explained.append((_sample(mark), mark.words))
    return explained


def _ends(axes: Axes, placed: Rows, of: Lives, scale: Instants) -> Explained:
    """Ends that are no accepted call: boxes around the last call, or where there was none."""
    state = placed.messages["state"]
    at = np.where(np.isnan(of.last_call), of.ended, of.last_call)
    unsent = state.isin(UNSENT_STATES).to_numpy() & ~np.isnan(at)
    lost = (state == LOST).to_numpy()
    explained: Explained = []
    for drawn, x, mark in ((unsent, at, UNSENT), (lost, of.enqueued, GONE)):
        if drawn.any():
            _scatter(axes, scale.of(x[drawn]), placed.y[drawn], mark, placed, [])
            explained.append((_sample(mark), mark.words))
    return explained


def _words(axes: Axes, placed: Rows, of: Lives, scale: Instants) -> None:
    """Beside named rows: when they were sent, or how they stand instead."""
    state = placed.messages["state"]
    timed = len(state) <= TIMED_MAX and scale.utc_offset_us is None
    stopped = np.where(np.isnan(of.last_call), of.ended, of.last_call)
    stopped = np.where(state == LOST, of.enqueued, stopped)
    stopped = np.where(state.isin(WAITING_STATES) | np.isnan(stopped), of.end_at, stopped)
    for y, x, word in zip(placed.y, scale.of(stopped), state, strict=True):
        sent = f"{x:.1f}" if timed else ""
        axes.annotate(
            sent if word == State.SENT else word,
            (x, y),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=style.SMALL_SIZE,
            color=style.INK,
        )


def _scatter(
    axes: Axes,
    x: Floats,
    y: NDArray[np.floating],
    mark: Mark,
    placed: Rows,
    colours: list[str],
) -> None:
    points = max(mark.size * min(8.0, 0.6 * placed.pitch), 2.2 if mark.face is None else 3.8)
    axes.scatter(
        x,
        y,
        s=points**2,
        marker=mark.marker,
        c=mark.face if mark.face is not None else colours,
        edgecolors=mark.edge,
        linewidths=0.8 if placed.named or mark.edge == style.INK else 0.0,
        zorder=_ABOVE.get(mark, 3),
    )


def _colours(rows: pd.DataFrame, *, pale: bool = False) -> list[str]:
    found = {word: style.pale(own) if pale else own for word, own in style.COLOURS.items()}
    return [found[word] for word in rows["priority"]]


def _line(linestyle: Literal["solid", "dotted"]) -> Line2D:
    return Line2D([], [], color=style.QUIET, linewidth=1.2, linestyle=linestyle)


def _sample(mark: Mark) -> Line2D:
    face = style.QUIET if mark.face is None else mark.face
    size = 6.5 * mark.size**0.5
    return Line2D([], [], linewidth=0, marker=mark.marker, markersize=size, mec=mark.edge, mfc=face)
