"""A wall clock of the service's own host, which can be set while the service runs.

A small library (`wall.c`, built for the run) is loaded into the service's processes alone, and adds
to their CLOCK_REALTIME what a shared file says; boot and monotonic clock stay the machine's.
Debian's libfaketime 0.9.10 does this too, but breaks Python's `time.sleep` (EINVAL), and must read
its file for every look at the wall: 10 µs, of which the service's own stamps get noisy.
"""

import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).with_name("wall.c")
COMPILER = "cc"
US = 1_000_000


class ClockError(Exception):
    """There is no clock to be had that can be set; the text says what to do."""


class WallClock:
    """The wall of the service's processes, in all their lives."""

    def __init__(self, folder: Path) -> None:
        """`folder` is for the library, and the file that holds how far the wall is ahead.

        Raises:
            ClockError: the library cannot be built.
        """
        self._library = (folder / "wall.so").resolve()
        self._file = (folder / "wall-ahead").resolve()
        self._file.write_bytes(struct.pack("q", 0))
        _build(self._library)

    @property
    def environ(self) -> Mapping[str, str]:
        """What a process needs in its environment to live by this clock."""
        return {"LD_PRELOAD": str(self._library), "WALL_AHEAD": str(self._file)}

    def set_ahead(self, seconds: int) -> None:
        """Set it so far ahead of the true wall, or behind if negative, at once."""
        with self._file.open("r+b", buffering=0) as held:
            held.write(struct.pack("q", seconds * US))


def _build(library: Path) -> None:
    if shutil.which(COMPILER) is None:
        raise ClockError(
            "a clock that can be stepped needs a C compiler, and there is no "
            f"{COMPILER} here: as root, run apt-get install build-essential"
        )
    command = [COMPILER, "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClockError(f"the clock that can be stepped did not build: {done.stderr.strip()}")
