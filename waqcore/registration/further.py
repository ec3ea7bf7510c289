"""A further invoice for somebody who has registered, whose first has expired or will not do."""

import json
from collections.abc import Mapping

from sqlalchemy import Connection

from waqcore.message import instant
from waqcore.payments import Verdict, settle
from waqcore.queue import NotFoundError, Queue
from waqcore.registration.form import (
    ClosedError,
    Invoice,
    InvoiceTakenError,
    hash_of,
    hash_of_current,
    with_invoice,
)
from waqcore.registration.together import Registered, Standing, seen
from waqcore.store import enqueue, registrations
from waqcore.store.registrations import InvoiceRow, RegistrationRow
from waqcore.store.retention import ERASED
from waqcore.templates import Templates, shipped
from waqcore.wording import further_drafts, is_link, messages_of


def add_invoice(
    queue: Queue, invoice: Invoice, *, templates: Templates | None = None
) -> Registered:
    """Send a registration's next payment link; when this returns, it is on disk.

    It takes the place of the one before: links, reminders and a failure notice that have not gone
    out are cancelled, the payment is open again, and from now on the end of an earlier invoice
    changes nothing, while a payment of one still counts. The same invoice again queues nothing.
    `templates`: None means those that are shipped.

    Raises:
        NotFoundError: there is no such registration.
        ClosedError: it is paid already, or its person was erased; nothing was stored.
        InvoiceTakenError: the invoice is known with other content; nothing was stored.
        TextError, DraftError, TemplatesError: it cannot be sent; nothing was stored.
        SuppressedError: the recipient has opted out; nothing was stored.
        StoreError: the database cannot be written to; nothing was stored.
        DoubtfulCommitError: nobody knows whether it was stored; add it again.
    """
    texts = shipped() if templates is None else templates
    wall = queue.store.now().wall
    content = hash_of(invoice, wall)
    standing = settle.write(queue, lambda c: _store(c, queue, texts, invoice, content, wall))
    (found,) = seen(queue, [standing])
    return found


def _store(
    connection: Connection,
    queue: Queue,
    templates: Templates,
    invoice: Invoice,
    content: str,
    wall: int,
) -> Standing:
    settle.hold(connection, {invoice.registration, invoice.id})
    row = registrations.held(connection, invoice.registration)
    if row is None:
        raise NotFoundError(f"there is no registration {invoice.registration!r}")
    known = _known(connection, row, invoice.id)
    if known is not None:
        if known != content:
            raise InvoiceTakenError(invoice)
        return Standing(row, repeated=True)
    _refuse_closed(row)
    return _replaced(connection, queue, templates, row, with_invoice(row, invoice, wall), content)


def _known(connection: Connection, row: RegistrationRow, name: str) -> str | None:
    """The hash of an invoice's content; None: it is new."""
    if row.invoices == 1 and row.invoice == name and row.phone != ERASED:
        return hash_of_current(row)
    return registrations.content_of(connection, row.id, name)


def _refuse_closed(row: RegistrationRow) -> None:
    if row.payment == Verdict.PAID:
        raise ClosedError(
            f"the registration {row.id!r} is paid: nothing was queued, and nobody should be asked "
            "to pay again"
        )
    if row.phone == ERASED:
        raise ClosedError(
            f"whose registration {row.id!r} is was erased as long ago (WAQ_RETENTION_DAYS): "
            "nothing was queued; register them anew under another id"
        )


def _replaced(
    connection: Connection,
    queue: Queue,
    templates: Templates,
    before: RegistrationRow,
    after: RegistrationRow,
    content: str,
) -> Standing:
    """Store what follows from another invoice; what is known of it already is taken in as well."""
    # A sender that is gone since is replaced by the first, as for every other notice.
    known = after if after.sender in queue.store.senders else after._replace(sender=None)
    at = instant(queue.store.wall_us())
    drafts = further_drafts(known, templates, queue.store.timezone, at)
    new = queue.checked(drafts.values())
    messages = messages_of(before)
    stale = [name for name in messages if is_link(name)] + settle.bad_news(messages)
    reason = f"invoice {after.invoice} came instead"
    settle.withdraw(connection, queue, before, stale, queue.actor, reason)
    (ids,) = enqueue.enqueue(connection, [new])
    messages |= dict(zip(drafts, ids, strict=True))
    after = after._replace(messages=json.dumps(messages))
    registrations.change(connection, after.id, _changes(before, after))
    rows = [InvoiceRow(after.id, after.invoice, content)]
    if before.invoices == 1:
        rows.append(InvoiceRow(before.id, before.invoice, hash_of_current(before)))
    registrations.add_invoices(connection, rows)
    settle.apply_early(connection, queue, templates, [after])
    return Standing(registrations.by_ids(connection, [after.id])[after.id], repeated=False)


def _changes(before: RegistrationRow, after: RegistrationRow) -> Mapping[str, object]:
    return {
        name: value for name, value in after._asdict().items() if value != before._asdict()[name]
    }
