"""Registrations: the payment link and the activation message of one, queued together or not at all.

Python callers use `register`, `add_invoice` and `find`; the HTTP API uses `register_each`, for all
that come at once, and the others.
"""

from waqcore.queue import NotFoundError, Queue
from waqcore.registration.form import (
    ClosedError,
    Invoice,
    InvoiceTakenError,
    Registration,
    RegistrationError,
    TakenError,
)
from waqcore.registration.further import add_invoice
from waqcore.registration.together import Registered, Standing, register_each, seen
from waqcore.store import registrations
from waqcore.templates import Templates, shipped

__all__ = [
    "ClosedError",
    "Invoice",
    "InvoiceTakenError",
    "Registered",
    "Registration",
    "RegistrationError",
    "TakenError",
    "add_invoice",
    "find",
    "register",
    "register_each",
]


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
        DoubtfulCommitError: nobody knows whether it was stored; register again with the same id.
    """
    (one,) = register_each(queue, [registration], shipped() if templates is None else templates)
    if isinstance(one, Exception):
        raise one
    return one


def find(queue: Queue, id_: str) -> Registered:
    """A registration as it stands.

    Raises:
        NotFoundError: there is none of that id.
    """
    row = queue.store.read(lambda connection: registrations.find(connection, id_))
    if row is None:
        raise NotFoundError(f"there is no registration {id_!r}")
    (found,) = seen(queue, [Standing(row, repeated=True)])
    return found
