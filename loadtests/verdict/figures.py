"""How every plot looks: an SVG that takes its inks from the page, so that it suits light and dark.

Plots are drawn with sentinel colours that no plot uses, which are replaced by the page's CSS
variables in the SVG's text.
"""

import io
import re

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Sentinels, and what the page calls them.
INK, QUIET, GRID = "#010203", "#040506", "#070809"
_ON_PAGE = {INK: "var(--ink)", QUIET: "var(--quiet)", GRID: "var(--line)"}

# Colours that the colour-blind tell apart, and that show on white and on near-black.
# Source: M. Okabe and K. Ito, "Color Universal Design", 2008.
VERMILION, BLUE, GREEN, PURPLE, ORANGE, SKY = (
    "#D55E00",
    "#3A8FD1",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
)
BY_PRIORITY = {"bypass": PURPLE, "high": VERMILION, "normal": BLUE, "low": GREEN}
IN_TURN = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)

_SIZE_IN = (5.2, 2.9)
"""Narrow enough that its text can still be read at a phone's width."""
_ABSOLUTE = re.compile(r' width="[\d.]+pt" height="[\d.]+pt"')


def axes(x: str, y: str) -> tuple[Figure, Axes]:
    """An empty plot with its axes named."""
    figure = Figure(figsize=_SIZE_IN, layout="constrained")
    plot = figure.add_subplot()
    figure.patch.set_alpha(0.0)
    plot.patch.set_alpha(0.0)
    plot.set_xlabel(x, color=INK, fontsize=11)
    plot.set_ylabel(y, color=INK, fontsize=11)
    plot.tick_params(colors=QUIET, labelsize=10)
    plot.grid(visible=True, color=GRID, linewidth=0.8)
    plot.set_axisbelow(True)
    for side, spine in plot.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(QUIET)
    return figure, plot


def legend(plot: Axes) -> None:
    """Name what has a label, where there is room above the plot."""
    handles, labels = plot.get_legend_handles_labels()
    if handles:
        plot.legend(
            handles,
            labels,
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=4,
            fontsize=10,
            frameon=False,
            labelcolor=INK,
            handlelength=1.2,
            columnspacing=1.0,
        )


def svg(figure: Figure, title: str) -> str:
    """The plot as a piece of a page; *title* is what a screen reader says."""
    written = io.StringIO()
    # Text stays text: smaller, and the page's own font.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": title}):
        figure.savefig(written, format="svg", metadata={"Date": None, "Title": title})
    drawn = written.getvalue()
    drawn = _ABSOLUTE.sub(' role="img"', drawn[drawn.index("<svg") :], count=1)
    for sentinel, name in _ON_PAGE.items():
        drawn = drawn.replace(sentinel, name)
    return drawn
