"""What a gateway tells later about a message it took, and to whom.

MPWA has no receipts; these come in the shape of WAHA's `message.ack` (GATEWAYS 1d), for the
gateways that have, and only if a weather names a URL to post them to.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import aiohttp
import msgspec

from loadtests.mock_gateway.clock import Clock
from loadtests.mock_gateway.faults import Fault

_NAMES = {-1: "ERROR", 1: "SERVER", 2: "DEVICE", 3: "READ"}
_POST_WITHIN_S = 5.0

# Seconds after the answer, and WAHA's number for what became of the message.
_PLANS: dict[Fault, tuple[tuple[float, int], ...]] = {
    Fault.OK: ((0.2, 1), (0.6, 2), (1.5, 3)),
    Fault.SLOW: ((0.2, 1), (0.6, 2), (1.5, 3)),
    Fault.OK_THEN_FAILED_RECEIPT: ((0.2, 1), (1.0, -1)),
    Fault.DUPLICATE_RECEIPTS: ((0.2, 1), (0.2, 1), (0.6, 2), (0.7, 2), (1.5, 3), (1.5, 3)),
    Fault.RECEIPTS_OUT_OF_ORDER: ((0.2, 3), (0.6, 1), (1.0, 2)),
}


class Receipt(NamedTuple):
    """One notice about one message."""

    after_s: float
    message_id: str
    recipient: str
    ack: int

    def body(self) -> bytes:
        """The webhook's body."""
        payload = {
            "id": self.message_id,
            "to": f"{self.recipient}@c.us",
            "fromMe": True,
            "ack": self.ack,
            "ackName": _NAMES[self.ack],
        }
        return msgspec.json.encode({"event": "message.ack", "payload": payload})


def planned(fault: Fault, *, message_id: str, recipient: str) -> tuple[Receipt, ...]:
    """The notices that follow a call which ended with *fault*, in the order they are posted."""
    return tuple(
        Receipt(after_s, message_id, recipient, ack) for after_s, ack in _PLANS.get(fault, ())
    )


class Postman:
    """Posts receipts when they are due, and forgets those still waiting when it is closed."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, url: str, receipts: Sequence[Receipt]) -> None:
        """Post all of these to *url*, each in its time."""
        if receipts:
            task = asyncio.create_task(self._deliver(url, receipts))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop posting."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _deliver(self, url: str, receipts: Sequence[Receipt]) -> None:
        waited_s = 0.0
        timeout = aiohttp.ClientTimeout(total=_POST_WITHIN_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            for receipt in receipts:
                await self._clock.sleep(receipt.after_s - waited_s)
                waited_s = receipt.after_s
                await _post(session, url, receipt)


async def _post(session: aiohttp.ClientSession, url: str, receipt: Receipt) -> None:
    try:
        headers = {"Content-Type": "application/json"}
        async with session.post(url, data=receipt.body(), headers=headers):
            pass
    except (aiohttp.ClientError, TimeoutError):
        return  # As a gateway does: who does not listen has missed it.
