"""What the mock gateway is asked at the end of a run, over HTTP."""

from urllib.request import ProxyHandler, Request, build_opener

import msgspec

from loadtests.demo.record import HIGH, Record
from loadtests.mock_gateway.clock import whole_us
from loadtests.mock_gateway.expectation import Expectation, Expected
from loadtests.mock_gateway.verdict import Verdict

_TIMEOUT_S = 10.0
# A proxy of the environment is not for the loopback.
_open = build_opener(ProxyHandler({})).open


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """One send call as the gateway's log has it."""

    call: int
    arrived_us: int
    text: str
    delivered: bool


def log(url: str) -> list[Arrival]:
    """Every call received, in order."""
    with _open(f"{url}/_log", timeout=_TIMEOUT_S) as answer:
        return msgspec.json.decode(answer.read(), type=list[Arrival])


def verdict(url: str, record: Record) -> Verdict:
    """What the gateway thinks of the run: nothing lost or doubled, pace held, order kept."""
    request = Request(
        f"{url}/_verdict",
        msgspec.json.encode(expectation(record)),
        {"Content-Type": "application/json"},
    )
    with _open(request, timeout=_TIMEOUT_S) as answer:
        return msgspec.json.decode(answer.read(), type=Verdict)


def expectation(record: Record) -> Expectation:
    """All messages of a run, each once, in the order of their places."""
    messages = sorted(record.messages, key=lambda message: message.place)
    return Expectation(
        pace=record.pace_s,
        expect=len(messages),
        expected=tuple(
            Expected(
                sender=record.sender,
                recipient=message.recipient,
                text=message.text,
                priority=1 if message.priority == HIGH else 2,
                queued_at_us=None
                if message.queued_s is None
                else record.first_registration_us + whole_us(message.queued_s),
            )
            for message in messages
        ),
        order=tuple(range(len(messages))),
    )
