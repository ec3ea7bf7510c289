"""`waq` as a process of its own, at a pseudo-terminal."""

import os
import pty
import subprocess
import sys

RUN = "from waqcore.cli import main; main()"


class Terminal:
    """A process at a pseudo-terminal."""

    def __init__(self, environ: dict[str, str], *args: str, **env: str) -> None:
        self._fd, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, *args],
            env={"PATH": os.environ["PATH"], "TERM": "xterm", "COLUMNS": "80", **environ, **env},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        self.shown = ""

    def type(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def read_until(self, text: str) -> None:
        while text not in self.shown:
            assert self._read(), f"{text!r} was not shown: {self.shown}"

    def end(self) -> int:
        """Wait for the process's end; returns its exit code."""
        while self._read():
            pass
        os.close(self._fd)
        return self.process.wait()

    def _read(self) -> bool:
        try:
            data = os.read(self._fd, 65_536)
        except OSError:  # EIO, on Linux: nobody holds the other side any more.
            return False
        self.shown += data.decode()
        return bool(data)
