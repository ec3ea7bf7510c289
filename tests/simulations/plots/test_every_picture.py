"""What every picture keeps to: words, units, room for all of them, one style."""

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import matplotlib as mpl
import matplotlib.style
import pandas as pd
import pytest
from matplotlib.axis import Axis
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from simulations import plots
from simulations.plots import Picture
from tests.simulations.plots.handmade import ATTEMPTS, MESSAGES, texts, title, words
from waqcore.core.instants import SECOND

INTERVALS = pd.DataFrame(
    [
        {"pace": pace, "senders": n, "measure": "last_s", "mean": 9.0 * pace / n, "n": 4}
        for pace in (8, 10, 12)
        for n in (1, 2)
    ]
).assign(low=lambda frame: frame["mean"] - 1, high=lambda frame: frame["mean"] + 1)

Draw = Callable[[pd.DataFrame, pd.DataFrame], Picture]

DRAWN: dict[str, Draw] = {
    "timeline": lambda m, a: plots.timeline(m, a),
    "queue_length": lambda m, _: plots.queue_length(m),
    "waits": lambda m, _: plots.waits(m, theory={"high": lambda wait: wait / 60}),
    "eta_fan": lambda m, _: plots.eta_fan(m),
    "calibration": lambda m, _: plots.calibration(m),
    "gaps": lambda _, a: plots.gaps(a, 10 * SECOND),
    "deviation": lambda _, a: plots.deviation({"as they were": _calls(a)}),
    "old_and_new": lambda m, a: plots.old_and_new((m, a), (m, a)),
    "heatmap": lambda m, _: plots.heatmap(INTERVALS[: len(m)], "last_s", "pace", "senders"),
}


def _calls(attempts: pd.DataFrame) -> pd.DataFrame:
    """Calls that the model makes 12 ms later."""
    made = attempts[attempts["called_at"].notna()]
    return made.assign(off_s=0.012)


MANY = pd.concat(
    [MESSAGES.assign(id=MESSAGES["id"] + f"-{n}", seq=MESSAGES["seq"] + 6 * n) for n in range(20)]
)

NOTHING = ("no messages", "no two calls", "no calls", "no runs")

everyone = pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)


def written(picture: Picture) -> list[tuple[str, Bbox]]:
    """Every text that can be seen, and where it is."""
    picture.draw_without_rendering()
    beyond = {id(label) for axes in picture.axes for label in _not_drawn(axes.xaxis, axes.yaxis)}
    return [
        (one.get_text(), one.get_window_extent())
        for one in texts(picture)
        if one.get_text().strip() and one.get_visible() and id(one) not in beyond
    ]


def _not_drawn(*both: Axis) -> list[Text]:
    """Labels of ticks that lie outside the axes, or are switched off."""
    found = []
    for axis in both:
        low, high = sorted(axis.get_view_interval())
        for tick in axis.get_major_ticks():
            if not low <= tick.get_loc() <= high:
                found += [tick.label1, tick.label2]
    return found


@everyone
def test_a_picture_says_what_it_shows_and_names_its_axes(draw: Draw) -> None:
    picture = draw(MESSAGES, ATTEMPTS)

    assert title(picture)
    assert all(axes.get_ylabel() for axes in picture.axes)
    assert picture.axes[-1].get_xlabel() or picture.axes[-1].get_label() == "<colorbar>"


@everyone
@pytest.mark.parametrize("m", [MESSAGES, MANY], ids=["few", "many"])
def test_no_words_are_cut_off_or_upon_each_other(draw: Draw, m: pd.DataFrame) -> None:
    picture = draw(m, ATTEMPTS)

    found = written(picture)

    page = picture.bbox.padded(1)
    assert [text for text, box in found if not page.contains(box.x0, box.y0)] == []
    assert [text for text, box in found if not page.contains(box.x1, box.y1)] == []
    pairs = [(a, b) for (a, p), (b, q) in combinations(found, 2) if p.padded(-1).overlaps(q)]
    assert pairs == []


@everyone
def test_a_picture_of_nothing_says_so(draw: Draw) -> None:
    picture = draw(MESSAGES[:0], ATTEMPTS[:0])

    assert title(picture)
    assert any(word in words(picture) for word in NOTHING)
    assert written(picture)


@everyone
def test_a_notebook_s_dark_style_changes_nothing(draw: Draw) -> None:
    usual = draw(MESSAGES, ATTEMPTS)._repr_png_()

    with matplotlib.style.context(["dark_background", {"savefig.facecolor": "black"}]):
        dark = draw(MESSAGES, ATTEMPTS)._repr_png_()

    assert dark == usual


def test_no_picture_leaves_a_setting_behind() -> None:
    before = dict(mpl.rcParams)

    for draw in DRAWN.values():
        draw(MESSAGES, ATTEMPTS)

    assert dict(mpl.rcParams) == before


def test_a_picture_is_as_wide_as_a_notebook_and_light() -> None:
    picture = plots.timeline(MESSAGES, ATTEMPTS)

    assert picture.get_size_inches()[0] == 9.0
    assert picture.get_facecolor() == (1.0, 1.0, 1.0, 1.0)


def test_a_picture_is_saved_as_png_in_a_folder_that_is_made(tmp_path: Path) -> None:
    path = plots.save(plots.gaps(ATTEMPTS, 10 * SECOND), tmp_path / "new" / "gaps.png")

    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert list(path.parent.iterdir()) == [path]
