import numpy as np
import pytest
from matplotlib.figure import Figure

from simulations.plots.scale import durations, instants, mark_log, step
from waqcore.core.instants import DAY, HOUR, MINUTE, SECOND

NOON = 20_000 * DAY + 12 * HOUR


@pytest.mark.parametrize(
    ("longest_us", "word"),
    [
        (0, "s"),
        (3 * MINUTE - 1, "s"),
        (3 * MINUTE, "min"),
        (3 * HOUR - 1, "min"),
        (3 * HOUR, "h"),
        (float("nan"), "s"),
    ],
)
def test_a_duration_s_unit_suits_the_longest(longest_us: float, word: str) -> None:
    assert durations(longest_us).word == word


def test_instants_are_counted_from_the_first_and_told_by_the_clock_from_three_hours_on() -> None:
    seconds = instants(NOON, NOON + MINUTE)
    minutes = instants(NOON, NOON + HOUR)
    clock = instants(NOON, NOON + 3 * HOUR, utc_offset_us=HOUR)

    assert seconds.label == "seconds since the first enqueue"
    assert seconds.of(np.array([NOON + 1_500_000.0])) == [1.5]
    assert minutes.of(np.array([NOON + 90.0 * SECOND])) == [1.5]
    assert clock.of(np.array([float(NOON)])) == [13]
    assert clock.label == "clock time on 4 Oct 2024 (UTC+01:00)"


def test_a_clock_over_midnight_tells_the_day() -> None:
    figure = Figure()
    axes = figure.add_subplot()

    clock = instants(NOON, NOON + DAY)
    clock.mark(axes, NOON, NOON + DAY)
    figure.draw_without_rendering()

    assert clock.label == "clock time (UTC)"
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert {"12:00\n4 Oct", "00:00\n5 Oct", "12:00\n5 Oct"} <= set(labels)


@pytest.mark.parametrize(("span", "expected"), [(8, 1), (9, 1), (10, 2), (100, 15), (600, 90)])
def test_ticks_are_at_round_numbers_and_few(span: float, expected: float) -> None:
    assert step(span, (1, 2, 5, 10, 15, 20, 30)) == expected


def test_a_logarithmic_axis_names_durations_as_people_do() -> None:
    axes = Figure().add_subplot()

    mark_log(axes, SECOND, 2 * HOUR)

    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels[0] == "1 s"
    assert labels[-2:] == ["1 h", "2 h"]
    assert "10 min" in labels
