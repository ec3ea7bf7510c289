"""`python -m loadtests.mock_gateway.ceiling`: how many calls a second the gateway can take.

A load test says nothing about a service if its gateway is the bottleneck. The gateway runs as a
process of its own, as in a load test; the callers are in this one, on the same machine.
"""

import argparse
import asyncio
import sys
import time
from typing import NamedTuple

import aiohttp

from loadtests.mock_gateway.process import DidNotStart, running

_SEND = {"api_key": "K", "number": "6281234567890", "message": "Halo"}
_SENDERS = 50


class Measured(NamedTuple):
    """What came of one measurement."""

    calls: int
    seconds: float
    slowest_ms: float

    @property
    def per_second(self) -> float:
        """Calls answered each second."""
        return self.calls / self.seconds


async def measure(url: str, *, seconds: float, in_flight: int) -> Measured:
    """Call the gateway at *url* as fast as it answers, so many calls at once."""
    connector = aiohttp.TCPConnector(limit=in_flight)
    async with aiohttp.ClientSession(url, connector=connector) as session:
        started = time.perf_counter()
        until = started + seconds
        done = await asyncio.gather(*(_caller(session, n, until) for n in range(in_flight)))
        elapsed = time.perf_counter() - started
    slowest_s = max((slowest for _, slowest in done), default=0.0)
    return Measured(sum(calls for calls, _ in done), elapsed, slowest_s * 1_000)


async def _caller(session: aiohttp.ClientSession, number: int, until: float) -> tuple[int, float]:
    body = _SEND | {"sender": f"62811{number % _SENDERS:06}"}
    calls, slowest_s = 0, 0.0
    while (began := time.perf_counter()) < until:
        async with session.post("/send-message", json=body) as answer:
            await answer.read()
        calls += 1
        slowest_s = max(slowest_s, time.perf_counter() - began)
    return calls, slowest_s


def _parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(
        prog="python -m loadtests.mock_gateway.ceiling",
        description="Measure how many calls a second the mock gateway answers on this machine.",
    )
    found.add_argument("--seconds", type=float, default=5.0, help="default %(default)s")
    found.add_argument("--in-flight", type=int, default=32, help="default %(default)s")
    found.add_argument(
        "--at-least",
        type=float,
        default=0.0,
        metavar="N",
        help="exit with 1 if it is fewer a second, such as 3 × what the service makes",
    )
    return found


def main() -> int:
    """Measure and say; 0, or 1 below the asked for number, 2 if the gateway did not start."""
    chosen = _parser().parse_args()
    try:
        with running() as url:
            found = asyncio.run(
                measure(url, seconds=chosen.seconds, in_flight=max(1, chosen.in_flight))
            )
    except DidNotStart as error:
        print(f"the mock gateway did not start: {error}", file=sys.stderr)
        return 2
    print(
        f"{found.per_second:,.0f} calls/s ({found.calls:,} in {found.seconds:.1f} s, "
        f"{chosen.in_flight} at once, slowest {found.slowest_ms:.0f} ms)"
    )
    if found.per_second < chosen.at_least:
        print(f"fewer than {chosen.at_least:,.0f} calls/s", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
