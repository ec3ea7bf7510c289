"""Whether the queue gets on: dispatchers, held lanes, and messages that wait for a person."""

from collections.abc import Iterator
from datetime import datetime

from waqcore.doctor.finding import Finding, bad, ok, warn
from waqcore.status import LaneStatus, Status
from waqcore.words import count, line, parts, span

STUCK_S = 60.0
"""A lane that may call and has something to send calls within milliseconds."""

SHOWN_MAX = 10
"""Lanes named one by one."""


def dispatchers(status: Status) -> Finding:
    """Whether anybody sends."""
    if status.dispatchers:
        return ok("dispatchers", f"{status.dispatchers} alive")
    todo = "start `waq serve` or `waq dispatch`"
    if status.queue_length:
        waiting = count(status.queue_length, "message")
        return bad("dispatchers", f"none runs; waiting: {waiting}", todo)
    return warn("dispatchers", "none runs; nothing waits", todo)


def lanes(status: Status) -> Iterator[Finding]:
    """What holds senders up."""
    held = [lane for lane in status.lanes if lane.condition in ("paused", "breaker open")]
    for lane in held[:SHOWN_MAX]:
        yield _held(lane)
    if len(held) > SHOWN_MAX:
        yield warn("lanes", f"{len(held) - SHOWN_MAX:,} more are held", "see `waq status`")
    if not held:
        yield ok("lanes", "none is paused, no breaker is open")


def _held(lane: LaneStatus) -> Finding:
    seen = f"{lane.sender} is held: {lane.condition}, {line(lane.reason)}"
    if lane.condition == "paused":
        return warn("lanes", seen, f"`waq resume --sender {lane.sender}` ends it")
    return warn("lanes", seen, "see whether the gateway works; it is probed and closes by itself")


def waiting(status: Status, oldest: datetime | None) -> Iterator[Finding]:
    """What waits, since when, and whether something that could go does not."""
    if status.queue_length:
        yield ok("queue", f"{count(status.queue_length, 'message')}: {parts(status.queued)}")
    else:
        yield ok("queue", "empty")
    if oldest is None:
        return
    waited = (status.at - oldest).total_seconds()
    ready = [lane.sender for lane in status.lanes if lane.condition == "ready"]
    seen = f"due for {span(waited)}"
    if status.dispatchers and ready and waited > STUCK_S:
        yield bad(
            "oldest due",
            f"{seen}, while {ready[0]} could call",
            "see the dispatcher's log, then the runbook, `queue stuck`",
        )
    else:
        yield ok("oldest due", seen)


def review(status: Status) -> Iterator[Finding]:
    """What a person has to decide."""
    if status.unknown:
        yield warn(
            "unknown",
            f"{count(status.unknown, 'message')} may or may not have been delivered",
            "`waq messages --state unknown`, look at the chat, then `waq resolve`",
        )
    if status.failed:
        yield ok("failed", f"{count(status.failed, 'message')}: `waq messages --state failed`")
