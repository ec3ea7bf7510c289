"""How long messages waited: the share called within each time, and what theory says of it."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from simulations.plots import reading, style
from simulations.plots.scale import Floats, durations, mark_log
from simulations.plots.style import Picture
from waqcore.core.instants import SECOND

HEIGHT_IN = 4.2
POINTS_MAX = 4_000
"""Steps of a curve that are drawn, evenly over its messages."""
APART = 20
"""Where one class's longest wait is so many times another's, the axis is logarithmic."""
SHORTEST_US = SECOND
"""Where a logarithmic axis begins; what waited less is at its edge."""
ALL = "all"
"""The class of every message, for theories that know no priorities."""

Theory = Callable[[Floats], Floats] | tuple[Floats, Floats]
"""The probability of waiting no longer than so many seconds: a function, or waits and theirs."""


def waits(
    messages: pd.DataFrame, *, theory: Mapping[str, Theory] | None = None, about: str = ""
) -> Picture:
    """By priority, the share of messages whose first call came within a time of falling due.

    A message that was not called counts as waiting for ever. `theory` is by priority, or for
    `all`: then a curve of all messages is drawn too.
    """
    theory = theory or {}
    classes = _classes(messages, with_all=ALL in theory)
    picture = style.picture(_title(classes), reading.joined(about, _said(theory)), HEIGHT_IN)
    axes = picture.add_subplot()
    style.dress(axes, "wait until the first call (s)", "share of messages called")
    style.shares(axes)
    if all(np.isnan(of).all() for of in classes.values()):
        style.empty(axes, "no message was called" if len(messages) else "no messages")
        return picture
    scale_us = _axis(axes, classes)
    marks: list[tuple[Artist, str]] = []
    for name, of in classes.items():
        colour = style.COLOURS.get(name, style.INK)
        marks.append((_curve(axes, of / scale_us, colour), _words(name, of)))
    for name in theory:
        _overlay(axes, theory[name], scale_us)
    if theory:
        marks.append((Line2D([], [], color=style.INK, linewidth=1.3, linestyle="--"), "theory"))
    axes.set_ylim(-0.03, 1.03)
    style.legend(picture, marks)
    return picture


def _classes(messages: pd.DataFrame, *, with_all: bool) -> dict[str, Floats]:
    """Waits in microseconds by class, sorted; nan: for ever."""
    waited = reading.at(messages, "first_called_at") - reading.due_at(messages)
    word = messages["priority"].to_numpy()
    found = {name: np.sort(waited[word == name]) for name in reading.priorities(messages)}
    return {**found, ALL: np.sort(waited)} if with_all else found


def _title(classes: Mapping[str, Floats]) -> str:
    """The median of each class, if half of it was called."""
    medians = {name: float(of[(len(of) - 1) // 2]) for name, of in classes.items() if len(of)}
    told = [
        f"{name} {reading.lasted(median)}"
        for name, median in medians.items()
        if not np.isnan(median)
    ]
    if not told:
        return "No class has had half of its messages called" if medians else "No messages waited"
    return f"Half were called within: {', '.join(told)}"


def _said(theory: Mapping[str, Theory]) -> str:
    return "time from falling due to the first call" + (", dashed: by theory" if theory else "")


def _axis(axes: Axes, classes: Mapping[str, Floats]) -> float:
    """Set the axis of waits; returns the microseconds of its unit."""
    longest = [float(np.nanmax(of)) for of in classes.values() if not np.isnan(of).all()]
    most = max(*longest, SHORTEST_US) if longest else SHORTEST_US
    if most > APART * max(min(longest), SHORTEST_US):
        mark_log(axes, SHORTEST_US, most)
        axes.set_xlabel("wait until the first call (logarithmic; the unit is at each number)")
        return SECOND
    unit = durations(most)
    axes.set_xlabel(f"wait until the first call ({unit.word})")
    axes.set_xlim(0, 1.02 * most / unit.unit_us)
    return unit.unit_us


def _curve(axes: Axes, of: Floats, colour: str) -> Line2D:
    """The empirical distribution; it ends below 1 where messages were not called."""
    called = of[~np.isnan(of)]
    drawn = reading.thinned(len(called), POINTS_MAX)
    x, y = called[drawn], (drawn + 1) / len(of)
    # From zero at the left, and on to the right edge: the curve is flat beyond its last step.
    x = np.concatenate([[0.0], x, [axes.get_xlim()[1]]])
    y = np.concatenate([[0.0], y, y[-1:] if len(y) else [0.0]])
    (line,) = axes.plot(x, y, color=colour, linewidth=2.0, drawstyle="steps-post")
    return line


def _words(name: str, of: Floats) -> str:
    never = int(np.isnan(of).sum())
    words = f"{name}: {reading.count(len(of), 'message')}"
    return f"{words}, {never:,} not called" if never else words


def _overlay(axes: Axes, theory: Theory, scale_us: float) -> None:
    low, high = axes.get_xlim()
    if callable(theory):
        even = np.geomspace if axes.get_xscale() == "log" else np.linspace
        x: Floats = even(low, high, 600)
        seconds, share = x * scale_us / SECOND, theory(x * scale_us / SECOND)
    else:
        seconds, share = theory
    axes.plot(seconds * SECOND / scale_us, share, color=style.INK, linewidth=1.3, linestyle="--")
