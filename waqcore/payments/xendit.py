"""Xendit's callback of an invoice: proved by a token of the account, and nothing else.

Source: xendit/xendit-python, `docs/invoice/InvoiceCallback.md`; docs.xendit.co, "Webhook behavior",
read in 2026. Any answer but 2xx is repeated six times within 24 hours; none within 30 s may not be.
"""

import hmac
import logging
from collections.abc import Mapping

import msgspec

from waqcore.payments import ForgedError, PaymentEvent, Verdict
from waqcore.payments.reading import Name, Word, parsed

log = logging.getLogger("waqcore.payments")

PROVIDER = "xendit"

VERDICTS = {
    "PAID": Verdict.PAID,
    "SETTLED": Verdict.PAID,  # Paid some days ago, and now ours.
    "EXPIRED": Verdict.FAILED,
    "PENDING": Verdict.OPEN,
}


class _Invoice(msgspec.Struct):
    id: Name
    external_id: Name
    status: Word


def event(token: str, headers: Mapping[str, str], body: bytes) -> PaymentEvent:
    """What a callback says; header names are in lower case.

    Raises:
        ForgedError: it has not the account's token.
        MalformedError: it is no callback of an invoice.
    """
    given = headers.get("x-callback-token", "")
    if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode()):
        raise ForgedError(
            "x-callback-token is not that of WAQ_XENDIT_TOKEN; Xendit's dashboard shows it under "
            "Settings, Webhooks"
        )
    invoice = parsed(body, _Invoice)
    if invoice.status not in VERDICTS:
        log.warning("xendit says what is not known here", extra={"status": invoice.status})
    return PaymentEvent(
        PROVIDER,
        f"{invoice.id}:{invoice.status}",
        invoice.external_id,
        invoice.id,
        VERDICTS.get(invoice.status, Verdict.OPEN),
        invoice.status,
    )
