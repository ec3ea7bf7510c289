"""`python -m waqcore.demo`: the founding scenario against a gateway that is there already."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from waqcore.demo.process import Interruption
from waqcore.demo.run import Demo, run

PACE_MAX_S = 600.0
"""At that pace it takes an hour and a half."""


def pace(written: str) -> float:
    """A pace in seconds."""
    try:
        pace_s = float(written)
    except ValueError:
        pace_s = 0.0
    if not 0 < pace_s <= PACE_MAX_S:
        raise argparse.ArgumentTypeError(
            f"must be seconds, above 0 and at most {PACE_MAX_S:g}, not {written!r}"
        )
    return pace_s


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(
        prog="python -m waqcore.demo",
        description="Five people register; ten messages leave at the pace, payment links first.",
        epilog="Point it at a mock gateway: what it sends is real as far as the gateway can tell.",
    )
    add = found.add_argument
    add("--gateway-url", required=True, metavar="URL", help="an MPWA gateway, or a mock of one")
    add("--pace", type=pace, default=10.0, metavar="SECONDS", help="default %(default)s")
    add("--folder", type=Path, default=Path(".demo"), metavar="DIR", help="default %(default)s")
    add("--record", type=Path, metavar="FILE", help="write what happened here, as JSON")
    return found


def main() -> int:
    """Run the demo; 0 all sent, 1 not all, 2 for a bad argument, 130 for Ctrl-C."""
    interruption = Interruption()
    chosen = parser().parse_args()
    demo = Demo(
        gateway_url=chosen.gateway_url,
        pace_s=chosen.pace,
        folder=chosen.folder,
        record=chosen.record,
    )
    return run(demo, Console(), interruption)


if __name__ == "__main__":
    sys.exit(main())
