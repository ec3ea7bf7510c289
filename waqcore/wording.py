"""What is written to a person who registered: a draft of each kind, from their row."""

import json
from collections.abc import Mapping
from datetime import timedelta, tzinfo
from typing import Any

from waqcore.draft import Draft
from waqcore.message import instant
from waqcore.store.registrations import RegistrationRow
from waqcore.templates import Kind, Language, Templates
from waqcore.templates import values as shown

LINKS = (Kind.PAYMENT_LINK, Kind.PAYMENT_REMINDER)
"""Messages that ask for a payment: none of them may go out once it was made, or cannot be."""


def fields_of(row: RegistrationRow) -> dict[str, Any]:
    """What templates may say of a registration besides whose it is."""
    fields: dict[str, Any] = json.loads(row.fields)
    return fields


def messages_of(row: RegistrationRow) -> dict[str, str]:
    """The ids of a registration's messages by kind; reminders also name their hours."""
    messages: dict[str, str] = json.loads(row.messages)
    return messages


def is_link(kind: str) -> bool:
    """Whether a message of a kind, as `messages_of` names it, asks for a payment."""
    return kind.partition(":")[0] in LINKS


def values(row: RegistrationRow, zone: tzinfo) -> Mapping[str, object]:
    """What stands in the templates' blanks, all of it neutralised.

    Raises:
        TemplatesError: a value cannot stand in a text.
    """
    fields = fields_of(row)
    language = Language(row.language)
    expires_at = fields["expires_at"]
    local = None if expires_at is None else instant(expires_at).astimezone(zone)
    event = fields["event"]
    return {
        **{key: shown.other(key, value) for key, value in fields["more"].items()},
        "name": shown.name(row.name),
        "registration_id": shown.plain(row.id),
        "payment_url": shown.link("payment_url", fields["payment_url"]),
        "expires_at": shown.instant(local, language),
        "event": None if event is None else shown.other("event", event),
        "amount": shown.amount(fields["amount"], language),
        "invoice": shown.plain(row.invoice),
        "phone": row.phone,
    }


def first_drafts(row: RegistrationRow, templates: Templates, zone: tzinfo) -> dict[str, Draft]:
    """What is queued as somebody registers, by kind, in the order in which it should go.

    Every other text is tried as well: it must not turn out only when the payment has come that the
    template of its confirmation wants a field that was never given.

    Raises:
        TemplatesError: a text cannot be written.
    """
    blanks = values(row, zone)
    language = Language(row.language)
    texts = {kind: templates.text(kind, language, blanks) for kind in Kind}
    fields = fields_of(row)
    until = fields["expires_at"]
    expires_at = None if until is None else instant(until)
    drafts = {
        str(Kind.PAYMENT_LINK): draft(
            row,
            Kind.PAYMENT_LINK,
            texts[Kind.PAYMENT_LINK],
            priority="high",
            expires_at=expires_at,
        ),
        str(Kind.ACTIVATION): draft(row, Kind.ACTIVATION, texts[Kind.ACTIVATION]),
    }
    registered_at = instant(row.registered_at)
    for hours in fields["remind_before_hours"]:
        assert expires_at is not None
        send_at = expires_at - timedelta(hours=hours)
        if send_at <= registered_at:
            continue  # It would come together with the link itself.
        name = f"{Kind.PAYMENT_REMINDER}:{hours:g}"
        drafts[name] = draft(
            row, name, texts[Kind.PAYMENT_REMINDER], send_at=send_at, expires_at=expires_at
        )
    return drafts


def draft(row: RegistrationRow, name: str, text: str, **more: Any) -> Draft:
    """A message of a registration; `name` is its kind, and its part of the idempotency key."""
    return Draft(
        to=row.phone,
        body=text,
        sender=row.sender,
        reference=row.id,
        idempotency_key=f"{row.id}:{name}",
        **more,
    )
