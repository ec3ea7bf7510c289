"""What MPWA's answers mean. Knows the wire format, does no I/O.

Its texts are translated, so a status code and the boolean `status` decide. A text decides only
where it is known; whatever else was refused is a `Doubt`, which only asking further can clear.

Source: zymzz-id/MPWA, `routes/api.php`, `app/Http/Controllers/Api/ApiController.php`,
`app/Http/Middleware/CheckApiKey.php`, `server/whatsapp.js`, and its own `api-docs` pages.
"""

import json
import re
from typing import NamedTuple

from waqcore.core.outcome import (
    Accepted,
    Answer,
    Healthy,
    NotSent,
    ProbeResult,
    Refused,
    Rejected,
    Scope,
    SenderDown,
    Unknown,
    Unreachable,
)
from waqcore.gateways.http import HttpAnswer

SLOW_US = 5_000_000
"""Microseconds after which a failure of MPWA's backend no longer says that nothing was sent: the
backend may wait about 5 s for its socket before it sends. Source: `server/whatsapp.js`."""

CONNECTED = "Connected"
"""The one good state of a device; the other is `Disconnect`."""

WRONG_FOR_ALL = frozenset({401, 402, 403, 404, 405, 406, 407, 410, 415, 419, 421, 426})
"""Statuses that speak of the address, the key or the plan, so of every message on them. 419 is
Laravel's for a page where the API should be, 407 a proxy's."""

NO_SUCH_PROBE = frozenset({404, 405})
"""Some versions lack `/info-devices`, or take it by another method. Without a probe that can pass
their senders would never come back; a lane let go too early is caught by its next call."""

UNKNOWN_TO_GATEWAY = "the gateway does not know this key or sender"

Reply = dict[str, object]

_STATE = re.compile(r"[A-Za-z]{1,20}")

_BAD_KEY_OR_SENDER = "api_key or sender"
_PLAN = ("permission", "upgrade", "recharge", "quota", "enough message")
_BAD_PARAMETERS = "invalid parameters"
_BACKEND_DOWN = re.compile(r"failed to send message.*check your connection")

# MPWA's backend said itself that it did not send, however long it had waited for the socket.
_BACKEND_REFUSED = re.compile(
    r"failed to send message|gagal mengirim pesan|.*not registered in whatsapp or your sender.*"
)


class Doubt(NamedTuple):
    """A refusal whose reason only asking further can tell."""

    otherwise: NotSent | Unknown
    """What holds if asking tells nothing either."""


def read_send(answer: HttpAnswer, took_us: int) -> Answer | Doubt:
    """Return what an answer to `/send-message` means; `took_us` is the time since it left."""
    status = answer.status
    if 200 <= status < 300:
        return _read_ok(answer, took_us)
    if status == 429:
        # Counted per client address, so for every sender of ours. Source: Laravel, `throttle:api`.
        return Refused("too many requests (429)", answer.retry_after_us, Scope.ACCOUNT)
    if status == 413:
        return Rejected("too large for the gateway (413)")
    if status == 408 or status >= 500:
        return Unknown(f"the gateway failed ({status})")
    if status < 400 or status in WRONG_FOR_ALL:
        return SenderDown(f"the gateway's address, key or plan is wrong ({status})", Scope.ACCOUNT)
    # 400 is MPWA's way to refuse. Others (409, 422, ...) refuse as well, in nobody's known words.
    return _read_refusal(fields(answer), took_us)


def _read_ok(answer: HttpAnswer, took_us: int) -> Answer | Doubt:
    reply = fields(answer)
    match reply.get("status"):
        case True:
            return Accepted(_provider_id(reply))
        case False:
            return _read_refusal(reply, took_us)
        case _:
            return Unknown(f"an answer that cannot be read ({answer.status})")


def _provider_id(reply: Reply) -> str | None:
    data = reply.get("data")
    key = data.get("key") if isinstance(data, dict) else None
    found = key.get("id") if isinstance(key, dict) else None
    return found if isinstance(found, str) and found else None


def _read_refusal(reply: Reply, took_us: int) -> Answer | Doubt:
    not_sent = NotSent("the gateway did not send it, and does not say why")
    unsure = not_sent if took_us < SLOW_US else Unknown("the gateway failed late")
    said = words(reply).casefold().rstrip("!. ")

    # With `full`, the backend's own errors come as `message`; MPWA's words are only in `msg`.
    if "msg" in reply and (known := _known_refusal(said)) is not None:
        return known
    if _BACKEND_DOWN.match(said):
        return NotSent("the gateway's backend is down") if unsure is not_sent else unsure
    return Doubt(not_sent if _BACKEND_REFUSED.fullmatch(said) else unsure)


def _known_refusal(said: str) -> SenderDown | Rejected | None:
    if _BAD_KEY_OR_SENDER in said:
        # A wrong sender hits one lane and a wrong key all, in the same words: each finds out.
        return SenderDown(UNKNOWN_TO_GATEWAY)
    if any(word in said for word in _PLAN):
        return SenderDown("the gateway account has no plan or quota for it", Scope.ACCOUNT)
    if said == _BAD_PARAMETERS:
        return Rejected("the gateway calls the parameters invalid")
    return None


def read_device(answer: HttpAnswer, sender: str) -> ProbeResult | None:
    """Return what an answer to `/info-devices` says of a sender; None if MPWA has no such probe."""
    status, reply = answer.status, fields(answer)
    if status in (408, 429) or status >= 500:
        return Unreachable(f"the gateway answers no probe ({status})")
    if reply.get("status") is False:
        return SenderDown(UNKNOWN_TO_GATEWAY)
    if status in NO_SUCH_PROBE:
        return None
    if 300 <= status < 400 or status in WRONG_FOR_ALL:
        return SenderDown(f"the gateway's address, key or plan is wrong ({status})", Scope.ACCOUNT)
    info = reply.get("info")
    if status < 300 and reply.get("status") is True and isinstance(info, list):
        return _device(info, sender)
    return Unreachable(f"the gateway answers no probe ({status})")


def _device(info: list[object], sender: str) -> ProbeResult:
    devices = [device for device in info if isinstance(device, dict)]
    state = next((device.get("status") for device in devices if device.get("body") == sender), None)
    if state is None:
        return SenderDown("the gateway lists no such device")
    if state == CONNECTED:
        return Healthy()
    # The reason is shown and kept, so it repeats one word at most.
    known = isinstance(state, str) and _STATE.fullmatch(state)
    return SenderDown(f"device is {state}" if known else "device is not connected")


def explicitly_absent(answer: HttpAnswer) -> bool:
    """Tell whether `/check-number` says outright that the number is not on WhatsApp.

    Some versions say it in `data`, others in `msg`; `data: true` says nothing.
    """
    reply = fields(answer)
    said = [
        part.get("exists")
        for part in (reply.get("data"), reply.get("msg"))
        if isinstance(part, dict)
    ]
    return (
        answer.status == 200 and reply.get("status") is True and len(said) == 1 and said[0] is False
    )


def fields(answer: HttpAnswer) -> Reply:
    """Return the fields of a JSON object; none if the answer is anything else."""
    try:
        found: object = json.loads(answer.body)
    except (ValueError, RecursionError):  # RecursionError: a body of brackets alone.
        return {}
    return found if isinstance(found, dict) else {}


def words(reply: Reply) -> str:
    """Return the gateway's own words on what it did; empty if it has none."""
    said = (reply.get("msg"), reply.get("message"))
    return " ".join(next((text for text in said if isinstance(text, str)), "").split())
