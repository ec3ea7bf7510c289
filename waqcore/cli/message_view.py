"""Messages as lines: several in a table, one with its text and the course of its life."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from waqcore.cli.screen import Row, fields, hanging, heading, table
from waqcore.core.message import State
from waqcore.words import View, count, line, relative

if TYPE_CHECKING:
    from waqcore.message import Attempt, Eta, Message

STYLES = {
    State.QUEUED: "",
    State.SENDING: "cyan",
    State.SENT: "green",
    State.FAILED: "red",
    State.UNKNOWN: "yellow",
    State.CANCELLED: "dim",
    State.EXPIRED: "dim",
}

WIDE = 100
"""Columns from which a listing has room for the clock beside `in 35 s`."""


def state_text(message: "Message") -> Text:
    """A message's state in its colour."""
    return Text(message.state.value, STYLES[message.state])


def message_table(messages: "Sequence[Message]", view: View, room: int) -> list[Text]:
    """Messages in a table, without their texts."""
    several = len({message.sender for message in messages}) > 1
    rows = [
        Row(
            (
                message.id,
                state_text(message),
                message.priority,
                view.number(message.recipient),
                _when(message, view, wide=room >= WIDE),
            ),
            _note(message, view, several=several),
        )
        for message in messages
    ]
    return table(("ID", "STATE", "PRIORITY", "TO", "WHEN", "NOTE"), rows, room=room)


def _when(message: "Message", view: View, *, wide: bool) -> str:
    at = message.ended_at
    if message.eta is not None:
        at = message.eta.at
    if at is None:
        return {State.QUEUED: "not known", State.SENDING: "now"}.get(message.state, "")
    return view.when(at) if wide else relative(at, view.now)


def _note(message: "Message", view: View, *, several: bool) -> str:
    why = message.reason or (message.eta.reason if message.eta is not None else "")
    said = (
        f"from {message.sender}" if several else "",
        message.reference or "",
        why,
        "may be sent twice" if message.maybe_duplicate else "",
        "to be cancelled if its call fails" if message.cancel_requested else "",
        expires_first(message, view) if message.warning else "",
    )
    return line(" · ".join(part for part in said if part))


def expires_first(message: "Message", view: View) -> str:
    """That a message's time is up before its turn comes."""
    assert message.expires_at is not None
    return f"expires before its turn, {view.when(message.expires_at)}"


def expected(eta: "Eta", view: View) -> str:
    """When a queued message should go, and what is before it."""
    before = f"{'' if eta.exact else 'about '}{eta.ahead:,} ahead of it" if eta.ahead else "next"
    if eta.at is None:
        return f"{before}; not known when: {line(eta.reason)}"
    return f"{before}, {view.when(eta.at)}{likely(eta, view)}"


def likely(eta: "Eta", view: View) -> str:
    """The range of an ETA, where it has one worth telling."""
    if eta.at is None or eta.low_at is None:
        return ""
    if eta.high_at is None:
        return f" ({line(eta.reason)})"
    low, high = view.clock(eta.low_at), view.clock(eta.high_at)
    return f", likely {low} to {high}" if low != high else ""


def whole_message(
    message: "Message", calls: "Sequence[Attempt]", view: View, room: int
) -> list[Text]:
    """Everything about a message."""
    state = state_text(message)
    if message.reason:
        state.append(f": {line(message.reason)}", "default")
    lines = [Text(message.id, "bold")]
    lines += fields(
        (
            ("state", state),
            ("to", message.recipient),
            ("from", message.sender),
            ("priority", message.priority),
            ("reference", message.reference or ""),
            ("key", message.idempotency_key or ""),
            ("attempts", _tried(message)),
            ("on unknown", message.on_unknown),
            ("provider id", line(message.provider_id or "")),
            ("delivery", line(message.delivery or "")),
            ("batch", message.batch or ""),
            ("note", _flags(message)),
        )
    )
    lines += heading("Text")
    lines += [Text(f"  {part}") for part in message.body.split("\n")]
    return lines + heading("Course") + course(message, calls, view, room)


def _tried(message: "Message") -> str:
    if not message.attempts:
        return "none yet"
    return f"{message.attempts}, with {count(message.failures, 'failure')} of its own"


def _flags(message: "Message") -> str:
    said = (
        "may have been sent twice" if message.maybe_duplicate else "",
        "cancelled as soon as its call turns out not sent" if message.cancel_requested else "",
    )
    return "; ".join(part for part in said if part)


def course(message: "Message", calls: "Sequence[Attempt]", view: View, room: int) -> list[Text]:
    """What happened to a message and what is to come, in order."""
    happened = [(message.enqueued_at, "queued")]
    happened += [(call.started_at, _call(call)) for call in calls]
    planned = (
        (message.send_at, "not before this"),
        (message.retry_at, "its backoff ends"),
        (message.expires_at, "expires"),
        (message.ended_at, message.state.value),
    )
    happened += [(at, what) for at, what in planned if at is not None]
    eta = message.eta
    if eta is not None and eta.at is not None:
        before = f", {count(eta.ahead, 'message')} before it" if eta.ahead else ", next"
        happened.append((eta.at, f"expected to go{before}{likely(eta, view)}"))
    happened.sort(key=lambda one: one[0])
    rows = [(view.clock(at), relative(at, view.now), what) for at, what in happened]
    if eta is not None and eta.at is None:
        rows.append(("?", "", f"not known when it goes: {line(eta.reason)}"))
    wide = [max(len(row[n]) for row in rows) for n in (0, 1)]
    return [
        Text(part)
        for at, ago, what in rows
        for part in hanging(f"  {at:<{wide[0]}}  {ago:<{wide[1]}}  ", what, room)
    ]


def _call(call: "Attempt") -> str:
    if call.finished_at is None:
        return f"attempt {call.number}: no answer yet"
    took = (call.finished_at - call.started_at).total_seconds()
    http = f", HTTP {call.http_status}" if call.http_status is not None else ""
    said = f": {line(call.detail)}" if call.detail else ""
    return f"attempt {call.number}: {call.outcome} after {took:.1f} s{http}{said}"
