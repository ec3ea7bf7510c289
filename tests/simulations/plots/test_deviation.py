"""Dots are where the model was off, and the title says by how much at most."""

import numpy as np
import pandas as pd

from simulations import plots
from tests.simulations.plots.handmade import said, title, us


def _calls(*off_s: float) -> pd.DataFrame:
    return pd.DataFrame(
        {"called_at": [us(10.0 * n) for n in range(len(off_s))], "off_s": list(off_s)}
    )


def test_every_call_is_a_dot_and_the_title_tells_the_largest_deviation() -> None:
    picture = plots.deviation({"own": _calls(0.0, -0.012, 0.004)}, about="three calls")

    (dots,) = [line for line in picture.axes[0].lines if line.get_marker() == "."]
    assert np.asarray(dots.get_xdata()).tolist() == [0.0, 10.0, 20.0]
    assert np.asarray(dots.get_ydata()).tolist() == [0.0, -12.0, 4.0]
    assert title(picture) == "3 calls: the model is off by 12 ms at most"
    assert said(picture) == "three calls"


def test_a_deviation_beyond_the_bar_is_inside_the_picture() -> None:
    picture = plots.deviation({"own": _calls(0.3)})

    low, high = picture.axes[0].get_ylim()
    assert low < -300 < 300 < high


def test_no_calls_in_common_are_said_to_be_none() -> None:
    assert title(plots.deviation({"own": _calls()})) == "Nothing to compare"


def test_of_two_replays_the_title_tells_the_larger_deviation() -> None:
    picture = plots.deviation({"own": _calls(0.3, 0.1), "one": _calls(0.0, -0.2)})

    assert title(picture) == "2 calls: the model is off by 300 ms at most"
