"""What a payment event makes of a registration and its messages, in one transaction with its row.

Decided per registration, never per invoice or by what came last: who has paid stays paid.
"""

import json
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from waqcore.core import control
from waqcore.core.message import State
from waqcore.draft import Draft
from waqcore.payments import PaymentEvent, Verdict
from waqcore.queue import Queue
from waqcore.store import controls, enqueue, events, exclusive, registrations
from waqcore.store.controls import Filter
from waqcore.store.enqueue import IdempotencyError, SuppressedError
from waqcore.store.events import Happening
from waqcore.store.fresh import NewMessage
from waqcore.store.registrations import UNKNOWN, PaymentRow, RegistrationRow
from waqcore.templates import Kind, Language, Templates, TemplatesError, shipped
from waqcore.wording import draft, is_link, kind_of, messages_of, named, values

log = logging.getLogger("waqcore.payments")

T = TypeVar("T")

REPEATED = "repeated"
IGNORED = "ignored"
OTHER_INVOICE = "other invoice"

NEXT: dict[tuple[str, Verdict], Kind] = {
    ("pending", Verdict.PAID): Kind.PAYMENT_CONFIRMED,
    ("failed", Verdict.PAID): Kind.PAYMENT_CONFIRMED,
    ("pending", Verdict.FAILED): Kind.PAYMENT_FAILED,
}
"""What changes the state of a payment, and what its payer is told; everything else is ignored."""


def is_known(queue: Queue, event: PaymentEvent) -> bool:
    """Whether an event came before, and nothing more needs to be done about it."""
    return queue.store.read(lambda c: registrations.is_known(c, event.provider, event.id))


def take(queue: Queue, templates: Templates, event: PaymentEvent) -> str:
    """Take an event in; when this returns, it and what follows from it are on disk.

    Returns its effect: `paid`, `failed`, or why it had none.

    Raises:
        StoreError: the database cannot be written to; nothing was stored.
    """
    if is_known(queue, event):
        effect = REPEATED  # Most repetitions come later, and need no write.
    else:
        effect = write(queue, lambda c: take_in(c, queue, templates, event))
    log.info(
        "payment event",
        extra={
            "provider": event.provider,
            "event_id": event.id,
            "reference": event.reference,
            "verdict": event.verdict,
            "effect": effect,
        },
    )
    return effect


def write(queue: Queue, work: Callable[[Connection], T]) -> T:
    """Run work in one transaction, again where another process stored the same meanwhile."""
    try:
        return queue.store.write(work)
    except IntegrityError:
        return queue.store.write(work)


def take_in(connection: Connection, queue: Queue, templates: Templates, event: PaymentEvent) -> str:
    """As `take`, in the caller's transaction."""
    names = {event.reference, event.invoice} - {""}
    hold(connection, names)
    if registrations.is_known(connection, event.provider, event.id):
        return REPEATED
    effect = _apply_to_all(connection, queue, templates, event)
    row = PaymentRow(
        event.provider,
        event.id,
        event.reference,
        event.invoice,
        event.verdict,
        event.reason,
        queue.store.now().wall,
        effect,
    )
    registrations.add_event(connection, row)
    return effect


def _strength(effect: str) -> int:
    return [UNKNOWN, IGNORED, OTHER_INVOICE, Verdict.FAILED, Verdict.PAID].index(effect)


def hold(connection: Connection, names: Collection[str]) -> None:
    """Let no event and no registration of these names be stored beside us until we have ended: else
    each of the two, stored at once, would miss the other."""
    exclusive.alone(connection, *(f"payment of {name}" for name in names))


def apply_early(
    connection: Connection, queue: Queue, templates: Templates, rows: Sequence[RegistrationRow]
) -> None:
    """Take in what came before registrations did, or an invoice of theirs, for all that were stored
    by this transaction. An event that others have heard of is for these as well.
    """
    names = {row.id: {row.id, row.invoice} for row in rows}
    for early in registrations.events_of(connection, set().union(*names.values())):
        event = PaymentEvent(
            early.provider,
            early.event,
            early.reference,
            early.invoice,
            Verdict(early.verdict),
            early.reason,
        )
        told = {event.reference, event.invoice}
        ids = [id_ for id_, its in names.items() if its & told]
        effects = [
            apply(connection, queue, templates, row, event)
            for row in registrations.by_ids(connection, ids).values()
        ]
        strongest = max(early.effect, *effects, key=_strength)
        if strongest != early.effect:
            registrations.set_effect(connection, early.provider, early.event, strongest)


