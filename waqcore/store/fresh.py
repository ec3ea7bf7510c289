"""A new message on its way into the database."""

from msgspec import Struct


class NewMessage(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A message that has passed every check but those the database makes.

    What has no value is left out of what a server is sent: it reads that as NULL, in less time.
    """

    id: str
    sender: str
    recipient: str
    body: str
    priority: int
    reference: str | None = None
    idempotency_key: str | None = None
    content_hash: str
    enqueued_at: int
    send_at: int | None = None
    expires_at: int | None = None
    on_unknown: str


FIELDS = NewMessage.__struct_fields__
"""Columns of a new message."""
