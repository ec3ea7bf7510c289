"""The picture: what each peer's receiver saw as workers were killed, and how fast each is."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.peers.pacing import Run
from tests.peers.peer import KEYS
from tests.peers.rates import Rates
from tests.peers.report import Line

KEPT, BROKEN, CUT = "#1a7f37", "#c9510c", "#cf222e"
US = 1_000_000
SHOWN = "kill one"
SHOWN_S = 60
"""Of a run; what comes later stands at the edge."""


def draw(lines: Sequence[Line], path: Path) -> None:
    """Draw the runs in which one worker is killed, and the rates beside them."""
    paced = [line for line in lines if any(run.play.name == SHOWN for run in line.runs)]
    rated = [line for line in lines if line.rates]
    if not paced or not rated:
        return
    figure = Figure(figsize=(12, 0.42 * max(len(paced), len(rated)) + 1.8), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    _timelines(left, paced)
    _rates(right, rated)
    figure.legend(
        *right.get_legend_handles_labels(), loc="outside lower right", ncols=2, fontsize=8
    )
    figure.savefig(path, dpi=130)


def _timelines(axes: Axes, lines: Sequence[Line]) -> None:
    ends_s = [0.0]
    for row, line in enumerate(lines):
        run = next(run for run in line.runs if run.play.name == SHOWN)
        ends_s += _timeline(axes, row, run)
    axes.set_yticks(range(len(lines)), [line.peer.title for line in lines])
    axes.invert_yaxis()
    axes.set_xlim(-1, max(ends_s) + 1)
    axes.set_xlabel("seconds from the first call")
    axes.set_title(
        "Calls at a pace of 1 s; × the one whose worker was killed\n"
        "orange: too early, or out of order; right: messages lost",
        fontsize=9,
    )
    axes.grid(axis="x", alpha=0.3)


def _timeline(axes: Axes, row: int, run: Run) -> list[float]:
    """Draw one run; returns where its calls stand."""
    drawn_s: list[float] = []
    in_time = sorted(run.arrivals, key=lambda arrival: arrival.at_us)
    seen: set[int] = set()
    before_us = None
    for arrival in in_time:
        at_s = min((arrival.at_us - in_time[0].at_us) / US, SHOWN_S)
        drawn_s.append(at_s)
        early = before_us is not None and arrival.at_us - before_us < run.play.pace_s * US
        disordered = arrival.number not in seen and arrival.number < max(seen, default=-1)
        before_us = arrival.at_us
        seen.add(arrival.number)
        color = BROKEN if early or disordered else KEPT
        marker, size = ("|", 9) if arrival.answered else ("x", 7)
        axes.plot(
            at_s, row, marker, color=color if arrival.answered else CUT,
            markersize=size, markeredgewidth=1.8,
        )  # fmt: skip
    if run.verdict.lost:
        axes.text(
            1.01, row, f"{run.verdict.lost} lost", color=CUT, fontsize=7, va="center",
            transform=axes.get_yaxis_transform(),
        )  # fmt: skip
    return drawn_s


def _keyed_dispatch(rates: Rates) -> float | None:
    return None if rates.keyed is None else rates.keyed.dispatch


def _rates(axes: Axes, lines: Sequence[Line]) -> None:
    kinds: list[tuple[Callable[[Rates], float | None], str, str]] = [
        (attrgetter("one"), "enqueue one by one", "o"),
        (attrgetter("many"), "enqueue by 100", "s"),
        (attrgetter("dispatch"), "dispatch", "D"),
        (_keyed_dispatch, f"dispatch, {KEYS:,} keys one at a time", "v"),
    ]
    for index, (rate_of, label, marker) in enumerate(kinds):
        for which, filled in ((0, True), (-1, False)):
            rates = [(rate_of(line.rates[which]), row) for row, line in enumerate(lines)]
            points = [(rate, row) for rate, row in rates if rate is not None]
            axes.plot(
                [x for x, _ in points], [y for _, y in points], marker, color=f"C{index}",
                fillstyle="full" if filled else "none", label=label if filled else None,
            )  # fmt: skip
    axes.set_yticks(range(len(lines)), [line.peer.title for line in lines])
    axes.yaxis.tick_right()
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("messages per second")
    axes.set_title("Filled: empty queue; hollow: 100,000 queued", fontsize=9)
    axes.grid(axis="x", alpha=0.3)
