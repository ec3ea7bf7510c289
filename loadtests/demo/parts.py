"""`waqcore.demo` as a process on our own terminal, and an end to everything at one signal."""

import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

ENDINGS = (signal.SIGINT, signal.SIGTERM)
_STOP_S = 15.0
"""More than it gives its own dispatcher to end."""


def end_at_one_signal() -> None:
    """Let the first signal unwind us, so that every process of ours is ended; ignore more."""
    for number in ENDINGS:
        signal.signal(number, _end)


def _end(number: int, _frame: FrameType | None) -> None:
    for each in ENDINGS:
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)


def run_demo(gateway_url: str, *, pace_s: float, folder: Path, record: Path) -> int:
    """Run `python -m waqcore.demo` to its end; returns its exit code."""
    command = [
        *(sys.executable, "-m", "waqcore.demo"),
        *("--gateway-url", gateway_url),
        *("--pace", f"{pace_s:f}"),
        *("--folder", str(folder)),
        *("--record", str(record)),
    ]
    # Held back until it listens: a Ctrl-C amid its imports would end it with a traceback.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    try:
        process = subprocess.Popen(command)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    try:
        return process.wait()
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
