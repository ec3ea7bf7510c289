"""The run as a picture: who waited how long, when each message reached the gateway, every gap."""

import textwrap
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from loadtests.demo.judgement import Judgement, Reached
from loadtests.demo.record import HIGH

# Colours that the colour-blind tell apart. Source: M. Okabe and K. Ito, "Color Universal Design",
# 2008.
_LINK, _ACTIVATION = "#D55E00", "#0072B2"
_PALE = {_LINK: "#F5CCB3", _ACTIVATION: "#B3D5E8"}  # Solid: the grid must not shine through.
_INK, _QUIET, _GRID = "#222222", "#666666", "#DDDDDD"
_SIZE_IN = (10.0, 6.0)
_DPI = 200  # Text is legible at half this size, 1,000 pixels wide.
_LINE = 100  # Characters that fit under the title.
_GROUP_GAP = 1.3  # Rows between the two priorities, room for a heading.


def save(judgement: Judgement, file: Path) -> None:
    """Draw a judgement into a PNG file."""
    draw(judgement).savefig(file, dpi=_DPI)


def draw(judgement: Judgement) -> Figure:
    """Draw a judgement: one row a message, first the payment links, then the activations."""
    figure = Figure(figsize=_SIZE_IN)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.085, 0.10, 0.895, 0.74))
    rows = _rows(judgement.reached)
    _slots(axes, judgement)
    for y, one in rows:
        _message(axes, y, one, judgement.pace_s)
    _headings(axes, rows)
    _gaps(axes, judgement, y=_gaps_at(rows))
    _frame(axes, rows, judgement)
    _words(figure, judgement)
    return figure


def _rows(reached: Sequence[Reached]) -> list[tuple[float, Reached]]:
    """The messages with their heights, from above."""
    links = [one for one in reached if one.message.priority == HIGH]
    others = [one for one in reached if one.message.priority != HIGH]
    below = len(links) + _GROUP_GAP
    return [(float(n), one) for n, one in enumerate(links)] + [
        (below + n, one) for n, one in enumerate(others)
    ]


def _gaps_at(rows: Sequence[tuple[float, Reached]]) -> float:
    """The height of the line of gaps, under the last message."""
    return max(y for y, _ in rows) + 1.2


def _colour(one: Reached) -> str:
    return _LINK if one.message.priority == HIGH else _ACTIVATION


def _slots(axes: Axes, judgement: Judgement) -> None:
    for one in judgement.reached:
        axes.axvline(one.due_s, color=_GRID, linewidth=1.0, zorder=0)


def _message(axes: Axes, y: float, one: Reached, pace_s: float) -> None:
    queued_s, eta_s, colour = one.message.queued_s, one.message.eta_s, _colour(one)
    if queued_s is not None and one.calls_s:
        waited_s = one.calls_s[0] - queued_s
        axes.barh(y, waited_s, left=queued_s, height=0.5, color=_PALE[colour], zorder=1)
    for at_s in one.calls_s:
        axes.plot(at_s, y, "o", markersize=10, color=colour, zorder=2)
    if eta_s is not None:
        axes.plot(eta_s, y, "D", markersize=4, color="white", markeredgecolor=_INK, zorder=3)
    words = ", ".join(f"{at_s:.2f}" for at_s in one.calls_s) or "never arrived"
    right = one.calls_s[-1] if one.calls_s else one.due_s
    axes.text(right + 0.14 * pace_s, y, words, color=_INK, fontsize=9, va="center")


def _headings(axes: Axes, rows: Sequence[tuple[float, Reached]]) -> None:
    for word, colour, wanted in (
        ("payment links (high)", _LINK, True),
        ("activations (normal)", _ACTIVATION, False),
    ):
        top = min((y for y, one in rows if (one.message.priority == HIGH) is wanted), default=None)
        if top is not None:
            axes.text(0.0, top - 0.62, word, color=colour, fontsize=10, weight="bold")


def _gaps(axes: Axes, judgement: Judgement, *, y: float) -> None:
    """Write every gap between the two calls it lies between."""
    calls_s = sorted(at_s for one in judgement.reached for at_s in one.calls_s)
    for before, after in pairwise(calls_s):
        axes.annotate(
            "",
            (before, y),
            (after, y),
            arrowprops={"arrowstyle": "|-|, widthA=0.25, widthB=0.25", "color": _QUIET},
        )
        axes.text(
            (before + after) / 2,
            y - 0.2,
            f"{after - before:.3f}",
            fontsize=8.5,
            color=_INK,
            ha="center",
            va="bottom",
        )


def _frame(axes: Axes, rows: Sequence[tuple[float, Reached]], judgement: Judgement) -> None:
    pace_s = judgement.pace_s
    due = [one.due_s for one in judgement.reached]
    last = max([*due, *(at_s for one in judgement.reached for at_s in one.calls_s)])
    axes.set_xlim(-0.12 * pace_s, last + 0.95 * pace_s)
    axes.set_ylim(_gaps_at(rows) + 0.4, -1.15)
    axes.set_xticks(due, [f"{at:g}" for at in due])
    heights = {y: one.message.user for y, one in rows} | {_gaps_at(rows): "gaps (s)"}
    axes.set_yticks(list(heights), list(heights.values()))
    axes.set_xlabel("seconds after the first registration", color=_INK, fontsize=10)
    axes.tick_params(length=0, labelsize=10, labelcolor=_INK)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_GRID)
    _legend(axes)


def _legend(axes: Axes) -> None:
    """In the corner that stays free: payment links go first."""
    waits = Patch(facecolor=_PALE[_LINK])
    reaches = Line2D([], [], linewidth=0, marker="o", markersize=10, color=_LINK)
    eta = Line2D([], [], linewidth=0, marker="D", markersize=4, color="white", mec=_INK)
    axes.legend(
        [waits, reaches, eta],
        ["waits for its turn", "reaches the gateway", "its ETA when it was queued"],
        loc="upper right",
        fontsize=9,
        edgecolor=_GRID,
        framealpha=1.0,
        labelcolor=_INK,
    )


def _words(figure: Figure, judgement: Judgement) -> None:
    left = 0.085
    title = f"Ten messages, one sender, at most one call every {judgement.pace_s:g} s"
    figure.text(left, 0.935, title, fontsize=14, weight="bold", color=_INK)
    figure.text(left, 0.885, _said(judgement), fontsize=10.5, color=_QUIET)


def _said(judgement: Judgement) -> str:
    verdict, gap_s = judgement.verdict, judgement.smallest_gap_s
    if judgement.problems:
        return textwrap.shorten(
            f"Not clean: {'; '.join(judgement.problems)}", _LINE, placeholder="…"
        )
    gap = "" if gap_s is None else f"; smallest gap {gap_s:.3f} s"
    return (
        f"By the gateway's log {verdict.calls} calls, {verdict.delivered} delivered, "
        f"none lost or doubled{gap}"
    )
