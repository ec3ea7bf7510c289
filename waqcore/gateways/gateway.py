"""What every gateway can do, and what it is told."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from waqcore.core.outcome import Answer, ProbeResult


class Call(NamedTuple):
    """One message for one recipient."""

    sender: str
    """The number we send from, as the gateway has it registered: digits."""
    recipient: str
    """E.164."""
    body: str


class Reply(NamedTuple):
    """What came of a call, and what the attempt's row keeps of it."""

    outcome: Answer
    http_status: int | None = None
    """None where no HTTP answer came."""
    detail: str = ""
    """The gateway's own words, shortened; never a key, a body or a full number."""


class TooLate(Exception):
    """The call was about to leave after its `call_by`: nothing left."""


class Departure:
    """The instant a request leaves, asked for and stamped as near to the socket as can be.

    A gateway calls `check` with the connection in hand, right before the first byte, and `leave`
    when the request has been handed over.
    """

    def __init__(self, steady: Callable[[], int], call_by: int) -> None:
        """`steady` tells the lane's clock (µs); `call_by` is the last instant to leave."""
        self._steady = steady
        self._call_by = call_by
        self.checked_at: int | None = None
        """When leaving was last allowed; None: nothing can have left."""
        self.left_at: int | None = None
        """When the request had been handed to the socket; None: it never was, so far as we know."""

    def check(self) -> None:
        """Allow the call to leave now.

        Raises:
            TooLate: `call_by` has passed; another dispatcher may count the pace from it.
        """
        now = self._steady()
        if now > self._call_by:
            raise TooLate(f"{now - self._call_by} µs past its call_by")
        self.checked_at = now

    def leave(self) -> None:
        """Stamp the request as handed over."""
        self.left_at = self._steady()


class Gateway(Protocol):
    """An account at a gateway: one address, one key, any number of senders."""

    async def send(self, call: Call, departure: Departure) -> Reply:
        """Send one message; every failure is an outcome, never an exception.

        Raises:
            TooLate: the departure refused; nothing was sent.
        """
        ...

    async def probe(self, sender: str) -> ProbeResult:
        """Ask whether the gateway answers and the sender is connected, without sending."""
        ...

    async def aclose(self) -> None:
        """Let go of connections."""
        ...
