"""Looks at the service's memory and handles once a second."""

import json
import threading
import time
from pathlib import Path

import psutil

from loadtests.run.service import Service

EVERY_S = 1.0


class Sampler(threading.Thread):
    """Writes a line a second to `samples.jsonl`, whichever process the service is just then."""

    def __init__(self, service: Service, path: Path) -> None:
        super().__init__(name="sampler", daemon=True)
        self._service = service
        self._path = path
        self._over = threading.Event()

    def run(self) -> None:
        """Look until it is over."""
        with self._path.open("w", encoding="utf-8") as lines:
            while not self._over.wait(EVERY_S):
                pid = self._service.pid
                if pid is None:
                    continue
                try:
                    process = psutil.Process(pid)
                    rss_bytes, handles = process.memory_info().rss, process.num_fds()
                except psutil.Error:
                    continue  # It was killed between two looks.
                at = time.time_ns() // 1_000
                held = {"rss_bytes": rss_bytes, "handles": handles}
                lines.write(json.dumps({"at": at, "process": "service", "pid": pid, **held}) + "\n")

    def finish(self) -> None:
        """Look no more."""
        self._over.set()
        self.join()
