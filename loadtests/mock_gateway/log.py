"""What the gateway saw: every send call, in memory, in the order of their numbers."""

from collections.abc import Iterator
from typing import NamedTuple

from loadtests.mock_gateway.mpwa import Answer

ANSWER_CHARACTERS = 200  # As much of an answer's body as a listing shows.


class Delivered(NamedTuple):
    """A text on a phone."""

    recipient: str
    text: str


class Call(NamedTuple):
    """One send call and what came of it, known in full the moment it had been read."""

    call: int  # 1-based over the gateway's life; clearing the log does not start it anew.
    arrived_us: int  # Steady clock, stamped when the request's head was there.
    sender: str
    recipients: tuple[str, ...]  # Normalised.
    text: str  # As received.
    deliveries: tuple[Delivered, ...]  # What WhatsApp really delivered.
    answer: Answer  # Status 0: none was given.
    fault: str
    arrived_at: int  # Wall microseconds, to lay the log beside exports.
    client: str  # The address it came from.

    def shown(self) -> dict[str, object]:
        """The call as JSON shows it."""
        return {
            "call": self.call,
            "arrived_us": self.arrived_us,
            "arrived_at": self.arrived_at,
            "client": self.client,
            "sender": self.sender,
            "recipients": self.recipients,
            "text": self.text,
            "delivered": bool(self.deliveries),
            "deliveries": [delivery._asdict() for delivery in self.deliveries],
            "status": self.answer.status,
            "answer": self.answer.body.decode()[:ANSWER_CHARACTERS],
            "fault": self.fault,
        }


class CallLog:
    """The calls since the log was last cleared.

    It has no limit: about 1 kB a call, so clear it between runs.
    """

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._cleared = 0  # Calls that clearing has taken away.

    @property
    def next_call(self) -> int:
        """The number the next call will have."""
        return self._cleared + len(self._calls) + 1

    def append(self, call: Call) -> None:
        """Keep one call."""
        assert call.call == self.next_call
        self._calls.append(call)

    def clear(self) -> None:
        """Forget every call."""
        self._cleared += len(self._calls)
        self._calls = []

    def calls(self) -> list[Call]:
        """A copy of all that is kept."""
        return self._calls.copy()

    def since(self, call: int, *, chunk: int = 1_000) -> Iterator[list[Call]]:
        """The calls numbered above *call*, at most *chunk* at a time."""
        calls, start = self._calls, max(0, call - self._cleared)
        for index in range(start, len(calls), chunk):
            yield calls[index : index + chunk]
