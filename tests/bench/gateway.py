"""The mock gateway: how many calls it takes beside how many a dispatcher can make it."""

import asyncio
import json
import time
import urllib.request
from pathlib import Path

from loadtests.mock_gateway.ceiling import measure
from loadtests.mock_gateway.process import running
from tests.bench.dispatching import dispatching, environ
from tests.bench.report import Figure
from waqcore import Draft, Queue

LANES = 2_000
PACE_S = 1
"""With so many lanes more calls are due than a dispatcher can make."""
DEEP = 20
"""Messages of each lane, more than can be sent in the time."""
START_S = 6
RUN_S = 10
CEILING_S = 5
IN_FLIGHT = 64


def run(folder: Path) -> list[Figure]:
    """Measure the busiest dispatcher there can be, then the gateway alone."""
    numbers = [str(628_000_000_000 + n) for n in range(LANES)]
    with running() as url:
        given = environ(f"sqlite:///{folder / 'gateway.db'}", url, numbers, pace_s=PACE_S)
        with Queue.from_env(given) as queue:
            for n in range(DEEP):
                queue.enqueue_many(
                    Draft(to=f"0812{lane:05d}{n:04d}", body=f"{n}", sender=number)
                    for lane, number in enumerate(numbers)
                )
        with dispatching(given):
            time.sleep(START_S)
            before = _calls(url)
            time.sleep(RUN_S)
            made = (_calls(url) - before) / RUN_S
    with running() as url:
        taken = asyncio.run(measure(url, seconds=CEILING_S, in_flight=IN_FLIGHT)).per_second
    return [
        Figure(
            name="the mock gateway beside the calls of a dispatcher",
            value=taken / made,
            unit="×",
            bar=3,
            at_least=True,
            detail=f"{taken:,.0f} calls/s; the dispatcher, with {LANES:,} lanes due each second, "
            f"makes {made:,.0f}/s",
        )
    ]


def _calls(url: str) -> int:
    with urllib.request.urlopen(f"{url}/_verdict?pace={PACE_S}") as answer:
        calls: int = json.loads(answer.read())["calls"]
    return calls
