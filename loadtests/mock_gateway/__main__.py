"""`python -m loadtests.mock_gateway`: serves one mock gateway until it is told to stop."""

import argparse
import asyncio
import random
import signal
import sys
import textwrap
from pathlib import Path

from loadtests.mock_gateway.application import LOOPBACK, serving
from loadtests.mock_gateway.clock import whole_us
from loadtests.mock_gateway.faults import Fault
from loadtests.mock_gateway.gateway import Gateway
from loadtests.mock_gateway.latency import Latency, uniform
from loadtests.mock_gateway.process import LISTENING
from loadtests.mock_gateway.throttle import Throttle
from loadtests.mock_gateway.weather import BadWeather, Weather, from_file

_EPILOG = """\
Weather is what goes wrong, on order; the first rule that applies to a call decides it:

  senders = ["628114040707"]      # left out: any sender is good; so for api_keys
  [[rules]]
  fault = "error_500_but_delivered"
  recipient = "77"                # numbers that end so; also: sender = "628..."
  times = 2                       # also: probability, first_call, last_call, from_s, to_s
  [[rules]]
  fault = "disconnected"          # the device is down from the 30th to the 50th second
  from_s = 30
  to_s = 50

  [latency]                       # of every answer; a rule may have its own, in the same words
  law = "lognormal"               # or uniform (low_ms, high_ms), exponential (low_ms, mean_ms)
  median_ms = 120
  p99_ms = 900

Faults: {faults}.

Over HTTP, with the same fields in JSON: PUT, GET, DELETE /_weather. Gone for a while,
refusing connections: POST /_drop {{"seconds": 5}}. What arrived: GET /_log?since=CALL,
GET /_counts, DELETE /_log. What to think of it: GET /_verdict?pace=SECONDS&expect=N,
or POST /_verdict with the expected messages.
How many calls a second it can take: python -m loadtests.mock_gateway.ceiling
"""


def _port(written: str) -> int:
    port = int(written)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError(f"must be within 0 and 65535, not {written}")
    return port


def _seconds(written: str) -> float:
    seconds = float(written)
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"must be above 0, not {written}")
    return seconds


def _range(written: str) -> Latency:
    low, _, high = written.partition("-")
    ends = (float(low), float(high or low))
    if not 0 <= ends[0] <= ends[1] < float("inf"):
        raise argparse.ArgumentTypeError(f"must be A-B with 0 <= A <= B, not {written}")
    return uniform(*ends)


def _faults() -> str:
    return textwrap.fill(", ".join(Fault), width=78, initial_indent="", subsequent_indent="  ")


def _weather(path: str) -> Weather:
    try:
        return from_file(Path(path))
    except BadWeather as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(
        prog="python -m loadtests.mock_gateway",
        description="A mock MPWA WhatsApp gateway, with a log and a verdict.",
        epilog=_EPILOG.format(faults=_faults()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = found.add_argument
    add("--port", type=_port, default=0, help="0, the default, takes a free one and prints it")
    add("--host", default=LOOPBACK, metavar="ADDRESS", help="to listen on (default %(default)s)")
    add("--throttle", action="store_true", help="answer 429 above 60 requests a minute")
    add("--seed", type=int, default=0, metavar="N", help="of all chance (default %(default)s)")
    add(
        "--latency-ms",
        type=_range,
        metavar="A-B",
        help="milliseconds before an answer, uniform between A and B (default none)",
    )
    add("--weather", type=_weather, metavar="FILE.toml", help="what goes wrong from the start")
    add(
        "--pace",
        type=_seconds,
        metavar="SECONDS",
        help="ban a sender whose calls come closer than this (default: nobody is banned)",
    )
    return found


async def _serve(gateway: Gateway, host: str, port: int) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with serving(gateway, host=host, port=port) as url:
        print(f"{LISTENING}{url}", flush=True)
        await stop.wait()


def main() -> int:
    """Serve until SIGTERM or SIGINT; 2 for a bad argument, 1 if the port cannot be had."""
    chosen = parser().parse_args()
    gateway = Gateway(
        chance=random.Random(chosen.seed),
        weather=chosen.weather,
        throttle=Throttle() if chosen.throttle else None,
        latency=chosen.latency_ms,
        pace_us=None if chosen.pace is None else whole_us(chosen.pace),
    )
    try:
        asyncio.run(_serve(gateway, chosen.host, chosen.port))
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
