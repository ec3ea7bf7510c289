"""The queue's status as lines."""

from typing import TYPE_CHECKING

from rich.text import Text

from waqcore.cli.message_view import message_table
from waqcore.cli.screen import Cell, Row, fields, heading, table
from waqcore.words import View, count, line, parts, relative, span

if TYPE_CHECKING:
    from datetime import datetime

    from waqcore.status import LaneStatus, Status

LANES_MAX = 15
"""Lanes shown; a screen has room for no more."""

WIDE = 90
"""Columns from which the lane table has room for the clock beside `in 35 s`."""

HELD = {
    "paused": "red",
    "breaker open": "red",
    "closed": "yellow",
    "capped": "yellow",
    "quiet hours": "yellow",
}
"""The conditions in which a lane sends nothing for a while, each in its colour."""

NO_DISPATCHER = "NO DISPATCHER IS RUNNING: nothing is sent. Start one with `waq dispatch`."


def status_lines(status: "Status", view: View, room: int) -> list[Text]:
    """The whole status."""
    lines: list[Text] = []
    if status.dispatchers == 0 and status.queue_length:
        lines += [Text(NO_DISPATCHER, "bold white on red"), Text()]
    lines += fields(_summary(status, view), indent="")
    if status.next:
        lines += heading("Next") + message_table(status.next, view, room)
    return lines + heading("Lanes") + lane_table(status.lanes, view, room)


def _summary(status: "Status", view: View) -> tuple[tuple[str, Cell], ...]:
    return (
        ("at", view.clock(status.at)),
        ("queued", _queued(status)),
        ("sending", _sending(status, view)),
        ("clear", _clear(status, view)),
        ("failed", _reviewed(status.failed, "failed", "red")),
        ("unknown", _reviewed(status.unknown, "unknown", "yellow")),
        ("forecasts", _forecasts(status)),
        ("dispatchers", str(status.dispatchers or "none; `waq dispatch` starts one")),
    )


def _queued(status: "Status") -> str:
    if not status.queue_length:
        return "nothing; `waq send` queues a message"
    later = f", {status.scheduled:,} of them for later" if status.scheduled else ""
    return f"{status.queue_length:,}: {parts(status.queued)}{later}"


def _sending(status: "Status", view: View) -> str:
    if not status.sending:
        return "nothing"
    first = status.sending[0]
    more = f", and {status.in_flight - 1} more" if status.in_flight > 1 else ""
    return f"{first.id} ({first.priority}) to {view.number(first.recipient)}{more}"


def _forecasts(status: "Status") -> str:
    fared = status.accuracy
    if fared is None:
        return "none has been proved in the last 24 h"
    return (
        f"off by {span(fared.off_s)} (median) in the last 24 h; "
        f"{fared.inside:.0%} of {fared.forecasts:,} inside their range"
    )


def _clear(status: "Status", view: View) -> str:
    if not status.queue_length:
        return "now"
    if status.queue_length == status.scheduled:
        return "nothing is due yet"
    if status.clear_in_s is not None:
        ends = [lane.clear_at for lane in status.lanes if lane.clear_at is not None]
        return view.when(max(ends, default=status.at))
    held = [lane.sender for lane in status.lanes if lane.queued and lane.clear_at is None]
    return f"not known: {', '.join(held[:3])}{' and more' if len(held) > 3 else ''} held, see below"


def _reviewed(n: int, state: str, style: str) -> Text:
    return Text(f"{n:,}   waq messages --state {state}", style) if n else Text("none")


def lane_table(lanes: "list[LaneStatus]", view: View, room: int) -> list[Text]:
    """The lanes, or of many of them those that are held or have most to send."""
    shown = lanes
    if len(lanes) > LANES_MAX:
        shown = sorted(lanes, key=lambda lane: (lane.condition not in HELD, -lane.queued))
        shown = shown[:LANES_MAX]
    rows = [_lane_row(lane, view, room) for lane in shown]
    header = ("SENDER", "CONDITION", "UNTIL", "QUEUED", "CLEAR", "REASON")
    lines = table(header, rows, room=room, numbers={"QUEUED"})
    if left := len(lanes) - len(shown):
        waiting = sum(lane.queued for lane in lanes) - sum(lane.queued for lane in shown)
        lines.append(Text(f"and {count(left, 'lane')} more, {waiting:,} queued there", "dim"))
    return lines


def _lane_row(lane: "LaneStatus", view: View, room: int) -> Row:
    until = "" if lane.until is None else _shown(lane.until, view, room)
    clear = "" if not lane.queued else "not known"
    if lane.clear_at is not None:
        clear = _shown(lane.clear_at, view, room)
    condition = Text(lane.condition, HELD.get(lane.condition, ""))
    note = line(lane.reason)
    if lane.condition == "paused":
        note += f"; `waq resume --sender {lane.sender}` ends it"
    return Row((lane.sender, condition, until, f"{lane.queued:,}", clear), note)


def _shown(at: "datetime", view: View, room: int) -> str:
    return view.when(at) if room >= WIDE else relative(at, view.now)
