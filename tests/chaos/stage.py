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
    """A dispatcher as a process of its own, warm: it starts to dispatch on `go`."""

    def __init__(self, environ: Mapping[str, str], complaints: Path) -> None:
        self._complaints = complaints
        with complaints.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.dispatch"],
                cwd=PROJECT,
                env=environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def warm_up(self) -> None:
        """Wait until it has its imports behind it."""
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            heard = selector.select(START_WITHIN_S)
        if not heard or self._process.stdout.readline().strip() != READY:
            raise Stuck(f"a dispatcher did not start: {self.complaints()}")

    def go(self) -> int:
        """Let it dispatch; returns the instant of that."""
        assert self._process.stdin is not None
        started_us = now_us()
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return started_us

    def kill(self) -> None:
        """`kill -9`, and wait until it is gone."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(GONE_WITHIN_S)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def ends(self, *, within_s: float) -> int:
        """Wait for its end; returns its exit code."""
        try:
            return self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise Stuck(f"no end within {within_s:g} s: {self.complaints()}") from None

    def wait_for(self, what: str, happened: Callable[[], bool], *, within_s: float) -> None:
        """Wait until something has happened, while this dispatcher lives."""
        until = time.monotonic() + within_s
        while not happened():
            if self._process.poll() is not None:
                code = self._process.returncode
                raise Stuck(f"{what}: it ended by itself with {code}: {self.complaints()}")
            if time.monotonic() > until:
                raise Stuck(f"{what}: not within {within_s:g} s: {self.complaints()}")
            time.sleep(LOOK_S)

    def complaints(self) -> str:
        """The end of what the dispatchers have written to their standard error."""
        return self._complaints.read_text(errors="replace")[-COMPLAINT_CHARACTERS:] or "(silent)"

    def clear_away(self) -> None:
        """End it, however far it has come, and let go of its pipes."""
        if self._process.poll() is None:
            self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


@dataclass(kw_only=True)
class Stage:
    """A running mock gateway, and what dispatchers need to work on one database with it."""

    url: str
    database: Path
    environ: Mapping[str, str]
    senders: tuple[str, ...]
    pace_us: int
    complaints: Path
    processes: list[Process] = field(default_factory=list)

    def inherited(self) -> dict[str, str]:
        """The environment of a process that works on this stage, and on no other."""
        names = (name for name in os.environ if not name.startswith(("WAQ_", "WHATSAPP_")))
        return {**{name: os.environ[name] for name in names}, **self.environ}

    def warm(self) -> Process:
        """Start a dispatcher that is not to dispatch yet; returns at once."""
        process = Process(self.inherited(), self.complaints)
        self.processes.append(process)
        return process

    def cold(self) -> tuple[Process, int]:
        """Start a dispatcher from nothing; returns it and the instant of that."""
        started_us = now_us()
        process = self.warm()
        process.go()  # It reads that when it has its imports behind it.
        return process, started_us

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
) -> Iterator[Stage]:
    """Set a stage up in a folder; at the end every process on it is ended.

    `database_url` is a database on a server; None: a file in the folder.
    """
    numbers = tuple(f"62811404070{n:02}" for n in range(senders))
    database = folder / "chaos.db"
    with running("--latency-ms", latency_ms, "--seed", str(seed)) as url:
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
