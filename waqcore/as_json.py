"""The JSON that scripts and applications read: keys that stay, instants in ISO-8601 with their
offset, numbers. The command line prints these shapes, and the HTTP API answers with them."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, Struct

if TYPE_CHECKING:
    from waqcore import message as messages
    from waqcore import status as statuses
    from waqcore.store import outbox
    from waqcore.store.callbacks import CallbackRow
    from waqcore.store.review import EventRow


class Eta(Struct, frozen=True, kw_only=True):
    """When a queued message should be called for."""

    at: Annotated[datetime | None, Meta(description="The median; null: unknown, see `reason`.")]
    low_at: Annotated[
        datetime | None, Meta(description="9 of 10 calls start between this and `high_at`.")
    ]
    high_at: Annotated[datetime | None, Meta(description="null: nobody can say, see `reason`.")]
    ahead: Annotated[int, Meta(description="Messages due now that go before it.")]
    exact: Annotated[bool, Meta(description="false: `ahead` is about a second old.")]
    reason: str


class Message(Struct, frozen=True, kw_only=True):
    """A message without its text."""

    id: str
    state: Annotated[
        str,
        Meta(description="`queued sending sent failed unknown cancelled expired`"),
    ]
    reason: str
    sender: str
    recipient: str
    priority: Annotated[str, Meta(description="`high normal low`, or `bypass`.")]
    reference: str | None
    idempotency_key: str | None
    enqueued_at: datetime
    send_at: Annotated[datetime | None, Meta(description="Not before this; null: at once.")]
    expires_at: Annotated[datetime | None, Meta(description="Not after this; null: never.")]
    retry_at: Annotated[datetime | None, Meta(description="The end of its backoff.")]
    ended_at: Annotated[datetime | None, Meta(description="null: it has not ended.")]
    position: Annotated[int | None, Meta(description="1: it goes next; null: not queued.")]
    eta: Annotated[Eta | None, Meta(description="null: it is not queued.")]
    warning: Annotated[str, Meta(description="What to know at once; empty if nothing.")]
    attempts: Annotated[int, Meta(description="Calls made to the gateway.")]
    failures: Annotated[int, Meta(description="Those of them that count against it.")]
    on_unknown: Annotated[str, Meta(description="`resend` or `hold`.")]
    maybe_duplicate: bool
    cancel_requested: bool
    provider_id: str | None
    delivery: Annotated[str | None, Meta(description="The last receipt; null: none came.")]
    batch: Annotated[str | None, Meta(description="The clear it was cancelled in.")]


class Call(Struct, frozen=True, kw_only=True):
    """One call to the gateway."""

    number: int
    started_at: datetime
    finished_at: Annotated[datetime | None, Meta(description="null: in flight.")]
    outcome: Annotated[str | None, Meta(description="null: not known yet.")]
    http_status: Annotated[int | None, Meta(description="null: no HTTP answer came.")]
    detail: str


class WholeMessage(Message, frozen=True, kw_only=True):
    """A message with its text and every call made for it."""

    body: str
    calls: list[Call]


class Lane(Struct, frozen=True, kw_only=True):
    """One sender's lane."""

    sender: str
    queued: int
    scheduled: Annotated[int, Meta(description="Those of them that are for later.")]
    condition: Annotated[
        str,
        Meta(
            description="`idle`, `sending`, `ready`, `pacing`, `gathering`, `closed`, `capped`, "
            "`quiet hours`, `breaker open` or `paused`."
        ),
    ]
    reason: str
    until: Annotated[datetime | None, Meta(description="null: until something happens.")]
    clear_at: Annotated[datetime | None, Meta(description="null: unknown, or none is due.")]


class Accuracy(Struct, frozen=True, kw_only=True):
    """How forecasts of the last 24 hours fared."""

    forecasts: int
    off_s: Annotated[float, Meta(description="Seconds between forecast and call: the median.")]
    inside: Annotated[float, Meta(description="The share of calls inside their range.")]


class Status(Struct, frozen=True, kw_only=True):
    """The queue, in the words of the system this one replaces and then in ours."""

    queue_length: int
    is_processing: bool
    failed_messages: int
    estimated_time: Annotated[float | None, Meta(description="Seconds; null: unknown.")]
    next_messages: list[Message]
    at: datetime
    queued: Annotated[dict[str, int], Meta(description="By priority.")]
    scheduled: int
    sending: list[Message]
    next: list[Message]
    failed: int
    unknown: int
    clear_in_s: float | None
    dispatchers: Annotated[int, Meta(description="Alive; 0: nothing will be sent.")]
    accuracy: Accuracy | None
    lanes: list[Lane]


class Callback(Struct, frozen=True, kw_only=True):
    """Where an application is called back."""

    id: str
    url: str
    events: list[str]
    created_at: datetime
    disabled_at: Annotated[datetime | None, Meta(description="null: it is told.")]
    disabled_reason: str


