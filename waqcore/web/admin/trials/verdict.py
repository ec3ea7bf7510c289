"""What a run has proved: each thing it should show, and whether it did."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from waqcore.core.instants import seconds
from waqcore.gateways.sandbox import Received
from waqcore.web.admin.trials.course import Course, Row
from waqcore.words import count

RANK = {"bypass": 0, "high": 1, "normal": 2, "low": 3}

SLACK_S = 0.05
"""Of instants noted around a call: they are stamped just before it, and on a busy machine late."""


class Check(NamedTuple):
    """One thing that a run should show."""

    good: bool
    said: str


def verdict(course: Course, received: Sequence[Received] | None, pace_s: float) -> list[Check]:
    """Judge a run that is over; `received` is the gateway's own log, None where there is none."""
    checks = [_ended(course), _calls(course), _pace(course, received, pace_s), _order(course)]
    if "pause" in course.pressed:
        checks += [_added_up(course), _said_paused(course), _nothing_left(course)]
    return checks


def _ended(course: Course) -> Check:
    wrong = [row for row in course.rows if row.state is not row.planned.ends]
    if not wrong:
        return Check(good=True, said=f"{count(len(course.rows), 'message')} ended as they should")
    shown = ", ".join(f"{row.planned.name}: {row.state or 'never queued'}" for row in wrong[:5])
    return Check(good=False, said=f"ended otherwise than they should: {shown}")


def _calls(course: Course) -> Check:
    wrong = [row for row in course.rows if len(row.calls) != row.planned.calls]
    if not wrong:
        return Check(good=True, said="each was called for as often as it should, and no oftener")
    shown = ", ".join(f"{row.planned.name}: {count(len(row.calls), 'call')}" for row in wrong[:5])
    return Check(good=False, said=f"called for too often or too seldom: {shown}")


def _pace(course: Course, received: Sequence[Received] | None, pace_s: float) -> Check:
    if received is not None:
        left = sorted(call.left_at for call in received)
        gaps, slack_s = [seconds(b - a) for a, b in pairwise(left)], 0.0
    else:
        by_sender: dict[str, list[float]] = {}
        for row in course.rows:
            if row.message is not None:
                by_sender.setdefault(row.message.sender, []).extend(c.at_s for c in row.calls)
        gaps = [b - a for calls in by_sender.values() for a, b in pairwise(sorted(calls))]
        slack_s = SLACK_S
    if not gaps:
        return Check(
            good=False, said="fewer than two calls were made: the pace was not put to the test"
        )
    whose = "the gateway’s log" if received is not None else "the attempts"
    said = f"smallest gap {min(gaps):.3f} s by {whose}; the pace is {pace_s:g} s"
    return Check(good=min(gaps) >= pace_s - slack_s, said=said)


def _order(course: Course) -> Check:
    """Of what waited, the highest priority went first, and in it whoever came first."""
    firsts = sorted((row.calls[0].at_s, n) for n, row in enumerate(course.rows) if row.calls)
    for at_s, n in firsts:
        waited = [
            row
            for other, row in enumerate(course.rows)
            if other != n and row.message is not None and _waited(row, at_s)
        ]
        before = [row for row in waited if _place(row) < _place(course.rows[n])]
        if before:
            names = (before[0].planned.name, course.rows[n].planned.name)
            return Check(good=False, said=f"“{names[0]}” waited while “{names[1]}” went")
    return Check(good=True, said="the highest priority went first, and in it whoever came first")


def _waited(row: Row, at_s: float) -> bool:
    """Whether a message was queued well before an instant, and first called for after it."""
    return row.queued_s < at_s - SLACK_S and (not row.calls or row.calls[0].at_s > at_s)


def _place(row: Row) -> tuple[int, float]:
    assert row.message is not None
    return RANK[row.message.priority], row.queued_s


def _added_up(course: Course) -> Check:
    total = len(course.rows)
    wrong = [look for look in course.looks if look.queued + look.sending > total]
    last = course.looks[-1]
    good = not wrong and last.queued == 0 and last.ended == total
    return Check(good=good, said=f"the status added up at {count(len(course.looks), 'look')}")


def _said_paused(course: Course) -> Check:
    pressed, ends = course.pressed["pause"], course.pressed.get("resume", course.now_s)
    within = [look for look in course.looks if pressed < look.at_s < ends]
    told = [look for look in within if look.condition == "paused" and look.reason]
    # A call claimed just before the button was pressed ends as it would.
    good = bool(told) and all(look.condition in ("paused", "sending") for look in within)
    return Check(
        good=good, said=f"the status said paused, and why, at {len(told)} of {len(within)} looks"
    )


def _nothing_left(course: Course) -> Check:
    ends = course.pressed.get("resume", course.now_s)
    begins = course.paused[0].at_s if course.paused else ends
    left = [
        call.at_s
        for row in course.rows
        for call in row.calls
        if begins < call.at_s < ends - SLACK_S
    ]
    said = f"{len(left) or 'nothing'} left while paused for {ends - begins:.1f} s"
    return Check(good=bool(course.paused) and not left, said=said)
