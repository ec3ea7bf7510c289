"""The dispatcher as a process of its own that never outlives the demo; what ends a demo early."""

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

_STOP_S = 10.0
"""A call in flight is settled first: the gateway of a demo answers in milliseconds."""


@contextlib.contextmanager
def dispatching(environ: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a dispatcher, its words going to a log file; it has ended when this returns."""
    command = [sys.executable, "-m", "waqcore.demo.dispatch"]
    with (
        log.open("wb") as words,
        subprocess.Popen(
            command, env=environ, stdin=subprocess.DEVNULL, stdout=words, stderr=words
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()


class Interruption:
    """Whether somebody has asked the demo to end; signals set it and interrupt nothing."""

    def __init__(self) -> None:
        self._number = 0
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)
        # Whoever started us may have held signals back until somebody listens.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._number = self._number or number

    @property
    def exit_code(self) -> int | None:
        """What a shell expects of a program so ended; None: go on."""
        return 128 + self._number if self._number else None