class Delivery(Struct, frozen=True, kw_only=True):
    """One event, and how its delivery went."""

    type: str
    message_id: str
    reference: str | None
    ended_at: datetime
    status: Annotated[str, Meta(description="`pending`, `delivered` or `given up`.")]
    tries: int
    tried_at: Annotated[datetime | None, Meta(description="null: never.")]
    http_status: Annotated[int | None, Meta(description="null: no answer to the last try.")]
    problem: Annotated[str, Meta(description="Why there was no answer.")]


class Event(Struct, frozen=True, kw_only=True):
    """One line of the audit."""

    at: datetime
    actor: str
    action: str
    sender: Annotated[str | None, Meta(description="null: every lane.")]
    messages: int
    detail: str


def message(one: "messages.Message", number: Callable[[str], str] = str) -> Message:
    """A message without its text; `number` says how its recipient is shown."""
    return Message(**_fields(one, number))


def whole_message(one: "messages.Message", calls: "list[messages.Attempt]") -> WholeMessage:
    """A message with its text and every call made for it."""
    return WholeMessage(**_fields(one, str), body=one.body, calls=[attempt(call) for call in calls])


def _fields(one: "messages.Message", number: Callable[[str], str]) -> dict[str, Any]:
    expected = one.eta
    return {
        "id": one.id,
        "state": one.state.value,
        "reason": one.reason,
        "sender": one.sender,
        "recipient": number(one.recipient),
        "priority": one.priority,
        "reference": one.reference,
        "idempotency_key": one.idempotency_key,
        "enqueued_at": one.enqueued_at,
        "send_at": one.send_at,
        "expires_at": one.expires_at,
        "retry_at": one.retry_at,
        "ended_at": one.ended_at,
        "position": None if expected is None else expected.ahead + 1,
        "eta": eta(expected),
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


def eta(one: "messages.Eta | None") -> Eta | None:
    """When a queued message should be called for; None for one that is not queued."""
    if one is None:
        return None
    return Eta(
        at=one.at,
        low_at=one.low_at,
        high_at=one.high_at,
        ahead=one.ahead,
        exact=one.exact,
        reason=one.reason,
    )


def attempt(one: "messages.Attempt") -> Call:
    """One call to the gateway."""
    return Call(
        number=one.number,
        started_at=one.started_at,
        finished_at=one.finished_at,
        outcome=one.outcome,
        http_status=one.http_status,
        detail=one.detail,
    )


def status(one: "statuses.Status", number: Callable[[str], str] = str) -> Status:
    """The queue; `number` says how recipients are shown."""
    following = [message(each, number) for each in one.next]
    fared = one.accuracy
    return Status(
        queue_length=one.queue_length,
        is_processing=one.dispatchers > 0 and bool(one.queue_length or one.sending),
        failed_messages=one.failed,
        estimated_time=one.clear_in_s,
        next_messages=following,
        at=one.at,
        queued=one.queued,
        scheduled=one.scheduled,
        sending=[message(each, number) for each in one.sending],
        next=following,
        failed=one.failed,
        unknown=one.unknown,
        clear_in_s=one.clear_in_s,
        dispatchers=one.dispatchers,
        accuracy=None
        if fared is None
        else Accuracy(forecasts=fared.forecasts, off_s=fared.off_s, inside=fared.inside),
        lanes=[lane(each) for each in one.lanes],
    )


def lane(one: "statuses.LaneStatus") -> Lane:
    """One sender's lane."""
    return Lane(
        sender=one.sender,
        queued=one.queued,
        scheduled=one.scheduled,
        condition=one.condition,
        reason=one.reason,
        until=one.until,
        clear_at=one.clear_at,
    )


def event(one: "EventRow") -> Event:
    """One line of the audit."""
    from waqcore.message import instant

    happening = one.happening
    return Event(
        at=instant(one.at),
        actor=happening.actor,
        action=happening.action,
        sender=happening.sender,
        messages=happening.messages,
        detail=happening.detail,
    )


def callback(one: "CallbackRow") -> Callback:
    """A callback as scripts and applications read it; its secret is shown when it is made."""
    from waqcore.message import instant

    return Callback(
        id=one.id,
        url=one.url,
        events=one.events.strip(",").split(","),
        created_at=instant(one.created_at),
        disabled_at=None if one.disabled_at is None else instant(one.disabled_at),
        disabled_reason=one.disabled_reason,
    )


def delivery(one: "outbox.Delivery") -> Delivery:
    """A delivery as scripts and applications read it."""
    from waqcore.message import instant

    return Delivery(
        type=f"message.{one.state}",
        message_id=one.message_id,
        reference=one.reference,
        ended_at=instant(one.ended_at),
        status=one.status,
        tries=one.tries,
        tried_at=None if one.tried_at is None else instant(one.tried_at),
        http_status=one.http_status,
        problem=one.problem,
    )
