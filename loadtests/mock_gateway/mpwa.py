"""MPWA's answers, as data; the rows are the eleven kinds that are known.

Source: zymzz-id/MPWA `app/Http/Controllers/Api/ApiController.php`,
`app/Http/Middleware/CheckApiKey.php`; facts of the wire alone, none of its code.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from loadtests.mock_gateway.faults import Fault
from loadtests.mock_gateway.throttle import LIMIT

JSON = "application/json"


class Answer(NamedTuple):
    """An HTTP answer; status 0 stands for none at all."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = {}


def said(http_status: int, /, **fields: object) -> Answer:
    """An answer whose body is a JSON object."""
    return Answer(http_status, msgspec.json.encode(fields))


def _page(status: int, title: str) -> Answer:
    html = f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{title}</body></html>"
    return Answer(status, html.encode(), "text/html")


NO_ANSWER = Answer(0, b"")
SENT = said(200, status=True, msg="Message sent successfully!")  # Row 1.
NOT_SENT = said(400, status=False, msg="Failed to send message!")  # Row 8.
UNCHECKED = said(400, status=False, msg="Failed to check number!,check your connection!")

# MPWA's texts go through translation; of its Indonesian file these two are known.
_IN_INDONESIAN = {
    SENT.body: said(200, status=True, msg="Pesan berhasil terkirim!"),
    NOT_SENT.body: said(400, status=False, msg="Gagal mengirim pesan!"),
}

# Row 3: with full=1 a failure is a 200, its text under another key and a little clearer.
_UNREACHED = said(
    200,
    status=False,
    message="destination Number not registered in WhatsApp or your sender not connected",
)
_IN_FULL = {
    Fault.NOT_REGISTERED: _UNREACHED,
    Fault.DISCONNECTED: _UNREACHED,
    Fault.FAILED: said(200, status=False, message="Check your whatsapp connection"),
}

_ERROR_500 = _page(500, "Server Error")
_PLAIN = {
    Fault.OK: SENT,
    Fault.OK_WITHOUT_ID: SENT,
    Fault.SLOW: SENT,
    Fault.STATUS_FALSE: said(200, status=False, message="Check your parameter"),  # Row 3.
    Fault.BAD_KEY: said(  # Row 4; the typo is MPWA's.
        400, status=False, msg="Invali api_key or sender,please check again (2)"
    ),
    Fault.FOREIGN_SENDER: said(  # Row 5.
        400, status=False, msg="Invalid api_key or sender,please check again"
    ),
    Fault.NO_PERMISSION: said(  # Row 6; MPWA's exact wording is not known, the sense is.
        400, status=False, msg="You have no permission to use the API, please upgrade your plan"
    ),
    Fault.NO_QUOTA: said(  # Row 6, likewise.
        400, status=False, msg="You no longer have enough messages, please recharge"
    ),
    Fault.INVALID: said(400, status=False, msg="Invalid parameters!"),  # Row 7.
    Fault.FAILED: NOT_SENT,
    Fault.NOT_REGISTERED: NOT_SENT,
    Fault.DISCONNECTED: NOT_SENT,
    Fault.BACKEND_DOWN: said(  # Row 9.
        400, status=False, msg="Failed to send message!, Check your connection!"
    ),
    Fault.THROTTLED: said(429, message="Too Many Attempts."),  # Row 10, without its headers.
    Fault.ERROR_500: _ERROR_500,  # Row 11.
    Fault.ERROR_500_BUT_DELIVERED: _ERROR_500,
    Fault.HTML_502: _page(502, "502 Bad Gateway"),
    Fault.HANG: NO_ANSWER,
    Fault.RESET_AFTER_WRITE: NO_ANSWER,
    Fault.OK_THEN_FAILED_RECEIPT: SENT,
    Fault.DUPLICATE_RECEIPTS: SENT,
    Fault.RECEIPTS_OUT_OF_ORDER: SENT,
    Fault.COLD: NOT_SENT,  # Error 463 under row 8: MPWA does not say what went wrong.
    Fault.UNAUTHORIZED: said(401, message="Unauthenticated."),
    Fault.NOT_WORKING: said(  # WAHA's; a proxy may stand for it here.
        422,
        error="Session status is not as expected. Try again later or restart the session",
        session="default",
        status="STOPPED",
        expected=["WORKING"],
    ),
}


def plain(fault: Fault, *, locale: str) -> Answer:
    """The answer without `full`, in the language of the path's locale prefix."""
    answer = _PLAIN[fault]
    return _IN_INDONESIAN.get(answer.body, answer) if locale == "id" else answer


def failed_in_full(fault: Fault) -> Answer | None:
    """What `full=1` makes of a failure; None: nothing, the plain answer stands."""
    return _IN_FULL.get(fault)


def sent_in_full(*, message_id: str, number: str, text: str, wall_s: float) -> Answer:
    """Row 2: WhatsApp's own result, the one answer with a message id."""
    return said(
        200,
        status=True,
        data={
            "key": {"remoteJid": jid(number), "fromMe": True, "id": message_id},
            "message": {"extendedTextMessage": {"text": text}},
            "messageTimestamp": str(int(wall_s)),
        },
    )


def throttled(*, retry_after: str, reset_at_s: int | None) -> Answer:
    """Row 10; an empty *retry_after* leaves that header and the reset out."""
    headers = {"X-RateLimit-Limit": str(LIMIT), "X-RateLimit-Remaining": "0"}
    if retry_after:
        headers["Retry-After"] = retry_after
    if reset_at_s is not None:
        headers["X-RateLimit-Reset"] = str(reset_at_s)
    return _PLAIN[Fault.THROTTLED]._replace(headers=headers)


def devices(sender: str, *, status: str) -> Answer:
    """The answer of info-devices; *status* is Connected or Disconnect."""
    device = {"id": 1, "body": sender, "status": status, "message_sent": 0}
    return said(200, status=True, info=[device])


def jid(number: str) -> str:
    """WhatsApp's address of a number."""
    return number if "@" in number else f"{number}@s.whatsapp.net"
