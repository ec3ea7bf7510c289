"""What a gateway's answer can mean: one closed vocabulary for every gateway."""

from enum import StrEnum

from waqcore.core.value import Value


class Scope(StrEnum):
    """How far an outcome reaches."""

    MESSAGE = "message"
    LANE = "lane"
    ACCOUNT = "account"  # Every lane on the same gateway address and key.


class Accepted(Value, frozen=True):
    """The gateway took the message."""

    provider_id: str | None = None
    """The gateway's own id of it; None where the gateway gives none."""


class Refused(Value, frozen=True):
    """Turned away before processing (429, busy): nothing was sent, no failure is counted."""

    reason: str
    retry_after_us: int | None = None
    """How long the gateway asked us to wait; None where it did not say."""
    scope: Scope = Scope.LANE


class NotSent(Value, frozen=True):
    """A transient failure, known not to have been sent."""

    reason: str


class Unreachable(Value, frozen=True):
    """Connection refused, no such host: nothing left us."""

    reason: str
    scope: Scope = Scope.ACCOUNT


class Unknown(Value, frozen=True):
    """The request went out and nobody knows what became of it."""

    reason: str


class Rejected(Value, frozen=True):
    """This message can never succeed."""

    reason: str


class SenderDown(Value, frozen=True):
    """The sender cannot send: disconnected, bad key, out of quota, restricted."""

    reason: str
    scope: Scope = Scope.LANE


class NotCalled(Value, frozen=True):
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


class Healthy(Value, frozen=True):
    """A probe's good answer: the gateway answers and the sender is connected."""


ProbeResult = Healthy | SenderDown | Unreachable
