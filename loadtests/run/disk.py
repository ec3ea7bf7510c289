"""A small disk for the service's database, which can be filled."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIZE_MB = 64
"""Many times the database of the longest scenario that fills it."""
BALLAST = "ballast"


class DiskError(Exception):
    """There is no small disk to be had; the text says why."""


@contextmanager
def small_disk(folder: Path) -> Iterator["Disk"]:
    """Mount one while it is needed; its files are in the folder itself afterwards.

    Raises:
        DiskError: nobody but root may mount.
    """
    place = folder / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MB}m", "waqcore-load", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except OSError as error:
        raise DiskError(f"a disk that can be filled cannot be mounted: {error}") from error
    if done.returncode:
        raise DiskError(f"a disk that can be filled needs root to mount it: {done.stderr.strip()}")
    try:
        yield Disk(place)
    finally:
        try:
            for path in sorted(place.iterdir()):
                if path.name != BALLAST:
                    shutil.copy2(path, folder)
        finally:
            subprocess.run(["umount", str(place)], check=True)
        place.rmdir()


class Disk:
    """A mounted one."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._ballast = place / BALLAST

    def fill(self) -> None:
        """Leave no room at all; what is freed meanwhile is taken by the next `fill`."""
        while (free := _free_bytes(self.place)) > 0:
            try:
                with self._ballast.open("ab") as ballast:
                    os.posix_fallocate(ballast.fileno(), ballast.tell(), free)
            except OSError as error:
                if error.errno != errno.ENOSPC:  # The service was quicker: there is less by now.
                    raise

    def clear(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)


def _free_bytes(place: Path) -> int:
    found = os.statvfs(place)
    return found.f_bavail * found.f_bsize
