"""How every picture looks: one size, one set of colours, one way to say what it shows.

Everything is set on the artists themselves, so that a notebook's own style, dark or not, changes
nothing. Nothing here is global, and pyplot is never imported.
"""

import io
import textwrap
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter

from simulations.files import write_whole
from waqcore.core.message import Priority

# Colours that the colour-blind tell apart. Source: M. Okabe and K. Ito, "Color Universal Design",
# 2008.
VERMILION, BLUE, GREEN, PURPLE = "#D55E00", "#0072B2", "#009E73", "#CC79A7"
ORANGE, SKY = "#E69F00", "#56B4E9"
INK, QUIET, GRID, PAPER = "#222222", "#5F5F5F", "#DDDDDD", "#FFFFFF"

COLOURS = {
    Priority.BYPASS.word: PURPLE,
    Priority.HIGH.word: VERMILION,
    Priority.NORMAL.word: BLUE,
    Priority.LOW.word: GREEN,
}
"""By a priority's word, in the order they are sent: the same in every picture."""

WIDTH_IN = 9.0
"""A notebook's column."""
DPI_SHOWN, DPI_SAVED = 100, 160
TITLE_SIZE, SAID_SIZE, TEXT_SIZE, SMALL_SIZE = 13.0, 9.5, 9.5, 8.5
_TITLE_LINE, _SAID_LINE = 80, 126
"""Characters that fit into a line."""
_LEGEND_LINE, _MARK = 125, 8
"""The same of a legend, and what a mark takes."""
_TITLE_LINE_IN, _SAID_LINE_IN, _MARGIN_IN = 0.25, 0.18, 0.12


class Picture(Figure):
    """A figure that a notebook shows whether or not it has a plotting backend."""

    def _repr_png_(self) -> bytes:
        return png(self, DPI_SHOWN)


def picture(title: str, said: str, height_in: float) -> Picture:
    """An empty picture under its title and what else is to be said; `height_in` is below them."""
    titles = textwrap.wrap(title, _TITLE_LINE)
    saids = textwrap.wrap(said, _SAID_LINE)
    said_at_in = _MARGIN_IN + _TITLE_LINE_IN * len(titles)
    head_in = said_at_in + _SAID_LINE_IN * len(saids) + _MARGIN_IN
    whole_in = height_in + head_in
    made = Picture(figsize=(WIDTH_IN, whole_in), dpi=DPI_SHOWN, facecolor=PAPER)
    made.set_layout_engine("constrained", rect=(0, 0, 1, height_in / whole_in))
    for lines, at_in, size, weight, colour in (
        (titles, _MARGIN_IN, TITLE_SIZE, "bold", INK),
        (saids, said_at_in, SAID_SIZE, "normal", QUIET),
    ):
        made.text(
            _MARGIN_IN / WIDTH_IN,
            1 - at_in / whole_in,
            "\n".join(lines),
            fontsize=size,
            weight=weight,
            color=colour,
            va="top",
            linespacing=1.25,
        )
    return made


def dress(axes: Axes, x: str, y: str, *, grid: str = "both") -> None:
    """Give axes their labels, quiet lines and, along `x`, `y`, `both` or `none`, a grid."""
    axes.set_facecolor(PAPER)
    axes.set_axisbelow(True)
    axes.set_xlabel(x, color=INK, fontsize=TEXT_SIZE)
    axes.set_ylabel(y, color=INK, fontsize=TEXT_SIZE)
    axes.tick_params(length=0, labelsize=TEXT_SIZE, labelcolor=INK)
    axes.tick_params(axis="x", pad=7)  # Or the first number would touch that of the other axis.
    axes.grid(visible=False)
    for along in ("x", "y"):
        if grid in (along, "both"):
            axes.grid(visible=True, axis=along, color=GRID, linewidth=0.8, linestyle="-")
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(GRID)


def heading(axes: Axes, words: str, colour: str = INK) -> None:
    """Say over axes what they show, where a picture has several."""
    axes.set_title(words, loc="left", fontsize=TEXT_SIZE, weight="bold", color=colour)


def row_heading(axes: Axes, y: float, words: str, colour: str) -> None:
    """Name the rows that follow a height."""
    axes.text(
        0.003,
        y,
        words,
        transform=axes.get_yaxis_transform(),
        color=colour,
        fontsize=SMALL_SIZE,
        weight="bold",
        va="center",
        zorder=4,
    )


def note(axes: Axes, x: float, y: float, words: str, size: float = SMALL_SIZE) -> Text:
    """Write into axes, at shares of their width and height, over whatever is drawn there."""
    box = {"facecolor": PAPER, "edgecolor": "none", "alpha": 0.85, "pad": 1.5}
    return axes.text(
        x,
        y,
        words,
        transform=axes.transAxes,
        color=INK,
        fontsize=size,
        bbox=box,
        ha="right" if x > 0.5 else "left",
        va="top" if y > 0.5 else "bottom",
    )


def empty(axes: Axes, words: str) -> None:
    """Say in axes why nothing is drawn there."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(
        0.5,
        0.5,
        words,
        transform=axes.transAxes,
        ha="center",
        va="center",
        color=QUIET,
        fontsize=TITLE_SIZE,
    )


def counts(axes: Axes) -> None:
    """Have the vertical axis count things: whole numbers, a few of them."""
    axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def shares(axes: Axes) -> None:
    """Have the vertical axis tell shares of 1, in per cent."""
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))


def legend(picture: Figure, marks: Sequence[tuple[Artist, str]]) -> None:
    """Explain marks under the axes, where they cover nothing."""
    if marks:
        picture.legend(
            [mark for mark, _ in marks],
            [words for _, words in marks],
            loc="outside lower left",
            ncols=_columns([len(words) for _, words in marks]),
            fontsize=SMALL_SIZE,
            labelcolor=INK,
            facecolor=PAPER,
            edgecolor="none",
            handletextpad=0.5,
            columnspacing=1.6,
        )


def _columns(lengths: Sequence[int]) -> int:
    """In as many columns as fit; they are filled one after the other."""
    for columns in range(len(lengths), 1, -1):
        rows, longer = divmod(len(lengths), columns)
        ends = [n * rows + min(n, longer) for n in range(columns + 1)]
        widths = (max(lengths[a:b]) + _MARK for a, b in pairwise(ends))
        if sum(widths) <= _LEGEND_LINE:
            return columns
    return 1


def pale(colour: str, share: float = 0.3) -> str:
    """A colour thinned with paper, still solid: a grid must not shine through."""
    red, green, blue = to_rgb(colour)
    paper = 1 - share  # Of each of its three: it is white.
    return to_hex((share * red + paper, share * green + paper, share * blue + paper))


def png(picture: Figure, dpi: int) -> bytes:
    """A picture as a PNG file's content."""
    written = io.BytesIO()
    picture.savefig(written, format="png", dpi=dpi, facecolor=PAPER)
    return written.getvalue()


def save(picture: Figure, path: Path) -> Path:
    """Write a picture as a PNG file, whole or not at all; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, png(picture, DPI_SAVED))
    return path
