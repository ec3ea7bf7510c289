"""What an application says of somebody who registered, and whether it can be taken."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from waqcore.content import content_hash
from waqcore.core.instants import DAY
from waqcore.draft import DraftError
from waqcore.message import wall_us
from waqcore.phone import parse_phone
from waqcore.store.registrations import RegistrationRow
from waqcore.templates import STANDARD, Language, values

ID_MAX = 120
"""Characters of an id; the key of each of its messages has the kind behind it."""

REMINDERS_MAX = 5
"""Reminders of one payment; people who are asked more often report the sender, and it is banned."""

EXPIRY_MAX_US = 10 * 366 * DAY
"""How far away a payment link may end."""

FIELDS_MAX = 50
"""Fields of the application's own; a template has a few lines."""


Fields = Mapping[str, str | int | float | bool | None]
"""What templates may say besides, by name."""


class RegistrationError(DraftError):
    """A registration that cannot be taken as it is; whoever made it has to correct it."""


class ClosedError(RegistrationError):
    """The registration takes no further invoice: it is paid, or nobody is known to send one to."""


class TakenError(RegistrationError):
    """The registration's id was used before, for something else."""

    def __init__(self, id_: str) -> None:
        super().__init__(
            f"the registration {id_!r} is known with other content: nothing was queued; use one "
            "id for one registration, or send the same content again to get the same messages"
        )
        self.id = id_


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Somebody who registered, and has to pay."""

    id: str
    """The application's own; the same again gives the same messages."""
    name: str
    phone: str
    """As people write it: `0812…` or `+62812…`."""
    payment_url: str
    expires_at: datetime | None = None
    """When the payment link ends, and with it the message that has it; None: never."""
    language: str = "id"
    """`id` or `en`."""
    event: str | None = None
    """What they registered for; None: the texts do not say."""
    amount: int | float | str | None = None
    """Rupiah, or a text as it should read; None: the texts do not say."""
    invoice: str | None = None
    """What the payment provider calls it; None: as the registration."""
    sender: str | None = None
    """One of the configured senders; None: the first of them."""
    remind_before_hours: Sequence[float] = ()
    """Reminders, so many hours before `expires_at`."""
    fields: Fields = field(default_factory=dict)
    """Whatever else the operator's own templates say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """Another invoice of a registration, instead of the one before."""

    registration: str
    """The id of the registration."""
    id: str
    """What the payment provider's events call it; the same again gives the same messages."""
    payment_url: str
    expires_at: datetime | None = None
    """When the payment link ends, and with it the message that has it; None: never."""
    amount: int | float | str | None = None
    """Rupiah, or a text as it should read; None: the texts do not say."""
    remind_before_hours: Sequence[float] = ()
    """Reminders, so many hours before `expires_at`."""


class InvoiceTakenError(RegistrationError):
    """The invoice's name was used before, for something else."""

    def __init__(self, invoice: Invoice) -> None:
        super().__init__(
            f"the invoice {invoice.id!r} of the registration {invoice.registration!r} is known "
            "with other content: nothing was queued; name each invoice as the payment provider "
            "does, or send the same content again to get the same messages"
        )


def row_of(registration: Registration, wall: int) -> RegistrationRow:
    """A registration as it is kept, but for its messages; `wall` is when it came.

    Raises:
        PhoneError, TemplatesError, RegistrationError: it cannot be taken.
    """
    invoice = registration.id if registration.invoice is None else registration.invoice
    _check_ids(registration_id=registration.id, invoice=invoice)
    fields = json.dumps(
        {
            **_terms(registration, wall),
            "event": registration.event,
            "more": _more(registration.fields),
        },
        sort_keys=True,
    )
    row = RegistrationRow(
        id=registration.id,
        invoice=invoice,
        content_hash="",
        name=values.name(registration.name),
        # Any valid number here: whether a landline will do is the queue's to say.
        phone=parse_phone(registration.phone, mobile_only=False),
        language=_language(registration.language),
        sender=registration.sender,
        fields=fields,
        messages="{}",
        registered_at=wall,
    )
    content = (row.invoice, row.name, row.phone, row.language, row.sender, row.fields)
    return row._replace(content_hash=content_hash(content))