def _apply_to_all(
    connection: Connection, queue: Queue, templates: Templates, event: PaymentEvent
) -> str:
    """Change every registration that an event names; one payment may be for several people.

    Returns the strongest of its effects, which tells what it did.
    """
    effects = [
        apply(connection, queue, templates, row, event)
        for row in registrations.paid_by(connection, {event.reference, event.invoice} - {""})
    ]
    return max(effects, key=_strength, default=UNKNOWN)


def apply(
    connection: Connection,
    queue: Queue,
    templates: Templates,
    row: RegistrationRow,
    event: PaymentEvent,
) -> str:
    """Change a registration as an event says, if that may still change it; returns the effect."""
    kind = NEXT.get((row.payment, event.verdict))
    if kind is None:
        return IGNORED
    if event.verdict is Verdict.FAILED and not _is_its(row, event):
        return OTHER_INVOICE
    messages = messages_of(row)
    stale = [name for name in messages if is_link(name)]
    if kind is Kind.PAYMENT_CONFIRMED:  # Paid after all: the bad news is none.
        stale += bad_news(messages)
    actor, reason = f"payment {event.provider}", f"payment {event.verdict}: {event.reason}"
    withdraw(connection, queue, row, stale, actor, reason)
    name = named(kind, row.invoices) if kind is Kind.PAYMENT_FAILED else str(kind)
    notice = _notice(queue, templates, row, kind, name)
    if notice is not None:
        messages |= _queued(connection, row, name, notice)
    changes: dict[str, Any] = {
        "payment": str(event.verdict),
        "payment_reason": event.reason,
        "payment_at": queue.store.now().wall,
        "messages": json.dumps(messages),
    }
    registrations.change(connection, row.id, changes)
    return event.verdict


def _is_its(row: RegistrationRow, event: PaymentEvent) -> bool:
    """Whether the end of an invoice is that of the one we sent the link of, as far as one knows.

    A registration that names no invoice of its own takes whatever is said of its id.
    """
    return row.invoice in {row.id, event.reference, event.invoice}


def bad_news(names: Iterable[str]) -> list[str]:
    """Those of a registration's messages that tell of a failure."""
    return [name for name in names if kind_of(name) is Kind.PAYMENT_FAILED]


def withdraw(
    connection: Connection,
    queue: Queue,
    row: RegistrationRow,
    names: Iterable[str],
    actor: str,
    reason: str,
) -> None:
    """Cancel those of a registration's messages that must not go out any more; what is being sent,
    if it turns out not to be."""
    messages = messages_of(row)
    controls.change(
        connection,
        Filter(ids=tuple(messages[name] for name in names), states=(State.QUEUED, State.SENDING)),
        lambda message, _: control.cancel(message, reason),
        queue.store.now(),
        said=Happening(actor, "cancel", detail=f"{row.id}: {reason}"),
        to_seq=events.latest(connection).message_seq,
    )


def _notice(
    queue: Queue, templates: Templates, row: RegistrationRow, kind: Kind, name: str
) -> NewMessage | None:
    """The message that tells its payer; in our own words where the operator's fail.

    Nothing here may keep a payment from being stored: no provider sends better words next time.
    """
    known = row if row.sender in queue.store.senders else row._replace(sender=None)
    for words in (templates, shipped()):
        try:
            return queue.checked([_draft(queue, words, known, kind, name)])[0]
        except ValueError as error:
            # Other errors may repeat what is in the message, or its recipient.
            why = str(error) if isinstance(error, TemplatesError) else type(error).__name__
            log.error(
                "a payment notice cannot be written",
                extra={"registration": row.id, "kind": name, "reason": why},
            )
    return None


def _draft(
    queue: Queue, templates: Templates, row: RegistrationRow, kind: Kind, name: str
) -> Draft:
    blanks = values(row, queue.store.timezone)
    text = templates.text(kind, Language(row.language), blanks)
    return draft(row, name, text, priority="high")


def _queued(
    connection: Connection, row: RegistrationRow, name: str, notice: NewMessage
) -> dict[str, str]:
    try:
        ((id_,),) = enqueue.enqueue(connection, [[notice]])
    except (SuppressedError, IdempotencyError) as error:
        # Opted out since, or somebody has used the key: they are not told, but they have paid.
        log.warning(
            "a payment notice is not queued",
            extra={"registration": row.id, "kind": name, "reason": type(error).__name__},
        )
        return {}
    return {name: id_}
