"""Payment events of any application that signs them as Standard Webhooks say.

`{"type": "payment.succeeded", "timestamp": "…", "data": {"registration_id": "REG-1"}}`, or
`payment.failed`, `payment.expired`, `payment.cancelled`; `invoice` may stand for the registration.
"""

from collections.abc import Mapping, Sequence

import msgspec

from waqcore.payments import ForgedError, MalformedError, PaymentEvent, Verdict
from waqcore.payments.reading import Name, Word, parsed
from waqcore.signature import SignatureError, verified_id

PROVIDER = "standard"

ID_MAX = 200
"""Characters of a `webhook-id`; it is kept."""

VERDICTS = {
    "payment.succeeded": Verdict.PAID,
    "payment.failed": Verdict.FAILED,
    "payment.expired": Verdict.FAILED,
    "payment.cancelled": Verdict.FAILED,
}


class _Data(msgspec.Struct):
    registration_id: Name | None = None
    invoice: Name | None = None


class _Event(msgspec.Struct):
    type: Word
    data: _Data = msgspec.field(default_factory=_Data)


def event(
    keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now_s: float
) -> PaymentEvent | None:
    """What an event says; None: nothing that concerns payments. Header names are in lower case.

    Raises:
        ForgedError: it was not signed with a key of ours, or not now.
        MalformedError: it names no payment.
    """
    try:
        id_ = verified_id(keys, headers, body, now_s)
    except SignatureError as error:
        raise ForgedError(str(error)) from None
    said = parsed(body, _Event)
    if said.type not in VERDICTS:
        return None
    names = [name for name in (said.data.registration_id, said.data.invoice) if name]
    if not names or not all(name.isprintable() for name in (id_, *names)) or len(id_) > ID_MAX:
        raise MalformedError("data must name a registration_id or an invoice, in printable words")
    reason = said.type.removeprefix("payment.")
    invoice = names[1] if len(names) > 1 else ""
    return PaymentEvent(PROVIDER, id_, names[0], invoice, VERDICTS[said.type], reason)
