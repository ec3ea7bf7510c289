"""Applications are called back: which addresses may be, and what they can hear of."""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from sqlalchemy import Connection

from waqcore.callbacks.address import AddressError, allowed, literal
from waqcore.ids import new_id
from waqcore.signature import new_secret
from waqcore.store import callbacks, outbox
from waqcore.store.callbacks import CallbackRow
from waqcore.store.store import Store

EVENTS = tuple(f"message.{state.value}" for state in sorted(outbox.TOLD))
"""What can be heard of: that a message has come to rest, in one of these ways."""

CALLBACKS_MAX = 50
"""Each gets a row for every message that ends."""

URL_MAX = 2_000

_URL = re.compile(r"https?://[!-~]+")


class CallbackError(ValueError):
    """An address that nothing can be sent to; whoever named it has to correct it."""


def register(
    store: Store, url: str, events: Collection[str], *, actor: str, any_address: bool
) -> CallbackRow:
    """Call an address back from now on; the secret in what this returns is shown this once.

    Raises:
        CallbackError: the address or an event is none, or there are too many.
    """
    check_url(url, any_address=any_address)
    unknown = sorted(set(events) - set(EVENTS))
    if unknown or not events:
        raise CallbackError(
            f"events may be {', '.join(EVENTS)}, not {', '.join(unknown)[:80] or 'none at all'}"
        )
    wall = store.now().wall
    listed = [event for event in EVENTS if event in events]
    row = CallbackRow(new_id("cb", wall), url, f",{','.join(listed)},", new_secret(), wall)

    def add(connection: Connection) -> bool:
        if callbacks.count(connection) >= CALLBACKS_MAX:
            return False
        callbacks.add(connection, row, actor)
        return True

    if not store.write(add):
        raise CallbackError(
            f"there are {CALLBACKS_MAX} callbacks, which is the most: remove one that is not used"
        )
    return row


def check_url(url: str, *, any_address: bool) -> None:
    """Do nothing for an address that may be called back, as far as it can be told by its looks.

    Raises:
        CallbackError: it may not.
    """
    parts = None
    if len(url) <= URL_MAX and _URL.fullmatch(url):
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError:
            parts = None
    if parts is None or not parts.hostname or "@" in parts.netloc or parts.fragment:
        raise CallbackError(
            f"{url[:80]!r} is no address to call back: write it as https://app.example/path, "
            "without a user, a password or a #fragment"
        )
    try:
        address = literal(parts.hostname)
        if address is not None:
            allowed([address], parts.hostname, any_address=any_address)
    except AddressError as error:
        raise CallbackError(str(error)) from None
