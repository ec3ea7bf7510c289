import numpy as np
import pandas as pd
import pytest

from simulations import plots
from simulations.plots.heatmap import words as called
from simulations.summary import NAMES
from tests.simulations.plots.handmade import title, words


def intervals(*rows: tuple[int, int, float, float]) -> pd.DataFrame:
    """A sweep's: pace, senders, mean and half width."""
    return pd.DataFrame(
        [
            {
                "policy.pace_s": pace,
                "senders": senders,
                "measure": "high_wait_p95_s",
                "mean": mean,
                "low": mean - half,
                "high": mean + half,
                "n": 4,
            }
            for pace, senders, mean, half in rows
        ]
    )


FOUR = intervals((8, 1, 1_200, 6), (8, 2, 600, 0.6), (10, 1, 1_500, np.nan), (10, 2, 900, 60))


def cells(picture: plots.Picture) -> dict[tuple[float, float], str]:
    """What is written where."""
    return {text.get_position(): text.get_text() for text in picture.axes[0].texts}


def test_each_cell_has_its_mean_and_half_its_interval_in_a_unit_that_suits() -> None:
    picture = plots.heatmap(FOUR, "high_wait_p95_s", "policy.pace_s", "senders", about="a sweep")

    assert cells(picture) == {
        (0, 0): "20.0\n± 0.1",
        (0, 1): "10.0\n± 0.01",
        (1, 0): "25.0",
        (1, 1): "15.0\n± 1.0",
    }
    assert title(picture) == (
        "Wait of high messages, 95th percentile (min), by policy.pace_s and senders"
    )
    axes, bar = picture.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("policy.pace (s)", "senders")
    assert [label.get_text() for label in axes.get_xticklabels()] == ["8", "10"]
    assert bar.get_ylabel() == "min"


def test_one_setting_makes_one_row() -> None:
    picture = plots.heatmap(FOUR[FOUR["senders"] == 1], "high_wait_p95_s", "policy.pace_s")

    assert cells(picture) == {(0, 0): "20.0\n± 0.1", (1, 0): "25.0"}


def test_a_cell_without_a_value_says_so_and_a_grid_without_any_too() -> None:
    some = intervals((8, 1, np.nan, np.nan), (10, 1, 5, np.nan))

    assert cells(plots.heatmap(some, "high_wait_p95_s", "policy.pace_s"))[0, 0] == "none"
    none = plots.heatmap(some[:1], "high_wait_p95_s", "policy.pace_s")
    assert "no run has a value of high_wait_p95_s" in words(none)


def test_equal_cells_have_one_colour_and_no_scale() -> None:
    flat = intervals((8, 1, 5, np.nan), (10, 1, 5, np.nan))

    assert len(plots.heatmap(flat, "high_wait_p95_s", "policy.pace_s").axes) == 1


def test_a_wide_grid_has_colours_alone() -> None:
    wide = intervals(*((n, 1, n, np.nan) for n in range(1, 22)))

    assert cells(plots.heatmap(wide, "high_wait_p95_s", "policy.pace_s")) == {}


def test_a_third_setting_that_varies_is_refused() -> None:
    with pytest.raises(ValueError, match="choose one value of senders"):
        plots.heatmap(FOUR, "high_wait_p95_s", "policy.pace_s")


def test_every_measure_has_words() -> None:
    assert [called(name) for name in NAMES if "_" in called(name)] == []
    assert called("low_sent") == "low messages sent"
    assert called("messages") == "messages"
    assert called("failed") == "messages failed"
