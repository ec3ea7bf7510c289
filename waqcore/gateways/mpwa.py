"""MPWA (M-Pedia), the gateway of the system this replaces: one POST sends one message."""

import json
import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import httpx

from waqcore.core.outcome import (
    Answer,
    Healthy,
    ProbeResult,
    Rejected,
    SenderDown,
    Unreachable,
)
from waqcore.gateways.failure import failure, in_words
from waqcore.gateways.gateway import Call, Departure, Reply, TooLate
from waqcore.gateways.http import CALL_TIMEOUT_S, HttpAnswer, ask, depart
from waqcore.gateways.mpwa_answer import (
    Doubt,
    explicitly_absent,
    fields,
    read_device,
    read_send,
    words,
)
from waqcore.gateways.words import masked
from waqcore.phone import digits

ASK_TIMEOUT_S = 10.0
"""Seconds for a question that sends nothing, as the system this replaces gave `/check-number`."""

_TITLE = re.compile(r"<title>([^<]*)</title>", re.IGNORECASE)


class Mpwa:
    """One account: a base address and a key, which is in every body and in no log."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        steady: Callable[[], int],
        *,
        client: httpx.AsyncClient,
        call_timeout_s: float = CALL_TIMEOUT_S,
        ask_timeout_s: float = ASK_TIMEOUT_S,
    ) -> None:
        """`steady` is the departures' clock, in microseconds; the client is closed with us.

        Raises:
            ValueError: the address is not one of HTTP, or holds a query or a password.
        """
        parts = urlsplit(base_url)
        # The address is logged, by httpx too, so nothing secret may stand in it.
        plain = not (parts.query or parts.fragment or "@" in parts.netloc)
        if parts.scheme not in ("http", "https") or not parts.hostname or not plain:
            raise ValueError("the gateway's address must be http(s)://host[:port][/path]")
        self._base_url = base_url.rstrip("/")
        # Parsed once: httpx would parse it for every call, a fifth of what the call costs.
        self._send_url = httpx.URL(f"{self._base_url}/send-message")
        self._api_key = api_key
        self._steady = steady
        self._client = client
        self._call_timeout_s = call_timeout_s
        self._ask_timeout_s = ask_timeout_s

    async def send(self, call: Call, departure: Departure) -> Reply:
        """Send one message, and ask further where the answer leaves open why it failed.

        The questions are not the call: the pace counts from the departure alone.

        Raises:
            TooLate: the departure refused; nothing was sent.
        """
        message = {
            "sender": call.sender,
            # Never several: one success among them would be reported as a success of all.
            "number": digits(call.recipient),
            "message": call.body,
            # Answers with WhatsApp's own result, which alone has the message's id.
            "full": 1,
        }
        began = self._steady()
        try:
            answer = await depart(
                self._client,
                self._send_url,
                self._json(message),
                departure,
                timeout_s=self._call_timeout_s,
            )
        except TooLate:
            raise
        # The client lets exceptions of three libraries through, some of no common base; none may
        # end a call without an outcome, and which it is depends on the departure alone.
        except Exception as error:
            return Reply(failure(error, departure))
        left_at = began if departure.left_at is None else departure.left_at
        outcome = read_send(answer, self._steady() - left_at)
        if isinstance(outcome, Doubt):
            outcome = await self._ask_why(call, outcome)
        return Reply(outcome, answer.status, self._detail(answer, call))

    async def probe(self, sender: str) -> ProbeResult:
        """Ask whether the sender is connected; a gateway that cannot be asked counts as healthy."""
        device = await self._device(sender)
        return Healthy() if device is None else device

    async def aclose(self) -> None:
        """Close the client."""
        await self._client.aclose()

    async def _ask_why(self, call: Call, doubt: Doubt) -> Answer:
        """Blame the sender or the number only if MPWA says so outright; the device comes first,
        since without one every number looks unknown to it."""
        device = await self._device(call.sender)
        if isinstance(device, SenderDown):
            return device
        if isinstance(device, Healthy) and await self._is_absent(call):
            return Rejected("not on WhatsApp")
        return doubt.otherwise

    async def _device(self, sender: str) -> ProbeResult | None:
        """What MPWA says of a sender; None if it has no such question."""
        answer = await self._ask("info-devices", {"number": sender})
        return answer if isinstance(answer, Unreachable) else read_device(answer, sender)

    async def _is_absent(self, call: Call) -> bool:
        number = {"sender": call.sender, "number": digits(call.recipient)}
        answer = await self._ask("check-number", number)
        return isinstance(answer, HttpAnswer) and explicitly_absent(answer)

    async def _ask(self, path: str, question: Mapping[str, object]) -> HttpAnswer | Unreachable:
        url = httpx.URL(f"{self._base_url}/{path}")
        try:
            return await ask(self._client, url, self._json(question), timeout_s=self._ask_timeout_s)
        except Exception as error:  # As in `send`; nothing was sent, whatever it was.
            return Unreachable(in_words(error))

    def _json(self, said: Mapping[str, object]) -> bytes:
        return json.dumps({"api_key": self._api_key, **said}).encode()

    def _detail(self, answer: HttpAnswer, call: Call) -> str:
        """MPWA's own words; of a page only its title, since error pages repeat the request."""
        title = _TITLE.search(answer.body.decode(errors="replace"))
        said = words(fields(answer)) or (title[1] if title else "")
        return masked(said, self._api_key, call.body)