def with_invoice(row: RegistrationRow, invoice: Invoice, wall: int) -> RegistrationRow:
    """A registration with a further invoice, for which nothing has been paid yet; `wall` is when it
    came.

    Raises:
        RegistrationError: it cannot be taken.
    """
    if invoice.id == row.id:
        raise RegistrationError(
            f"invoice is {invoice.id!r}, as the registration: name it as the payment provider's "
            "events do, or the end of an earlier invoice could not be told from that of this one"
        )
    fields = json.loads(row.fields) | _terms(invoice, wall)
    return row._replace(
        invoice=invoice.id,
        fields=json.dumps(fields, sort_keys=True),
        payment="pending",
        payment_reason="",
        payment_at=None,
        invoices=row.invoices + 1,
    )


def hash_of(invoice: Invoice, wall: int) -> str:
    """What tells whether an invoice is the same again.

    Raises:
        RegistrationError: it cannot be taken.
    """
    _check_ids(registration_id=invoice.registration, invoice=invoice.id)
    return content_hash((invoice.id, sorted(_terms(invoice, wall).items())))


def hash_of_current(row: RegistrationRow) -> str:
    """The same of the invoice that a registration has."""
    fields = json.loads(row.fields)
    return content_hash((row.invoice, sorted((name, fields[name]) for name in _TERMS)))


_TERMS = ("payment_url", "expires_at", "amount", "remind_before_hours")
"""What an invoice says, by its name in `fields`."""


def _terms(given: Registration | Invoice, wall: int) -> dict[str, object]:
    expires_at = _expiry(given.expires_at, wall)
    values = (given.payment_url, expires_at, given.amount, _reminders(given))
    return dict(zip(_TERMS, values, strict=True))


def _check_ids(**ids: str) -> None:
    for name, value in ids.items():
        if not 0 < len(value) <= ID_MAX or not value.isprintable():
            raise RegistrationError(
                f"{name} must be 1 to {ID_MAX} printable characters, not {value[:40]!r}"
            )


def _expiry(at: datetime | None, wall: int) -> int | None:
    if at is None:
        return None
    try:
        expires_at = wall_us(at)
    except ValueError as error:
        raise RegistrationError(f"expires_at: {error}") from None
    # Farther away, dates of other zones, and of reminders before it, fall out of the calendar.
    if abs(expires_at - wall) > EXPIRY_MAX_US:
        raise RegistrationError(
            f"expires_at ({at.isoformat()}) is more than ten years away: give the instant at which "
            "the payment link ends, or leave it out"
        )
    return expires_at


def _language(word: str) -> str:
    if word not in list(Language):
        raise RegistrationError(
            f"there is no language {word[:20]!r}: it may be {' or '.join(Language)}"
        )
    return word


def _reminders(given: Registration | Invoice) -> list[float]:
    hours = sorted({float(each) for each in given.remind_before_hours}, reverse=True)
    if hours and given.expires_at is None:
        raise RegistrationError("remind_before_hours needs expires_at: before what should it be?")
    if len(hours) > REMINDERS_MAX or any(not 0 < each <= 24 * 366 for each in hours):
        raise RegistrationError(
            f"remind_before_hours may name up to {REMINDERS_MAX} numbers of hours, each over 0 "
            f"and up to a year, not {hours}"
        )
    return hours


def _more(fields: Fields) -> Fields:
    if len(fields) > FIELDS_MAX:
        raise RegistrationError(f"{len(fields)} fields are too many: {FIELDS_MAX} may be given")
    for name in fields:
        if not name.isidentifier() or name.startswith("_") or name in STANDARD:
            raise RegistrationError(
                f"{name[:40]!r} cannot be the name of a field in templates: use letters, digits "
                "and _, and none of the names that stand for something already"
            )
    return dict(fields)
