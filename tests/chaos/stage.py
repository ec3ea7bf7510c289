"""What a proof under kills is played on: a mock gateway, a database, dispatchers as processes."""

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from loadtests.mock_gateway.application import LOOPBACK
from loadtests.mock_gateway.process import running
from tests.chaos.dispatch import READY

PROJECT = Path(__file__).resolve().parents[2]
START_WITHIN_S = 60.0
"""For the imports of a dispatcher; most of a second, and much more on a busy machine."""
GONE_WITHIN_S = 20.0
"""For a killed process to be gone: it may be waiting for the disk."""
LOOK_S = 0.01
COMPLAINT_CHARACTERS = 2_000


class Stuck(Exception):
    """Something that must happen did not; the text holds the dispatcher's last words."""


def now_us() -> int:
    """The host's steady clock in microseconds, by which the gateway stamps arrivals too."""
    return time.monotonic_ns() // 1_000


class Process:
    """A dispatcher as a process of its own, forked on `go` from one that has its imports done.

    When it has ended, the next `go` starts another.
    """

    def __init__(self, environ: Mapping[str, str], complaints: Path) -> None:
        self._complaints = complaints
        self.pid = 0
        """Its process id; 0: it was not started yet."""
        self._code: int | None = None
        with complaints.open("ab") as errors:
            self._nursery = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.dispatch"],
                cwd=PROJECT,
                env=environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def warm_up(self) -> None:
        """Wait until the imports are done."""
        if self._hear(START_WITHIN_S) != READY:
            raise Stuck(f"a dispatcher did not start: {self.complaints()}")

    def go(self) -> int:
        """Let it dispatch; returns the instant of that."""
        assert self._nursery.stdin is not None
        started_us = now_us()
        self._nursery.stdin.write("go\n")
        self._nursery.stdin.flush()
        self.pid, self._code = int(self._hear(START_WITHIN_S) or 0), None
        if not self.pid:
            raise Stuck(f"a dispatcher did not start: {self.complaints()}")
        return started_us

    def kill(self) -> None:
        """`kill -9`, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self.ends(within_s=GONE_WITHIN_S)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self.ended() is None:
            os.kill(self.pid, number)

    def ends(self, *, within_s: float) -> int:
        """Wait for its end; returns its exit code."""
        code = self.ended(within_s)
        if code is None:
            raise Stuck(f"no end within {within_s:g} s: {self.complaints()}")
        return code

    def wait_for(self, what: str, happened: Callable[[], bool], *, within_s: float) -> None:
        """Wait until something has happened, while this dispatcher lives."""
        until = time.monotonic() + within_s
        while not happened():
            code = self.ended()
            if code is not None:
                raise Stuck(f"{what}: it ended by itself with {code}: {self.complaints()}")
            if time.monotonic() > until:
                raise Stuck(f"{what}: not within {within_s:g} s: {self.complaints()}")
            time.sleep(LOOK_S)

    def ended(self, within_s: float = 0.0) -> int | None:
        """Its exit code; None: it has not ended by then."""
        if self._code is None:
            said = self._hear(within_s)
            self._code = None if said is None else int(said)
        return self._code

    def _hear(self, within_s: float) -> str | None:
        """What the nursery says next; None: nothing by then."""
        assert self._nursery.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._nursery.stdout, selectors.EVENT_READ)
            heard = selector.select(within_s)
        return self._nursery.stdout.readline().strip() if heard else None

    def complaints(self) -> str:
        """The end of what the dispatchers have written to their standard error."""
        return self._complaints.read_text(errors="replace")[-COMPLAINT_CHARACTERS:] or "(silent)"

    def clear_away(self) -> None:
        """End it, however far it has come, and let go of its pipes."""
        self._nursery.kill()  # The dispatcher ends with it.
        self._nursery.wait(GONE_WITHIN_S)
        for pipe in (self._nursery.stdin, self._nursery.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


@dataclass(kw_only=True)
class Stage:
    """A running mock gateway, and what dispatchers need to work on one database with it."""

    url: str
    database: Path | str
    """The file, or the URL of a database on a server."""
    environ: Mapping[str, str]
    senders: tuple[str, ...]
    pace_us: int
    complaints: Path
    processes: list[Process] = field(default_factory=list)

    def inherited(self) -> dict[str, str]:
        """The environment of a process that works on this stage, and on no other."""
        names = (name for name in os.environ if not name.startswith(("WAQ_", "WHATSAPP_")))
        return {**{name: os.environ[name] for name in names}, **self.environ}

    def warm(self, **besides: str) -> Process:
        """Start a dispatcher that is not to dispatch yet; returns at once.

        `besides` is what its environment has that others' have not.
        """
        process = Process({**self.inherited(), **besides}, self.complaints)
        self.processes.append(process)
        return process

    def cold(self) -> tuple[Process, int]:
        """Start a dispatcher from nothing; returns it and the instant of that."""
        started_us = now_us()
        return self.dispatching(), started_us

    def dispatching(self) -> Process:
        """Start a dispatcher and let it dispatch."""
        process = self.warm()
        process.warm_up()
        process.go()
        return process

    def errors(self) -> int:
        """How many errors the dispatchers have logged."""
        said = self.complaints.read_text(errors="replace").splitlines()
        return sum(line.startswith(("ERROR", "CRITICAL", "Traceback")) for line in said)


@contextlib.contextmanager
def staged(
    folder: Path,
    *,
    pace_s: float,
    senders: int = 1,
    latency_ms: str = "0-200",
    seed: int = 0,
    database_url: str | None = None,
    host: str = LOOPBACK,
) -> Iterator[Stage]:
    """Set a stage up in a folder; at the end every process on it is ended.

    `database_url` is a database on a server; None: a file in the folder. `host` is the address that
    the gateway listens on.
    """
    numbers = tuple(f"62811404070{n:02}" for n in range(senders))
    database = database_url or folder / "chaos.db"
    with running("--host", host, "--latency-ms", latency_ms, "--seed", str(seed)) as url:
        environ = {
            "WHATSAPP_API_KEY": "K",
            "WHATSAPP_SENDER": numbers[0],
            "WAQ_SENDERS": ",".join(numbers[1:]),
            "WAQ_DATABASE_URL": database_url or f"sqlite:///{database}",
            "WAQ_GATEWAY_URL": url,
            "WAQ_PACE_SECONDS": str(pace_s),
            "WAQ_BACKOFF_SECONDS": "0.5",
        }
        stage = Stage(
            url=url,
            database=database,
            environ=environ,
            senders=numbers,
            pace_us=round(pace_s * 1_000_000),
            complaints=folder / "dispatchers.log",
        )
        try:
            yield stage
        finally:
            for process in stage.processes:
                process.clear_away()
