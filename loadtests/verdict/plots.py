"""What a run looked like, plot by plot. Seconds are counted from the run's start."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from math import inf
from typing import NamedTuple

from matplotlib.axes import Axes

from loadtests.verdict import attempts, etas, pace, recovery, resources
from loadtests.verdict.evidence import Evidence, message_of
from loadtests.verdict.figures import (
    BLUE,
    BY_PRIORITY,
    GREEN,
    IN_TURN,
    QUIET,
    VERMILION,
    axes,
    legend,
    svg,
)
from loadtests.verdict.records import PRIORITIES, US, Disturbance

POINTS_MAX = 4_000
"""Of one plot: more is ink upon ink, and megabytes of SVG."""
BINS = 50


class Plot(NamedTuple):
    """A picture and what it shows."""

    title: str
    svg: str


def drawn(evidence: Evidence) -> Iterator[Plot]:
    """Every plot for which the run has something to show."""
    for title, draw, x, y in _PLOTS:
        figure, plot = axes(x, y)
        if draw(evidence, plot):
            legend(plot)
            yield Plot(title, svg(figure, title))


def _timeline(evidence: Evidence, plot: Axes) -> bool:
    """Calls by sender; what disturbed them behind."""
    _disturbances(evidence, plot)
    points: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for row, (_, lane) in enumerate(evidence.lanes.items()):
        for call in lane[:: _stride(len(evidence.calls))]:
            message = message_of(evidence, call)
            points[message.priority if message else "?"].append(
                (_s(evidence, call.arrived_at), row)
            )
    for priority in (*PRIORITIES, "?"):
        if found := points.get(priority):
            colour = BY_PRIORITY.get(priority, QUIET)
            plot.plot(*zip(*found, strict=True), "|", color=colour, markersize=11, label=priority)
    plot.set_yticks(range(len(evidence.lanes)), labels=[f"…{name[-4:]}" for name in evidence.lanes])
    plot.set_ylim(-0.8, max(0.8, len(evidence.lanes) - 0.2))
    return bool(points)


def _gaps(evidence: Evidence, plot: Axes) -> bool:
    """How far gaps were above the pace, as far as twice the pace."""
    found = [gap.gap_us / US for gap in pace.gaps(evidence)]
    near = [seconds for seconds in found if seconds <= 2 * evidence.run.pace_s]
    if near:
        plot.hist(near, bins=BINS, color=BLUE)
        plot.axvline(evidence.run.pace_s, color=VERMILION, linewidth=1.5, label="pace")
        plot.set_yscale("log")
    return bool(near)


def _waits(evidence: Evidence, plot: Axes) -> bool:
    """From the 202 to the first call: the share that waited at most so long."""
    waits: dict[str, list[float]] = defaultdict(list)
    for id_, one in evidence.acknowledged.items():
        calls, message = evidence.calls_of.get(id_), evidence.messages.get(id_)
        if calls and message is not None:
            waits[message.priority].append((calls[0].arrived_at - one.acknowledged_at) / US)
    for priority in PRIORITIES:
        if found := sorted(waits.get(priority, ())):
            shares = [100 * (index + 1) / len(found) for index in range(len(found))]
            plot.step([0, *found], [0, *shares], color=BY_PRIORITY[priority], label=priority)
    return bool(waits)


def _queue(evidence: Evidence, plot: Axes) -> bool:
    """How many messages were waiting for their first call."""
    steps = [(one.enqueued_at, 1) for one in evidence.messages.values()]
    for message in evidence.messages.values():
        calls = evidence.calls_of.get(message.id)
        over_at = calls[0].arrived_at if calls else message.ended_at
        if over_at is not None:
            steps.append((over_at, -1))
    _disturbances(evidence, plot)
    length, instants, lengths = 0, [], []
    for at, step in sorted(steps):
        length += step
        instants.append(_s(evidence, at))
        lengths.append(length)
    stride = _stride(len(instants))
    plot.step(instants[::stride], lengths[::stride], color=BLUE, where="post")
    return bool(steps)


def _etas(evidence: Evidence, plot: Axes) -> bool:
    """How much later than told each message was called."""
    found = list(etas.told(evidence))
    stride = _stride(len(found))
    groups = ((True, GREEN, "inside its range"), (False, VERMILION, "outside"), (None, QUIET, ""))
    for inside, colour, label in groups:
        points = [(one.ahead_s, one.error_s) for one in found[::stride] if one.inside is inside]
        if points:
            plot.plot(*zip(*points, strict=True), ".", color=colour, markersize=4, label=label)
    return bool(found)


def _attempts(evidence: Evidence, plot: Axes) -> bool:
    """How many messages had so many attempts."""
    found = attempts.per_message(evidence)
    plot.bar(
        [str(number) for number in sorted(found)], [found[n] for n in sorted(found)], color=BLUE
    )
    plot.set_yscale("log")
    return bool(found)


def _recoveries(evidence: Evidence, plot: Axes) -> bool:
    """How long lanes took to go on, by when they were disturbed."""
    found = [one for one in recovery.recoveries(evidence) if one.seconds < inf]
    colours = {
        Disturbance.KILL: VERMILION,
        Disturbance.DROP: BLUE,
        Disturbance.FULL: GREEN,
        Disturbance.STEP: QUIET,
    }
    for what in Disturbance:
        points = [(_s(evidence, o.chaos.at), o.seconds) for o in found if o.chaos.what is what]
        if points:
            plot.plot(*zip(*points, strict=True), "o", color=colours[what], label=what)
    plot.set_ylim(bottom=0.0)
    return bool(found)


def _memory(evidence: Evidence, plot: Axes) -> bool:
    """Memory by process."""
    for index, (name, samples) in enumerate(resources.by_process(evidence.folder.samples).items()):
        some = samples[:: _stride(len(samples))]
        xs = [_s(evidence, one.at) for one in some]
        ys = [one.rss_bytes / resources.MIB for one in some]
        plot.plot(xs, ys, color=IN_TURN[index % len(IN_TURN)], label=name, linewidth=1.5)
    plot.set_ylim(bottom=0.0)
    return bool(evidence.folder.samples)


def _disturbances(evidence: Evidence, plot: Axes) -> None:
    for one in evidence.run.chaos:
        over = max(_s(evidence, one.restored_at), _s(evidence, one.at) + 0.05)
        plot.axvspan(_s(evidence, one.at), over, color=QUIET, alpha=0.35, linewidth=0.8)


def _s(evidence: Evidence, at: int) -> float:
    return (at - evidence.run.started_at) / US


def _stride(points: int) -> int:
    return max(1, points // POINTS_MAX)


Draw = Callable[[Evidence, Axes], bool]

_PLOTS: tuple[tuple[str, Draw, str, str], ...] = (
    ("Calls, by sender", _timeline, "seconds into the run", "sender"),
    ("Gaps between calls", _gaps, "seconds", "gaps"),
    ("From the 202 to the first call", _waits, "seconds", "% of messages"),
    ("Messages waiting", _queue, "seconds into the run", "messages"),
    ("ETAs: how much later than told", _etas, "seconds ahead", "seconds late"),
    ("Attempts for a message", _attempts, "attempts", "messages"),
    ("Recovery after disturbances", _recoveries, "seconds into the run", "seconds to next call"),
    ("Memory", _memory, "seconds into the run", "MB"),
)
