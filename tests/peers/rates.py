"""How many no-op jobs a second: enqueue one by one and by 100, dispatch; short queue and long."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.peers.peer import KEYS, Peer, Setting
from tests.peers.process import Worker, ask
from tests.peers.servers import Servers

LONG = 100_000
SHORT_FILL = 5_000
"""Jobs a dispatch from a short queue is measured on, unless it takes too long."""
SHORT_FILL_S = 15
CELL_S = 60
"""The longest a cell may take: what does not end by then is said not to."""
DISPATCH_S = 10.0
LOOK_S = 0.02
ONE_KEY = 1
"""What is handed over where others have no key, to who takes nothing without one."""
FLOOR_S = 0.5
FLOOR_BYTES = 300
SLACK_S = 30.0
"""For a process to start, beside what it is told to do."""


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Messages per second at one length of the queue; None: no such call, or none in 60 s."""

    queued: int
    one: float | None
    many: float | None
    dispatch: float | None
    keyed: "Rates | None" = None
    """The same while each of `KEYS` keys is served one at a time; None: not measured."""
    floor: float
    """Appends of 300 bytes with an fsync that the disk took per second just then."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is done; `--quick` does less."""

    long: int = LONG
    short: int = SHORT_FILL
    fill_s: int = CELL_S


def measure(peer: Peer, sizes: Sizes, servers: Servers, logs: Path) -> list[Rates]:
    """Measure a peer with an empty queue, then with a long one.

    Raises:
        Failed: the peer could not be set up.
    """
    free = _both(peer, sizes, servers, logs, keys=0 if peer.keyless else ONE_KEY)
    if not peer.keyed:
        return free
    keyed = _both(peer, sizes, servers, logs, keys=KEYS)
    return [_together(peer, *both) for both in zip(free, keyed, strict=True)]


def _together(peer: Peer, free: Rates, keyed: Rates) -> Rates:
    dispatch = free.dispatch if peer.keyless else keyed.dispatch  # There is no other.
    return replace(free, dispatch=dispatch, keyed=keyed)


def _both(peer: Peer, sizes: Sizes, servers: Servers, logs: Path, *, keys: int) -> list[Rates]:
    with _bench(peer, servers, logs, keys=keys) as bench:
        return [
            bench.rates(sizes.short, SHORT_FILL_S, fill_first=False),
            bench.rates(sizes.long, sizes.fill_s, fill_first=True),
        ]


@contextmanager
def _bench(peer: Peer, servers: Servers, logs: Path, *, keys: int) -> Iterator["_Bench"]:
    with (
        servers.place(peer.broker) as place,
        TemporaryDirectory(prefix="waq-peers-") as folder,
    ):
        tally = f"{folder}/tally"
        told = Setting(variant=peer.variant, place=place, sink="", tally=tally, pace_s=0, keys=keys)
        ask(peer, told, "prepare", within_s=CELL_S)
        yield _Bench(peer, told, logs / f"{peer.name}-rates.log")


class _Bench:
    """One queue that is filled and emptied."""

    def __init__(self, peer: Peer, told: Setting, log: Path) -> None:
        self._peer, self._told, self._log = peer, told, log
        self._tally = Path(told.tally)
        self._handed = 0

    def rates(self, fill: int, fill_s: int, *, fill_first: bool) -> Rates:
        """All three rates; the queue is filled before the first, or before the dispatch alone."""
        queued = 0
        if fill_first:
            self._fill(fill, fill_s)
            queued = self._queued
        before = self._floor()
        one, many = self._enqueue("one"), self._enqueue("many")
        floor = (before + self._floor()) / 2
        if not fill_first:
            self._fill(fill, fill_s)
        return Rates(queued=queued, one=one, many=many, dispatch=self._dispatch(), floor=floor)

    def _floor(self) -> float:
        count, began, took_s = 0, time.perf_counter(), 0.0
        path = self._tally.with_name("floor")
        with path.open("wb", buffering=0) as appended:
            while took_s < FLOOR_S:
                appended.write(b"x" * FLOOR_BYTES)
                os.fsync(appended.fileno())
                count += 1
                took_s = time.perf_counter() - began
        return count / took_s

    @property
    def _queued(self) -> int:
        return self._handed - self._done

    @property
    def _done(self) -> int:
        return self._tally.stat().st_size if self._tally.exists() else 0

    def _enqueue(self, how: str) -> float | None:
        said = ask(
            self._peer, self._told, "measure", how, str(self._handed), within_s=CELL_S + SLACK_S
        )
        self._handed += said["count"]
        return None if said["rates"] is None else median(said["rates"])

    def _fill(self, to: int, within_s: int) -> None:
        wanted = max(0, to - self._queued)
        said = ask(
            self._peer, self._told, "fill", str(self._handed), str(wanted), str(within_s),
            within_s=within_s + SLACK_S,
        )  # fmt: skip
        self._handed += said["count"]

    def _dispatch(self) -> float | None:
        """From the first job done, so that a worker's start is not measured; None: not in time, or
        of one key alone, which is one call after the other."""
        if self._told.keys == ONE_KEY:
            return None
        with self._working():
            before = self._done
            if not self._reached(before + 1, CELL_S):
                return None
            began, first = time.perf_counter(), self._done
            self._reached(self._handed, DISPATCH_S)
            took_s = time.perf_counter() - began
            return (self._done - first) / took_s if took_s > LOOK_S else None

    def _reached(self, wanted: int, within_s: float) -> bool:
        until = time.perf_counter() + within_s
        while self._done < wanted:
            if time.perf_counter() > until:
                return False
            time.sleep(LOOK_S)
        return True

    @contextmanager
    def _working(self) -> Iterator[None]:
        worker = Worker(self._peer, self._told, self._log)
        try:
            yield
        finally:
            worker.end()
