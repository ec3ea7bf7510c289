"""What this process is called, and whether another one on this host is dead."""

import os
from pathlib import Path

from waqcore.clock import Clock
from waqcore.store.presence import Process

RUNNING = "running"
"""The start of a process that exists and does not tell."""


def this_process(clock: Clock) -> Process:
    """Name this process so that another on the same host can tell whether it still runs."""
    try:
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        namespace = Path("-")
    return Process(f"{clock.boot_id}/{namespace}", f"{os.getpid()}/{_started(os.getpid())}")


def is_dead(name: str) -> bool:
    """Whether the process of this host and namespace that had this name has ended."""
    pid, _, started = name.partition("/")
    now = _started(int(pid))
    return not now or (now != RUNNING and now != started)


def _started(pid: int) -> str:
    """When a process began, in the kernel's ticks; empty where there is no such process.

    A process that has ended but was not yet waited for (a zombie) no longer runs.
    """
    try:
        # The name in brackets may hold spaces and brackets: the fields begin after the last one.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return _exists(pid)  # Hidden from us, or a system without /proc.
    return "" if fields[0] in "ZX" else fields[19]


def _exists(pid: int) -> str:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return RUNNING
