"""Programs of the machine's own that tests need: found, or installed where Debian's tool can."""

import os
import shutil
import subprocess
from functools import cache

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
        _run(*_APT, "update")
        _run(*_APT, "install", "-y", "--no-install-recommends", package)
        found = _found(names)
    if found is None:
        raise MissingProgramError(names, package)
    return found


def _run(*command: str) -> None:
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, check=False, capture_output=True, timeout=_INSTALL_S, env=environ)


def _found(names: tuple[str, ...]) -> str | None:
    return next((path for path in map(shutil.which, names) if path is not None), None)
