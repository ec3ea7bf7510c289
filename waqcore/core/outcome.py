"""What a gateway's answer can mean: one closed vocabulary for every gateway."""

from enum import StrEnum
from typing import NamedTuple


class Scope(StrEnum):
    """How far an outcome reaches."""

    MESSAGE = "message"
    LANE = "lane"
    ACCOUNT = "account"  # Every lane on the same gateway address and key.


class Accepted(NamedTuple):
    """The gateway took the message."""

    provider_id: str | None = None
    """The gateway's own id of it; None where the gateway gives none."""


class Refused(NamedTuple):
    """Turned away before processing (429, busy): nothing was sent, no failure is counted."""

    reason: str
    retry_after_us: int | None = None
    """How long the gateway asked us to wait; None where it did not say."""
    scope: Scope = Scope.LANE


class NotSent(NamedTuple):
    """A transient failure, known not to have been sent."""

    reason: str


class Unreachable(NamedTuple):
    """Connection refused, no such host: nothing left us."""

    reason: str
    scope: Scope = Scope.ACCOUNT


class Unknown(NamedTuple):
    """The request went out and nobody knows what became of it."""

    reason: str


class Rejected(NamedTuple):
    """This message can never succeed."""

    reason: str


class SenderDown(NamedTuple):
    """The sender cannot send: disconnected, bad key, out of quota, restricted."""

    reason: str
    scope: Scope = Scope.LANE


class NotCalled(NamedTuple):
    """No call was made: it would have begun after its `call_by`, or the dispatcher is stopping."""

    reason: str


Answer = Accepted | Refused | NotSent | Unreachable | Unknown | Rejected | SenderDown
Outcome = Answer | NotCalled


def word(outcome: Outcome) -> str:
    """The name of an outcome's kind, as stored and shown."""
    return _WORDS[type(outcome)]


_WORDS: dict[type[Outcome], str] = {
    Accepted: "accepted",
    Refused: "refused",
    NotSent: "not_sent",
    Unreachable: "unreachable",
    Unknown: "unknown",
    Rejected: "rejected",
    SenderDown: "sender_down",
    NotCalled: "not_called",
}


class Healthy(NamedTuple):
    """A probe's good answer: the gateway answers and the sender is connected."""


ProbeResult = Healthy | SenderDown | Unreachable
