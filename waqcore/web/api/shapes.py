"""What applications send: checked for its form here, for its sense by the queue."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from waqcore.as_json import Message
from waqcore.core.message import Priority
from waqcore.draft import KEY_LENGTH_MAX, Draft
from waqcore.phone import parse_phone
from waqcore.store.controls import Filter

BATCH_MAX = 1_000
"""Messages in one batch: one transaction of some 30 ms, so that it holds up no call."""

Instant = Annotated[datetime, Meta(tz=True)]
PriorityWord = Literal["high", "normal", "low"]
Number = Annotated[str, Meta(min_length=1, max_length=64, examples=["0812-3456-7890"])]
Key = Annotated[str, Meta(min_length=1, max_length=KEY_LENGTH_MAX)]
Reason = Annotated[str, Meta(min_length=1, max_length=500, examples=["the gateway moves"])]


class NewMessage(Struct, kw_only=True, forbid_unknown_fields=True):
    """A message to be sent."""

    to: Annotated[Number, Meta(description="The recipient's number as people write it.")]
    body: Annotated[
        str, Meta(min_length=1, description="The text, up to 4,096 characters.", examples=["Halo"])
    ]
    priority: Annotated[PriorityWord, Meta(description="What goes first.")] = "normal"
    sender: Annotated[
        str | None, Meta(description="One of `/v1/senders`; null: the first of them.")
    ] = None
    reference: Annotated[
        Key | None, Meta(description="Groups messages, to find them together.")
    ] = None
    idempotency_key: Annotated[
        Key | None,
        Meta(description="The same again gives the first message; as `Idempotency-Key` too."),
    ] = None
    send_at: Annotated[Instant | None, Meta(description="Not before this; null: at once.")] = None
    expires_at: Annotated[Instant | None, Meta(description="Not after this; null: never.")] = None
    on_unknown: Annotated[
        Literal["resend", "hold"] | None,
        Meta(description="If nobody can know whether it went; null: as configured."),
    ] = None

    def draft(self, idempotency_key: str | None = None) -> Draft:
        """The draft it is; the key stands in for its own where it has none."""
        return Draft(
            to=self.to,
            body=self.body,
            priority=self.priority,
            sender=self.sender,
            reference=self.reference,
            idempotency_key=self.idempotency_key or idempotency_key,
            send_at=self.send_at,
            expires_at=self.expires_at,
            on_unknown=self.on_unknown,
        )


class NewMessages(Struct, kw_only=True, forbid_unknown_fields=True):
    """Messages to be queued together: all of them, or none."""

    messages: Annotated[list[NewMessage], Meta(min_length=1, max_length=BATCH_MAX)]


class Messages(Struct, kw_only=True):
    """Messages."""

    messages: list[Message]


class Page(Messages, kw_only=True):
    """A page of messages, newest first."""

    next: Annotated[str | None, Meta(description="The next page; null: there is none.")]


class Which(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which messages: every condition that is set must hold."""

    sender: str | None = None
    priority: PriorityWord | None = None
    reference: str | None = None
    recipient: Number | None = None

    def filter(self) -> Filter:
        """The filter it is.

        Raises:
            PhoneError: the recipient is not a number.
        """
        return chosen(self.sender, self.priority, self.reference, self.recipient)


class Retried(Which, kw_only=True):
    """Which failed or expired messages to queue again."""

    all_failed: Annotated[
        bool, Meta(description="All that failed, and match what else is set.")
    ] = False


class Cleared(Which, kw_only=True):
    """Which queued messages to cancel; without conditions, all of them."""

    reason: Reason = "cleared"


class Clear(Struct, kw_only=True):
    """What a clear has done."""

    batch: Annotated[str, Meta(description="For `/v1/queue/restore`.")]
    messages: int


class Restored(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which clear to undo."""

    batch: Annotated[str, Meta(examples=["batch_1a206897d5f9d4dec100c71b211"])]


class Count(Struct, kw_only=True):
    """How many messages were touched."""

    messages: int


class Held(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which senders to hold, why, and for how long."""

    reason: Reason
    sender: Annotated[
        str | None, Meta(description="null: all of them.", examples=["628114040707"])
    ] = None
    until: Annotated[Instant | None, Meta(description="null: until resumed.")] = None


class OneOrAll(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which sender."""

    sender: Annotated[
        str | None, Meta(description="null: all of them.", examples=["628114040707"])
    ] = None


class Senders(Struct, kw_only=True):
    """The senders that were touched."""

    senders: list[str]


class Sender(Struct, kw_only=True):
    """A number that messages are sent from."""

    number: str
    gateway: str
    pace_s: Annotated[float, Meta(description="Least seconds between the starts of two calls.")]
    default: Annotated[bool, Meta(description="Whether it sends what names no sender.")]


class Fleet(Struct, kw_only=True):
    """Every sender that is configured."""

    senders: list[Sender]


def chosen(
    sender: str | None, priority: str | None, reference: str | None, recipient: str | None
) -> Filter:
    """A filter of what applications name.

    Raises:
        PhoneError: the recipient is not a number.
    """
    return Filter(
        sender=sender,
        priority=None if priority is None else Priority[priority.upper()],
        reference=reference,
        recipient=None if recipient is None else parse_phone(recipient, mobile_only=False),
    )
