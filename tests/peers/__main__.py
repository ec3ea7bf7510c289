"""`python -m tests.peers`: the same work on waqcore and on what users would pick instead.

First the paced runs, several peers at a time since they mostly wait; then the rates, one peer at a
time; half an hour on a quiet machine. Figures go to `.bench/peers`: peers.md for the README,
peers.json, peers.png.
"""

import argparse
import sys
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

from tests.peers import pacing, plot, rates, report
from tests.peers.catalogue import PEERS
from tests.peers.install import install
from tests.peers.peer import Peer
from tests.peers.process import HOME
from tests.peers.report import Line
from tests.peers.servers import Servers, why_not

AT_ONCE = 3
QUICK = rates.Sizes(long=5_000, short=1_000, fill_s=10)


def main() -> int:
    """Measure the peers asked for; 1 if waqcore is among them and did not keep its promises."""
    asked = _asked()
    began = monotonic()
    peers = [peer for peer in PEERS if peer.name in asked.only] if asked.only else list(PEERS)
    logs = HOME / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    lines = [Line(peer=peer, absent=_missing(peer)) for peer in peers]
    for line in lines:
        if line.absent:
            _say(f"{line.peer.name}: left out: {line.absent}", began)
    present = [line for line in lines if not line.absent]
    with Servers() as servers, warnings.catch_warnings():
        # The wheel of PostgreSQL warns where there is no run-time folder.
        warnings.simplefilter("ignore", RuntimeWarning)
        if not asked.rates_only:
            _pace(present, servers, asked, began)
        if not asked.pace_only:
            _rate(present, servers, asked, began)
    report.show(lines)
    report.save(lines, HOME)
    plot.draw(lines, HOME / "peers.png")
    ours = [line for line in present if line.peer.adapter == "waq" and not asked.rates_only]
    return 0 if all(line.holds for line in ours) else 1


def _pace(lines: Sequence[Line], servers: Servers, asked: argparse.Namespace, began: float) -> None:
    plays = [pacing.shortened(play) if asked.quick else play for play in pacing.PLAYS]

    def perform(line: Line) -> None:
        for play in plays:
            try:
                run = pacing.perform(line.peer, play, servers, HOME / "logs")
            except Exception as error:  # What ails one peer must not end the others' runs.
                line.absent = f"{play.name}: {error}"
                _say(f"{line.peer.name}: {line.absent}", began)
            else:
                line.runs.append(run)
                _say(f"{line.peer.name}: {play.name}: {report.run_in_words(run)}", began)

    with ThreadPoolExecutor(asked.at_once) as threads:
        list(threads.map(perform, lines))


def _rate(lines: Sequence[Line], servers: Servers, asked: argparse.Namespace, began: float) -> None:
    for line in lines:
        if not line.peer.rated:
            continue
        _say(f"{line.peer.name}: rates", began)
        try:
            sizes = QUICK if asked.quick else rates.Sizes()
            line.rates = rates.measure(line.peer, sizes, servers, HOME / "logs")
        except Exception as error:  # As above.
            line.absent = f"rates: {error}"
            _say(f"{line.peer.name}: {line.absent}", began)
        else:
            _say(" | ".join(report.rated_cells(line)), began)


def _missing(peer: Peer) -> str:
    return why_not(peer.broker) or install(peer.runtime) or ""


def _say(text: str, began: float) -> None:
    print(f"{monotonic() - began:6.0f} s  {text}", file=sys.stderr, flush=True)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-peers", description=__doc__)
    parser.add_argument(
        "--only", action="append", choices=[peer.name for peer in PEERS], metavar="NAME",
        help=f"some of them, once for each: {', '.join(peer.name for peer in PEERS)}",
    )  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="fewer messages, shorter queues")
    parser.add_argument("--pace-only", action="store_true", help="no rates")
    parser.add_argument("--rates-only", action="store_true", help="no paced runs")
    parser.add_argument(
        "--at-once", type=int, default=AT_ONCE, help=f"paced runs at a time ({AT_ONCE})"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
