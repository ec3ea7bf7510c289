"""The mock gateway as a process of its own, for demos and benches."""

import contextlib
import selectors
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

LISTENING = "listening on "
_PROJECT = Path(__file__).resolve().parents[2]  # Where `-m loadtests…` can be found from.
_STOP_S = 5.0  # A hung call gets one second at shutdown; after this the process is killed.


class DidNotStart(Exception):
    """The mock gateway ended, or said nothing, before it listened."""


@contextlib.contextmanager
def running(*arguments: str, start_within_s: float = 15.0, apart: bool = False) -> Iterator[str]:
    """Run `python -m loadtests.mock_gateway` with *arguments*; yields its base URL.

    It runs in the project's folder, so a weather file is best named by its absolute path.
    *apart*: Ctrl-C at the terminal does not reach it, and it lives until this ends.

    Raises: DidNotStart.
    """
    command = [sys.executable, "-m", "loadtests.mock_gateway", *arguments]
    with (
        tempfile.TemporaryFile("w+") as complaints,
        subprocess.Popen(
            command,
            cwd=_PROJECT,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            start_new_session=apart,
        ) as process,
    ):
        assert process.stdout is not None
        try:
            line = _first_line(process.stdout, within_s=start_within_s)
            if not line.startswith(LISTENING):
                complaints.seek(0)
                raise DidNotStart(complaints.read().strip() or f"nothing in {start_within_s} s")
            yield line.removeprefix(LISTENING).strip()
        finally:
            _end(process)


def _first_line(stream: IO[str], *, within_s: float) -> str:
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        return stream.readline() if selector.select(within_s) else ""


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
