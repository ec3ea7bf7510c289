"""What is written to a person who registered: a draft of each kind, from their row."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
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
    """The ids of a registration's messages by what they are called; see `named`."""
    messages: dict[str, str] = json.loads(row.messages)
    return messages


def named(kind: str, invoices: int) -> str:
    """What a message is called: its kind, and of a further invoice its number, as `payment_link/2`.

    Reminders name their hours, too: `payment_reminder:24/2`.
    """
    return str(kind) if invoices == 1 else f"{kind}/{invoices}"


def kind_of(name: str) -> Kind:
    """The kind of a message by what it is called."""
    return Kind(name.partition("/")[0].partition(":")[0])


def is_link(name: str) -> bool:
    """Whether a message, by what it is called, asks for a payment."""
    return kind_of(name) in LINKS


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
    texts = _texts(row, templates, zone)
    activation = draft(row, Kind.ACTIVATION, texts[Kind.ACTIVATION])
    return {
        **_link(row, texts),
        str(Kind.ACTIVATION): activation,
        **_reminders(row, texts, instant(row.registered_at)),
    }


def further_drafts(
    row: RegistrationRow, templates: Templates, zone: tzinfo, at: datetime
) -> dict[str, Draft]:
    """What is queued for a further invoice that comes at an instant; as `first_drafts`.

    Raises:
        TemplatesError: a text cannot be written.
    """
    texts = _texts(row, templates, zone)
    return {**_link(row, texts), **_reminders(row, texts, at)}


def _texts(row: RegistrationRow, templates: Templates, zone: tzinfo) -> dict[Kind, str]:
    blanks = values(row, zone)
    language = Language(row.language)
    return {kind: templates.text(kind, language, blanks) for kind in Kind}


def _link(row: RegistrationRow, texts: Mapping[Kind, str]) -> dict[str, Draft]:
    name, text = named(Kind.PAYMENT_LINK, row.invoices), texts[Kind.PAYMENT_LINK]
    return {name: draft(row, name, text, priority="high", expires_at=_expires_at(row))}


def _reminders(
    row: RegistrationRow, texts: Mapping[Kind, str], linked_at: datetime
) -> dict[str, Draft]:
    drafts = {}
    expires_at = _expires_at(row)
    for hours in fields_of(row)["remind_before_hours"]:
        assert expires_at is not None
        send_at = expires_at - timedelta(hours=hours)
        if send_at <= linked_at:
            continue  # It would come together with the link itself.
        name = named(f"{Kind.PAYMENT_REMINDER}:{hours:g}", row.invoices)
        text = texts[Kind.PAYMENT_REMINDER]
        drafts[name] = draft(row, name, text, send_at=send_at, expires_at=expires_at)
    return drafts


def _expires_at(row: RegistrationRow) -> datetime | None:
    until = fields_of(row)["expires_at"]
    return None if until is None else instant(until)


def draft(row: RegistrationRow, name: str, text: str, **more: Any) -> Draft:
    """A message of a registration; `name` is what it is called, and ends the idempotency key."""
    return Draft(
        to=row.phone,
        body=text,
        sender=row.sender,
        reference=row.id,
        idempotency_key=f"{row.id}:{name}",
        **more,
    )
