"""A gateway without a network: answers as its script says, and keeps what it received.

For the demo page, for tests under a virtual clock, and as the null gateway of a bench.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from waqcore.core.outcome import Accepted, Answer, Healthy, ProbeResult, Unreachable
from waqcore.gateways.gateway import Call, Departure, Reply

Script = Callable[[Call, int], Answer]
"""What to answer to a call; the number is 1 for the first."""

ProbeScript = Callable[[str, int], ProbeResult]
"""What to answer to a probe of a sender; the number is 1 for the first."""

KEPT_CALLS = 100_000
"""Calls kept, the newest: some 30 MB, and more than a test sends."""


class Received(NamedTuple):
    """A call that reached the gateway."""

    sender: str
    recipient: str
    body: str
    left_at: int
    """On the lane's clock, in microseconds."""


class Sandbox:
    """A gateway that accepts everything, unless its script says otherwise."""

    def __init__(
        self,
        script: Script | Sequence[Answer] = (),
        *,
        probe_script: ProbeScript | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        latency_us: int = 0,
        kept_calls: int = KEPT_CALLS,
    ) -> None:
        """A script that is a sequence is followed once, after which everything is accepted.

        `sleep` takes seconds; with a latency of 0 it is not called at all.
        """
        self._script = script if callable(script) else _followed(script)
        self._probe_script = probe_script
        self._sleep = sleep
        self._latency_s = latency_us / 1_000_000
        self._calls: deque[Received] = deque(maxlen=kept_calls)
        self._sends = 0
        self._probes = 0

    @property
    def calls(self) -> list[Received]:
        """What reached the gateway, in order; a call scripted as unreachable did not."""
        return list(self._calls)

    async def send(self, call: Call, departure: Departure) -> Reply:
        """Answer as the script says.

        Raises:
            TooLate: the departure refused; nothing was received.
        """
        outcome = self._script(call, self._sends + 1)
        if not isinstance(outcome, Unreachable):
            departure.check()
            departure.leave()
        self._sends += 1
        if departure.left_at is not None:
            self._calls.append(Received(*call, departure.left_at))
        if self._latency_s:
            await self._sleep(self._latency_s)
        return Reply(outcome)

    async def probe(self, sender: str) -> ProbeResult:
        """Answer as the script says: by default the sender is connected."""
        self._probes += 1
        return self._probe_script(sender, self._probes) if self._probe_script else Healthy()

    async def aclose(self) -> None:
        """Let go of nothing."""


def _accepted(n: int) -> Accepted:
    return Accepted(f"sandbox-{n}")


def _followed(answers: Sequence[Answer]) -> Script:
    def script(_call: Call, n: int) -> Answer:
        return answers[n - 1] if n <= len(answers) else _accepted(n)

    return script
