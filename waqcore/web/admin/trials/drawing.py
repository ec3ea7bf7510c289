"""A run's timeline as an SVG: geometry alone, in units of the drawing; a template draws it."""

from collections.abc import Callable
from typing import NamedTuple

from waqcore.web.admin.trials.course import Course, Row

WIDTH, LEFT, RIGHT, TOP, LINE = 820, 190, 14, 24, 24

_MARKS = {"accepted": "sent", "": "now"}


class Mark(NamedTuple):
    """A call."""

    x: float
    kind: str
    """How it ended: `sent`, `not-sent`, or `now` while nobody knows."""
    said: str


class Lane(NamedTuple):
    """One message's line."""

    y: float
    name: str
    priority: str
    state: str
    queued_x: float | None
    """None: it has not been queued yet."""
    end_x: float
    eta_x: float | None
    marks: list[Mark]


class Tick(NamedTuple):
    """An instant that the axis names."""

    x: float
    text: str


class Drawing(NamedTuple):
    """The timeline."""

    width: int
    height: int
    left: int
    now_x: float
    lanes: list[Lane]
    ticks: list[Tick]
    held: tuple[float, float] | None
    """From where to where everything was paused; None: nowhere."""


def drawing(course: Course, pace_s: float, *, over: bool) -> Drawing:
    """Draw a run as it stands."""
    last_s = max((call.at_s for row in course.rows for call in row.calls), default=0.0)
    now_s = last_s if over else course.now_s
    planned_s = (len(course.rows) + 0.5) * pace_s
    scale = (WIDTH - LEFT - RIGHT) / max(planned_s, now_s, last_s)

    def x(at_s: float) -> float:
        return LEFT + max(0.0, at_s) * scale

    held = None
    if "pause" in course.pressed:
        held = (x(course.pressed["pause"]), x(course.pressed.get("resume", now_s)))
    step = max(1, round(max(planned_s, now_s) / pace_s / 10))
    paces = range(0, int(max(planned_s, now_s) / pace_s) + 1, step)
    return Drawing(
        width=WIDTH,
        height=TOP + LINE * len(course.rows) + 8,
        left=LEFT,
        now_x=x(now_s),
        lanes=[_lane(n, row, x(now_s), x) for n, row in enumerate(course.rows)],
        ticks=[Tick(x(n * pace_s), f"{n * pace_s:.1f} s") for n in paces],
        held=held,
    )


def _lane(n: int, row: Row, now_x: float, x: Callable[[float], float]) -> Lane:
    ends = [x(call.at_s) for call in row.calls]
    return Lane(
        y=TOP + LINE * n + LINE / 2,
        name=row.planned.name,
        priority=row.message.priority if row.message is not None else row.planned.draft.priority,
        state=row.state.value if row.state is not None else "",
        queued_x=None if row.message is None else x(row.queued_s),
        end_x=ends[-1] if row.over and ends else now_x,
        eta_x=None if row.eta_s is None else x(row.eta_s),
        marks=[
            Mark(x(call.at_s), _MARKS.get(call.outcome, "not-sent"), _said(call.at_s, call.outcome))
            for call in row.calls
        ],
    )


def _said(at_s: float, outcome: str) -> str:
    return f"called at {at_s:.2f} s: {outcome.replace('_', ' ') or 'in flight'}"
