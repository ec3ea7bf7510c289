"""What people registered for, and what became of their payments, as rows."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Select,
    insert,
    or_,
    select,
    update,
)

from waqcore.store.among import among
from waqcore.store.tables import invoice, payment_event, registration


class RegistrationRow(NamedTuple):
    """A registration; instants on the wall."""

    id: str
    invoice: str
    content_hash: str
    name: str
    phone: str
    language: str
    sender: str | None
    fields: str
    """What templates may say besides, as JSON."""
    messages: str
    """Their ids by kind, as JSON."""
    registered_at: int
    payment: str = "pending"
    payment_reason: str = ""
    payment_at: int | None = None
    """None: nothing came of it yet."""
    invoices: int = 1
    """How many it has had."""


class InvoiceRow(NamedTuple):
    """An invoice of a registration that has had several."""

    registration: str
    invoice: str
    content_hash: str


class PaymentRow(NamedTuple):
    """What a payment provider told us, once however often it did."""

    provider: str
    event: str
    reference: str
    invoice: str
    verdict: str
    reason: str
    received_at: int
    effect: str


UNKNOWN = "unknown"
"""The effect of an event whose registration had not come yet, if it ever will."""

_columns = tuple(registration.c[name] for name in RegistrationRow._fields)
_by_ids = select(*_columns).where(among(registration.c.id, "ids"))
_told = tuple(payment_event.c[name] for name in PaymentRow._fields)


def find(connection: Connection, id_: str) -> RegistrationRow | None:
    """A registration; None: there is none of that id."""
    row = connection.execute(select(*_columns).where(registration.c.id == id_)).first()
    return None if row is None else RegistrationRow(*row)


def held(connection: Connection, id_: str) -> RegistrationRow | None:
    """As `find`, held until the transaction ends."""
    query = select(*_columns).where(registration.c.id == id_).with_for_update()
    row = connection.execute(query).first()
    return None if row is None else RegistrationRow(*row)


def paid_by(connection: Connection, names: Collection[str]) -> list[RegistrationRow]:
    """The registrations a payment of these names is for, held until the transaction ends."""
    former = select(invoice.c.registration).where(invoice.c.invoice.in_(names))
    query = select(*_columns).where(
        or_(
            registration.c.id.in_(names),
            registration.c.invoice.in_(names),
            registration.c.id.in_(former),
        )
    )
    rows = connection.execute(query.order_by(registration.c.id).with_for_update())
    return [RegistrationRow(*row) for row in rows]


def by_ids(connection: Connection, ids: Collection[str]) -> dict[str, RegistrationRow]:
    """Registrations by id; one that there is none of is left out."""
    rows = connection.execute(_by_ids, {"ids": list(ids)})
    return {row.id: RegistrationRow(*row) for row in rows}


def add(connection: Connection, rows: Sequence[RegistrationRow]) -> None:
    """Keep new registrations."""
    if rows:
        connection.execute(insert(registration), [row._asdict() for row in rows])


def change(connection: Connection, id_: str, changes: Mapping[str, Any]) -> None:
    """Change columns of a registration that the transaction holds."""
    connection.execute(update(registration).where(registration.c.id == id_).values(changes))


def content_of(connection: Connection, id_: str, name: str) -> str | None:
    """The hash of an invoice's content; None: no such invoice is kept."""
    query = select(invoice.c.content_hash).where(
        invoice.c.registration == id_, invoice.c.invoice == name
    )
    found: str | None = connection.scalar(query)
    return found


def add_invoices(connection: Connection, rows: Sequence[InvoiceRow]) -> None:
    """Keep invoices."""
    connection.execute(insert(invoice), [row._asdict() for row in rows])


# Payment events


def _named(provider: str, event: str) -> Select[Any]:
    return select(payment_event.c.effect).where(
        payment_event.c.provider == provider, payment_event.c.event == event
    )


def is_known(connection: Connection, provider: str, event: str) -> bool:
    """Whether an event came before."""
    return connection.scalar(_named(provider, event)) is not None


def add_event(connection: Connection, row: PaymentRow) -> None:
    """Keep an event that came."""
    connection.execute(insert(payment_event).values(row._asdict()))


def events_of(connection: Connection, names: Collection[str]) -> list[PaymentRow]:
    """The events of these names, whatever came of them, oldest first."""
    query = select(*_told).where(
        or_(payment_event.c.reference.in_(names), payment_event.c.invoice.in_(names))
    )
    return [PaymentRow(*row) for row in connection.execute(query.order_by(payment_event.c.id))]


def set_effect(connection: Connection, provider: str, event: str, effect: str) -> None:
    """Note what became of an event after all."""
    connection.execute(
        update(payment_event)
        .where(payment_event.c.provider == provider, payment_event.c.event == event)
        .values(effect=effect)
    )
