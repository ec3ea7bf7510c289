"""Looks at the memory and handles of the service's processes once a second."""

import json
import threading
import time
from pathlib import Path

import psutil

from loadtests.run.process import Process
from loadtests.run.service import Service

EVERY_S = 1.0


class Sampler(threading.Thread):
    """Writes a line a second and process to `samples.jsonl`, in whichever life each is then."""

    def __init__(self, service: Service, path: Path) -> None:
        super().__init__(name="sampler", daemon=True)
        self._service = service
        self._path = path
        self._over = threading.Event()

    def run(self) -> None:
        """Look until it is over."""
        with self._path.open("w", encoding="utf-8") as lines:
            while not self._over.wait(EVERY_S):
                for process in self._service.processes:
                    if (sample := _sample(process)) is not None:
                        lines.write(json.dumps(sample) + "\n")

    def finish(self) -> None:
        """Look no more."""
        self._over.set()
        self.join()


def _sample(process: Process) -> dict[str, str | int] | None:
    pid = process.pid
    if pid is None:
        return None
    try:
        found = psutil.Process(pid)
        rss_bytes, handles = found.memory_info().rss, found.num_fds()
    except psutil.Error:
        return None  # It was killed between two looks.
    at = time.time_ns() // 1_000
    held = {"rss_bytes": rss_bytes, "handles": handles}
    return {"at": at, "process": process.name, "pid": pid, **held}
