"""The course of a message's life: what happened to it and what is to come, in order."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from waqcore.core.message import State
from waqcore.message import Attempt, Message
from waqcore.words import line

GOOD, BAD, PLAIN, TO_COME = "good", "bad", "", "to-come"

_ENDS = {State.SENT: GOOD, State.FAILED: BAD}


class Moment(NamedTuple):
    """Something that happened, or is to."""

    at: datetime | None
    """None: nobody knows when."""
    what: str
    kind: str
    detail: str = ""
    """More about it; empty: nothing."""


def life_of(message: Message, calls: Sequence[Attempt]) -> list[Moment]:
    """Everything about a message that has an instant."""
    moments = [Moment(message.enqueued_at, "Queued", PLAIN), *(_call(call) for call in calls)]
    if message.ended_at is not None:
        kind = _ENDS.get(message.state, PLAIN)
        said = message.state.value.capitalize()
        moments.append(Moment(message.ended_at, said, kind, line(message.reason)))
    moments += _planned(message)
    moments.sort(key=lambda moment: (moment.at is None, moment.at or message.enqueued_at))
    return moments


def _planned(message: Message) -> list[Moment]:
    if message.ended_at is not None:
        return []
    planned = (
        (message.send_at, "Not before this"),
        (message.retry_at, "Its backoff ends"),
        (message.expires_at, "Expires"),
    )
    moments = [Moment(at, what, TO_COME) for at, what in planned if at is not None]
    eta = message.eta
    if eta is not None:
        before = f"{'' if eta.exact else 'about '}{eta.ahead:,} before it" if eta.ahead else "next"
        what = "Expected to go" if eta.at is not None else "Not known when it goes"
        moments.append(Moment(eta.at, what, TO_COME, line(eta.reason) or before))
    return moments


def _call(call: Attempt) -> Moment:
    if call.finished_at is None:
        return Moment(call.started_at, f"Attempt {call.number}: no answer yet", PLAIN)
    took_s = (call.finished_at - call.started_at).total_seconds()
    outcome = (call.outcome or "").replace("_", " ")
    http = f"HTTP {call.http_status}" if call.http_status is not None else ""
    detail = "; ".join(part for part in (http, line(call.detail)) if part)
    kind = GOOD if call.outcome == "accepted" else BAD
    return Moment(
        call.started_at, f"Attempt {call.number}: {outcome}, {took_s:.1f} s", kind, detail
    )
