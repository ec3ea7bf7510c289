"""The JSON that scripts read: keys that stay, instants in ISO-8601 with their offset, numbers."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from waqcore.message import Attempt, Eta, Message
    from waqcore.status import LaneStatus, Status
    from waqcore.store.review import EventRow

Json = dict[str, Any]


def show_json(value: Json, *, indent: int | None = 2) -> None:
    """Print one JSON object; on a single line where `indent` is None."""
    ascii_only = "utf" not in (sys.stdout.encoding or "").lower()
    print(json.dumps(value, ensure_ascii=ascii_only, indent=indent), flush=True)


def message(one: "Message", number: Callable[[str], str] = str) -> Json:
    """A message without its text; `number` says how its recipient is shown."""
    return {
        "id": one.id,
        "state": one.state.value,
        "reason": one.reason,
        "sender": one.sender,
        "recipient": number(one.recipient),
        "priority": one.priority,
        "reference": one.reference,
        "idempotency_key": one.idempotency_key,
        "enqueued_at": _iso(one.enqueued_at),
        "send_at": _iso(one.send_at),
        "expires_at": _iso(one.expires_at),
        "retry_at": _iso(one.retry_at),
        "ended_at": _iso(one.ended_at),
        "eta": eta(one.eta),
        "warning": one.warning,
        "attempts": one.attempts,
        "failures": one.failures,
        "on_unknown": one.on_unknown,
        "maybe_duplicate": one.maybe_duplicate,
        "cancel_requested": one.cancel_requested,
        "provider_id": one.provider_id,
        "delivery": one.delivery,
        "batch": one.batch,
    }


def whole_message(one: "Message", calls: "list[Attempt]") -> Json:
    """A message with its text and every call made for it."""
    return {**message(one), "body": one.body, "calls": [attempt(call) for call in calls]}


def eta(one: "Eta | None") -> Json | None:
    """When a queued message should be called for; None for one that is not queued."""
    if one is None:
        return None
    return {
        "at": _iso(one.at),
        "low_at": _iso(one.low_at),
        "high_at": _iso(one.high_at),
        "ahead": one.ahead,
        "exact": one.exact,
        "reason": one.reason,
    }


def attempt(one: "Attempt") -> Json:
    """One call to the gateway."""
    return {
        "number": one.number,
        "started_at": _iso(one.started_at),
        "finished_at": _iso(one.finished_at),
        "outcome": one.outcome,
        "http_status": one.http_status,
        "detail": one.detail,
    }


def status(one: "Status", number: Callable[[str], str]) -> Json:
    """The queue, in the words of the system this one replaces and then in ours."""
    following = [message(each, number) for each in one.next]
    return {
        "queue_length": one.queue_length,
        "is_processing": one.dispatchers > 0 and bool(one.queue_length or one.sending),
        "failed_messages": one.failed,
        "estimated_time": one.clear_in_s,
        "next_messages": following,
        "at": _iso(one.at),
        "queued": one.queued,
        "scheduled": one.scheduled,
        "sending": [message(each, number) for each in one.sending],
        "next": following,
        "failed": one.failed,
        "unknown": one.unknown,
        "clear_in_s": one.clear_in_s,
        "dispatchers": one.dispatchers,
        "accuracy": None if one.accuracy is None else asdict(one.accuracy),
        "lanes": [lane(each) for each in one.lanes],
    }


def lane(one: "LaneStatus") -> Json:
    """One sender's lane."""
    return {
        "sender": one.sender,
        "queued": one.queued,
        "condition": one.condition,
        "reason": one.reason,
        "until": _iso(one.until),
        "clear_at": _iso(one.clear_at),
    }


def event(one: "EventRow") -> Json:
    """One line of the audit."""
    from waqcore.message import instant

    happening = one.happening
    return {
        "at": _iso(instant(one.at)),
        "actor": happening.actor,
        "action": happening.action,
        "sender": happening.sender,
        "messages": happening.messages,
        "detail": happening.detail,
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="microseconds")
