"""Midtrans' notification of a transaction, and the question whether what it says is so.

Its signature covers the order, the sum and a code, but not the `transaction_status`: who has seen
one notification could make another. So a success counts once their own API has confirmed it.

Source: Midtrans/technical-documentation-site, `en/after-payment/http-notification.md`; "Best
Practices to Handle Notification" of docs.midtrans.com, read in 2026.
"""

import asyncio
import hashlib
import hmac
import logging
import ssl
from collections.abc import Callable
from urllib.parse import quote

import httpx
import msgspec

from waqcore.payments import (
    ForgedError,
    MalformedError,
    PaymentEvent,
    UnconfirmedError,
    Verdict,
)
from waqcore.payments.reading import Name, Word, parsed

log = logging.getLogger("waqcore.payments")

PROVIDER = "midtrans"

CONFIRM_S = 4.0
"""Seconds for the question: they ask to be answered in five, and give up after 15."""

ACCEPTED = ("", "accept")
"""What `fraud_status` says, if anything, of a payment that stands."""

FAILURES = frozenset({"deny", "cancel", "expire", "failure"})


class Notification(msgspec.Struct):
    """A transaction, as a notification and the status call tell of it. All are texts: the sum as a
    number would be written in another way than the one that was signed."""

    order_id: Name
    status_code: Word
    gross_amount: Word
    transaction_status: Word
    signature_key: str = ""
    transaction_id: str = ""
    fraud_status: str | None = None

    def verdict(self) -> Verdict:
        """What it says of the payment."""
        fraud = self.fraud_status or ""
        if self.transaction_status in FAILURES:
            return Verdict.FAILED
        if self.transaction_status in ("settlement", "capture"):
            if fraud == "deny":
                return Verdict.FAILED
            if fraud in ACCEPTED and self.status_code == "200":
                return Verdict.PAID
        return Verdict.OPEN

    def event(self) -> PaymentEvent:
        """The event it is."""
        status, fraud = self.transaction_status, self.fraud_status or ""
        return PaymentEvent(
            PROVIDER,
            f"{self.order_id}:{self.transaction_id[:80]}:{status}:{fraud[:20]}",
            self.order_id,
            "",
            self.verdict(),
            status,
        )


def notification(server_key: str, body: bytes) -> Notification:
    """What a notification says, once its signature is proved.

    Raises:
        MalformedError: it is no notification.
        ForgedError: it was not signed with the server key.
    """
    said = parsed(body, Notification)
    signed = f"{said.order_id}{said.status_code}{said.gross_amount}{server_key}"
    ours = hashlib.sha512(signed.encode()).hexdigest()
    given = said.signature_key.encode("utf-8", "surrogateescape")
    if not hmac.compare_digest(given, ours.encode()):
        raise ForgedError(
            "signature_key was not made with WAQ_MIDTRANS_SERVER_KEY; Midtrans' dashboard shows it "
            "under Settings, Access Keys, another for the sandbox"
        )
    return said


Client = Callable[[], httpx.AsyncClient]
"""Makes a client for one question. They are few, and a connection kept open would mostly be found
closed by the other side."""


def client(proxy: str | None) -> Client:
    """Clients that ask the real API; `proxy` None: directly."""
    context: ssl.SSLContext = httpx.create_ssl_context()
    return lambda: httpx.AsyncClient(
        verify=context, proxy=proxy, trust_env=False, timeout=CONFIRM_S
    )


async def confirmed(
    said: Notification, *, url: str, server_key: str, client: Client
) -> PaymentEvent:
    """The event of a notification that tells of a success, as their own API tells it.

    Raises:
        UnconfirmedError: the API cannot be asked, or does not know of the success yet.
    """
    asked = f"{url.rstrip('/')}/v2/{quote(said.order_id, safe='')}/status"
    try:
        async with asyncio.timeout(CONFIRM_S), client() as http:
            answer = await http.get(
                asked, auth=(server_key, ""), headers={"Accept": "application/json"}
            )
        known = parsed(answer.content, Notification)
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, MalformedError) as error:
        raise UnconfirmedError(
            f"Midtrans cannot say now whether it is so ({type(error).__name__})"
        ) from None
    if known.order_id != said.order_id or known.verdict() is Verdict.OPEN:
        # Their API may lag behind their notifications: to answer 200 would be to never hear again.
        raise UnconfirmedError(f"Midtrans says it is {known.transaction_status!r} as yet")
    return known.event()
