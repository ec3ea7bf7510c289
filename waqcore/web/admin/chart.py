"""Trends as columns in an SVG: geometry alone, in units of the drawing; templates draw it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from waqcore.core.instants import DAY, HOUR, MINUTE
from waqcore.message import instant, wall_us
from waqcore.store.samples import Sample

WIDTH, HEIGHT = 560, 150
LEFT, RIGHT, TOP, BOTTOM = 40, 8, 10, 24
"""Room around the columns, for what the axes say."""


class Span(NamedTuple):
    """How far back a trend goes, and how much time is one column."""

    title: str
    length_us: int
    column_us: int
    tick_us: int
    """How far the hours and minutes that the axis names are apart."""


SPANS = (
    Span("last hour", HOUR, MINUTE, 15 * MINUTE),
    Span("last day", DAY, 15 * MINUTE, 6 * HOUR),
)


class Layer(NamedTuple):
    """One kind of what is counted, as columns of its own."""

    name: str
    path: str


class Tick(NamedTuple):
    """What an axis says, and where."""

    at: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One drawing."""

    title: str
    summary: str
    """The same in words, for who does not see it."""
    layers: list[Layer]
    across: list[Tick]
    up: list[Tick]

    width, height, left, right, top, bottom = WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM


def queue(samples: Sequence[Sample], span: Span, now: datetime, zone: tzinfo) -> Chart | None:
    """The queue's length by priority; None: nothing is known of that time."""
    columns = _columns(samples, span, now)
    lengths = [(many[-1].low, many[-1].normal, many[-1].high) if many else None for many in columns]
    known = [sum(one) for one in lengths if one is not None]
    if not known:
        return None
    return Chart(
        title=f"Queue length, {span.title}",
        summary=f"Queue length, {span.title}: {known[-1]:,} at the end, {max(known):,} at most.",
        layers=_layers(("low", "normal", "high"), lengths, _nice(max(known))),
        across=_across(span, now, zone),
        up=_up(_nice(max(known))),
    )


def calls(samples: Sequence[Sample], span: Span, now: datetime, zone: tzinfo) -> Chart | None:
    """Calls by how they ended; None: nothing is known of that time."""
    columns = _columns(samples, span, now)
    if not any(columns):
        return None
    ended = [
        (sum(one.sent for one in many), sum(one.failed for one in many)) if many else None
        for many in columns
    ]
    totals = [sum(one) for one in ended if one is not None]
    sent = sum(one[0] for one in ended if one is not None)
    unit = "minute" if span.column_us == MINUTE else f"{span.column_us // MINUTE} minutes"
    return Chart(
        title=f"Calls per {unit}, {span.title}",
        summary=f"Calls, {span.title}: {sent:,} accepted, {sum(totals) - sent:,} not.",
        layers=_layers(("sent", "not-sent"), ended, _nice(max(totals))),
        across=_across(span, now, zone),
        up=_up(_nice(max(totals))),
    )


def _end_us(span: Span, now: datetime) -> int:
    wall = wall_us(now)
    return wall - wall % span.column_us + span.column_us


def _columns(samples: Sequence[Sample], span: Span, now: datetime) -> list[list[Sample]]:
    starts = _end_us(span, now) - span.length_us
    columns: list[list[Sample]] = [[] for _ in range(span.length_us // span.column_us)]
    for sample in samples:
        n = (sample.minute - starts) // span.column_us
        if 0 <= n < len(columns):
            columns[n].append(sample)
    return columns


def _layers(
    names: tuple[str, ...], columns: Sequence[tuple[int, ...] | None], most: int
) -> list[Layer]:
    """Columns that stand on each other, the first name lowest."""
    wide = (WIDTH - LEFT - RIGHT) / len(columns)
    high = HEIGHT - TOP - BOTTOM
    paths: list[list[str]] = [[] for _ in names]
    for n, values in enumerate(columns):
        base = float(HEIGHT - BOTTOM)
        for path, value in zip(paths, values or (), strict=False):
            tall = value / most * high
            base -= tall
            if value:
                path.append(_rectangle(LEFT + n * wide, base, wide, tall))
    return [Layer(name, "".join(path)) for name, path in zip(names, paths, strict=True)]


def _rectangle(x: float, y: float, wide: float, tall: float) -> str:
    wide = max(1.0, wide - 0.8)  # A hair of room between columns.
    return f"M{x:.1f} {y:.1f}h{wide:.1f}v{tall:.1f}h{-wide:.1f}z"


def _across(span: Span, now: datetime, zone: tzinfo) -> list[Tick]:
    ends, wide = _end_us(span, now), WIDTH - LEFT - RIGHT
    local = instant(ends).astimezone(zone)
    midnight = wall_us(local.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1))
    starts = ends - span.length_us
    first = starts + (midnight - starts) % span.tick_us
    return [
        Tick(LEFT + (at - starts) / span.length_us * wide, f"{instant(at).astimezone(zone):%H:%M}")
        for at in range(first, ends + 1, span.tick_us)
    ]


def _up(most: int) -> list[Tick]:
    high = HEIGHT - TOP - BOTTOM
    values = (0, most // 2, most) if most % 2 == 0 else (0, most)
    return [Tick(HEIGHT - BOTTOM - value / most * high, f"{value:,}") for value in values]


def _nice(most: int) -> int:
    """The least of 1, 2, 5, 10, 20, 50, … that is enough."""
    scale = 1
    while True:
        for step in (1, 2, 5):
            if step * scale >= most:
                return step * scale
        scale *= 10
