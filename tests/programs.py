"""Programs of the machine's own that tests need: found, or installed where Debian's tool can."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

_APT = ("apt-get", "-o", "DPkg::Lock::Timeout=120")
_INSTALL_S = 600


class MissingProgramError(RuntimeError):
    """A program that is part of what is tested is not there, and cannot be installed."""

    def __init__(self, names: tuple[str, ...], package: str) -> None:
        super().__init__(
            f"NOT TESTED: there is no {' nor '.join(names)} here and none could be installed; "
            f"as root, run: apt-get update && apt-get install -y {package}"
        )


@cache
def program(*names: str, package: str) -> str:
    """The path of the first of these that there is; installs Debian's package where it can.

    Raises:
        MissingProgramError: there is none, and it cannot be installed.
    """
    found = _found(names)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        with _alone():
            found = _found(names)
            if found is None:
                _run(*_APT, "update")
                _run(*_APT, "install", "-y", "--no-install-recommends", package)
                found = _found(names)
    if found is None:
        raise MissingProgramError(names, package)
    return found


@contextmanager
def _alone() -> Iterator[None]:
    """Debian's tool refuses a second `update` at a time; tests run in several processes."""
    with (Path(tempfile.gettempdir()) / "waqcore-tests-install.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(*command: str) -> None:
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, check=False, capture_output=True, timeout=_INSTALL_S, env=environ)


def _found(names: tuple[str, ...]) -> str | None:
    return next((path for path in map(shutil.which, names) if path is not None), None)
