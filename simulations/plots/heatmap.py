"""One measure of a sweep over two settings, its mean written into each cell."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from simulations.plots import style
from simulations.plots.scale import Floats, durations
from simulations.plots.style import Picture
from waqcore.core.instants import SECOND

ROW_IN, AXIS_IN = 0.55, 0.9
COLOURS = "cividis"
"""Even to the eye, that of the colour-blind too. Source: J. R. Nuñez, C. R. Anderton and
R. S. Renslow, "Optimizing colormaps with consideration for color vision deficiency", PLoS ONE 13,
2018."""
WRITTEN_MAX = 20
"""Columns in whose cells a number still fits."""
HALF_WIDTH_MAX = 9
"""Columns in whose cells the half width of its interval fits beside it."""
DARK = 0.45
"""Below this share of the colours, what is written on them is white."""
WORDS = {
    "messages": "messages",
    "calls": "gateway calls",
    "last_high_s": "time to the last payment link",
    "last_s": "time to the last message",
    "smallest_gap_s": "smallest gap",
    "mser5_cut": "warm-up by MSER-5",
}
"""What measures are called that are not named in words."""
STATISTICS = {"mean": "mean", "p50": "median", "p95": "95th percentile", "max": "longest"}


class Cells(NamedTuple):
    """What a heatmap shows; a row a value of `y`, a column a value of `x`."""

    x: list[object]
    y: list[object]
    mean: Floats
    half: Floats
    """Half the width of the 95 % interval; nan: of one replication there is none."""


def heatmap(
    intervals: pd.DataFrame, measure: str, x: str, y: str | None = None, *, about: str = ""
) -> Picture:
    """A measure's means by the settings `x` and `y`; without `y` there is one row.

    `intervals` are a sweep's: settings, `measure`, `mean`, `low`, `high`, `n`. A cell says half the
    width of its 95 % interval too, where there is room.

    Raises:
        ValueError: another setting varies as well, so that a cell would have several means.
    """
    of = intervals[intervals["measure"] == measure]
    cells = _cells(of, x, y)
    cells, unit = _in_units(cells, measure)
    title = (
        f"{words(measure)}{f' ({unit})' if unit else ''}, by {x if y is None else f'{x} and {y}'}"
    )
    height_in = ROW_IN * max(2, len(cells.y)) + AXIS_IN
    picture = style.picture(title[0].upper() + title[1:], about, height_in)
    axes = picture.add_subplot()
    style.dress(axes, _setting(x), "" if y is None else _setting(y), grid="none")
    if np.isnan(cells.mean).all():
        style.empty(axes, "no runs" if not len(of) else f"no run has a value of {measure}")
        return picture
    colours = _draw(axes, cells, unit)
    if np.nanmax(cells.mean) > np.nanmin(cells.mean):
        _scale(picture, axes, colours, unit)
    return picture


def _scale(picture: Picture, axes: Axes, colours: ScalarMappable, unit: str) -> None:
    bar = picture.colorbar(colours, ax=axes, pad=0.02, fraction=0.05)
    bar.set_label(unit or "number", color=style.INK, fontsize=style.TEXT_SIZE)
    bar.ax.tick_params(length=0, labelsize=style.SMALL_SIZE, labelcolor=style.INK)
    bar.outline.set_visible(False)


def words(measure: str) -> str:
    """What a measure of `summary.NAMES` is called: `wait of high messages, 95th percentile`."""
    priority, wait, statistic = measure.removesuffix("_s").partition("_wait_")
    if wait:
        return f"wait of {priority} messages, {STATISTICS.get(statistic, statistic)}"
    priority, sent, _ = measure.partition("_sent")
    return WORDS.get(measure, f"{priority} messages sent" if sent else f"messages {measure}")


def _cells(of: pd.DataFrame, x: str, y: str | None) -> Cells:
    others = set(of.columns) - {x, y, "measure", "mean", "low", "high", "n"}
    varying = sorted(name for name in others if of[name].nunique() > 1)
    if varying:
        raise ValueError(f"choose one value of {', '.join(varying)}: a cell has room for one mean")
    columns = list(of[x].unique()) if len(of) else []
    lines = list(of[y].unique()) if len(of) and y is not None else [None]
    mean = np.full((len(lines), len(columns)), np.nan)
    half = mean.copy()
    for row in of.to_dict("records"):
        at = lines.index(row[y]) if y is not None else 0, columns.index(row[x])
        mean[at], half[at] = row["mean"], row["high"] - row["mean"]
    return Cells(columns, lines, mean, half)


def _in_units(cells: Cells, measure: str) -> tuple[Cells, str]:
    """The cells in a unit that suits them, and its name; a count has none."""
    if not measure.endswith("_s") or np.isnan(cells.mean).all():
        return cells, ""
    unit = durations(float(np.nanmax(cells.mean)) * SECOND)
    factor = SECOND / unit.unit_us
    return cells._replace(mean=cells.mean * factor, half=cells.half * factor), unit.word


def _draw(axes: Axes, cells: Cells, unit: str) -> ScalarMappable:
    low, high = float(np.nanmin(cells.mean)), float(np.nanmax(cells.mean))
    norm = Normalize(low, high if high > low else low + 1)
    drawn = axes.imshow(cells.mean, COLOURS, norm=norm, aspect="auto", origin="lower")
    axes.set_xticks(range(len(cells.x)), [f"{value}" for value in cells.x])
    axes.set_yticks(range(len(cells.y)), ["" if v is None else f"{v}" for v in cells.y])
    axes.set_facecolor(style.GRID)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if len(cells.x) <= WRITTEN_MAX:
        _write(axes, cells, norm, whole=not unit and _whole(cells.mean))
    return drawn


def _write(axes: Axes, cells: Cells, norm: Normalize, *, whole: bool) -> None:
    """Write the numbers; `whole`: they are whole numbers, all of them."""
    beside = len(cells.x) <= HALF_WIDTH_MAX
    for (row, column), mean in np.ndenumerate(cells.mean):
        half = float(cells.half[row, column])
        axes.text(
            column,
            row,
            _number(mean, half, whole=whole, beside=beside),
            ha="center",
            va="center",
            color=style.PAPER if float(norm(mean)) < DARK else style.INK,
            fontsize=style.TEXT_SIZE if beside else style.SMALL_SIZE - 1,
        )


def _whole(means: Floats) -> bool:
    known = means[~np.isnan(means)]
    return bool(np.all(known == known.round()))


def _number(mean: float, half: float, *, whole: bool, beside: bool) -> str:
    """A mean, and below it half its interval's width, unless it is nothing to speak of."""
    if np.isnan(mean):
        return "none"
    digits = 0 if whole or abs(mean) >= 100 else 1 if abs(mean) >= 10 else 2
    written = f"{mean:,.{digits}f}"
    finer = digits if round(half, digits) > 0 else 2
    told = beside and round(half, finer) > 0
    return f"{written}\n± {half:,.{finer}f}" if told else written


def _setting(name: str) -> str:
    return f"{name.removesuffix('_s')} (s)" if name.endswith("_s") or name == "pace" else name
