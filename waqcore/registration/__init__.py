"""Registrations: the payment link and the activation message of one, queued together or not at all.

Python callers use `register` and `find`; the HTTP API does nothing but call them.
"""

import json
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from waqcore.message import Message, instant
from waqcore.payments import settle
from waqcore.queue import NotFoundError, Queue
from waqcore.registration.form import Registration, RegistrationError, TakenError, row_of
from waqcore.store import enqueue, registrations
from waqcore.store.controls import Filter
from waqcore.store.enqueue import NewMessage
from waqcore.store.registrations import RegistrationRow
from waqcore.templates import Templates, shipped
from waqcore.wording import first_drafts, messages_of

__all__ = ["Registered", "Registration", "RegistrationError", "TakenError", "find", "register"]


class Registered(NamedTuple):
    """A registration as it stands."""

    id: str
    invoice: str
    payment: str
    """`pending`, `paid` or `failed`."""
    payment_reason: str
    payment_at: datetime | None
    """When we heard of it; None: we have not."""
    registered_at: datetime
    messages: dict[str, Message]
    """By kind: `payment_link`, `activation`, and what has followed."""
    repeated: bool
    """It was known before."""


def register(
    queue: Queue, registration: Registration, *, templates: Templates | None = None
) -> Registered:
    """Queue what somebody who registered is sent; when this returns, it is on disk.

    The same registration again queues nothing, and gives what has become of it. `templates`: None
    means those that are shipped.

    Raises:
        PhoneError, TextError, DraftError, TemplatesError: it cannot be sent; nothing was stored.
        SuppressedError: the recipient has opted out; nothing was stored.
        TakenError: the id was used for something else; nothing was stored.
        StoreError: the database cannot be written to; nothing was stored.
    """
    words = shipped() if templates is None else templates
    row = row_of(registration, queue.store.now().wall)
    known = queue.store.read(lambda c: registrations.find(c, row.id))
    if known is not None:
        # Before its texts are looked at: a link that has expired since is no reason to refuse it.
        return _registered(queue, _same(known, row), repeated=True)
    drafts = first_drafts(row, words, queue.store.timezone)
    new = queue.checked(drafts.values())
    ids = {kind: one.id for kind, one in zip(drafts, new, strict=True)}
    row = row._replace(messages=json.dumps(ids))
    stored, repeated = settle.write(queue, lambda c: _store(c, queue, words, row, new))
    return _registered(queue, stored, repeated=repeated)


def find(queue: Queue, id_: str) -> Registered:
    """A registration as it stands.

    Raises:
        NotFoundError: there is none of that id.
    """
    row = queue.store.read(lambda connection: registrations.find(connection, id_))
    if row is None:
        raise NotFoundError(f"there is no registration {id_!r}")
    return _registered(queue, row, repeated=True)


def _store(
    connection: Connection,
    queue: Queue,
    templates: Templates,
    row: RegistrationRow,
    new: list[NewMessage],
) -> tuple[RegistrationRow, bool]:
    """Store it all, unless somebody has meanwhile; returns what stands, and whether they had."""
    settle.hold(connection, {row.id, row.invoice})
    known = registrations.find(connection, row.id)
    if known is not None:
        return _same(known, row), True
    (ids,) = enqueue.enqueue(connection, [new])
    kinds = messages_of(row)
    row = row._replace(messages=json.dumps(dict(zip(kinds, ids, strict=True))))
    registrations.add(connection, row)
    settle.apply_early(connection, queue, templates, row)
    found = registrations.find(connection, row.id)
    assert found is not None, "it was stored just now"
    return found, False


def _same(known: RegistrationRow, row: RegistrationRow) -> RegistrationRow:
    if known.content_hash != row.content_hash:
        raise TakenError(row.id)
    return known


def _registered(queue: Queue, row: RegistrationRow, *, repeated: bool) -> Registered:
    ids = messages_of(row)
    found = {one.id: one for one in queue.messages(Filter(ids=tuple(ids.values())))}
    return Registered(
        row.id,
        row.invoice,
        row.payment,
        row.payment_reason,
        None if row.payment_at is None else instant(row.payment_at),
        instant(row.registered_at),
        {kind: found[id_] for kind, id_ in ids.items() if id_ in found},
        repeated,
    )
