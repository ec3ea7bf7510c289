"""One process of the program under test: started, killed, started again."""

import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
DOWN_WITHIN_S = 45.0
"""A call in flight is settled before it ends."""


class Process:
    """A command that is the same in all its lives, with one log of them all."""

    def __init__(
        self, name: str, command: Sequence[str], environ: Mapping[str, str], log: Path
    ) -> None:
        self.name = name
        self._command = command
        self._environ = environ
        self._log = log
        self._running: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        """Its process id; None: it is not running."""
        running = self._running
        return running.pid if running is not None and running.poll() is None else None

    def start(self) -> None:
        """Start it; returns at once."""
        with self._lock, self._log.open("ab") as said:
            self._running = subprocess.Popen(
                self._command,
                cwd=PROJECT,
                env=self._environ,
                stdout=said,
                stderr=said,
                start_new_session=True,  # Ctrl-C is for the runner, which ends it in its turn.
            )

    def kill(self) -> None:
        """`kill -9`, and wait until it is gone."""
        with self._lock:
            if self._running is not None:
                self._running.kill()
                self._running.wait(DOWN_WITHIN_S)

    def stop(self) -> None:
        """SIGTERM; SIGKILL if that does not help."""
        with self._lock:
            running = self._running
        if running is None or running.poll() is not None:
            return
        running.terminate()
        try:
            running.wait(DOWN_WITHIN_S)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
