"""Threads of the service share heaps, so that each does not keep what it needed for a moment."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

THREADS = """
import ctypes, sys, threading
from waqcore.web.server import share_heaps

if sys.argv[1] == "share":
    share_heaps()
together = threading.Barrier(8)

def allocate():
    held = [bytes(1_000) for _ in range(100)]
    together.wait()

threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
ctypes.CDLL(None).malloc_stats()
"""


def _heaps(how: str) -> int:
    told = subprocess.run(
        [sys.executable, "-c", THREADS, how],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=True,
    ).stderr
    return told.count("Arena")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has a heap a thread")
def test_eight_threads_share_two_heaps() -> None:
    assert _heaps("share") <= 2 < _heaps("leave")
