"""The service as a process of its own on loopback, over the gateway that sends nothing."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_server
from urllib.error import URLError
from urllib.request import urlopen

from waqcore import Queue

PASSWORD = "correct-horse"
SENDERS = ("628114040707", "628114040708")
START_S = 30.0
"""How long it may take to start: a busy machine imports in seconds."""

RUN = "from waqcore.cli import main; main()"


@dataclass(frozen=True)
class Service:
    """A running service, and its queue by its Python interface."""

    url: str
    queue: Queue
    folder: Path

    @property
    def admin(self) -> str:
        """The dashboard's address."""
        return f"{self.url}/admin/whatsapp-queue"


@contextmanager
def serving(folder: Path, *args: str, **more: str) -> Iterator[Service]:
    """Run `waq serve`; it has ended when this returns."""
    port = _free_port()
    ours = {
        "WHATSAPP_SENDER": SENDERS[0],
        "WAQ_SENDERS": SENDERS[1],
        "WAQ_GATEWAY": "sandbox",
        "WAQ_ADMIN_PASSWORD": PASSWORD,
        "WAQ_PACE_SECONDS": "0.3",
        "WAQ_DATABASE_URL": f"sqlite:///{folder}/q.db",
        **more,
    }
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("WAQ_", "WHATSAPP_"))}
    command = [sys.executable, "-c", RUN, "serve", "--port", str(port), *args]
    log = folder / "serve.log"
    with (
        Queue.from_env(ours, actor="test") as queue,
        log.open("wb") as words,
        subprocess.Popen(command, env=kept | ours, stdout=words, stderr=words) as process,
    ):
        try:
            _wait(f"http://127.0.0.1:{port}/healthz", process, log)
            yield Service(f"http://127.0.0.1:{port}", queue, folder)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    give_up_at = time.monotonic() + START_S
    while time.monotonic() < give_up_at and process.poll() is None:
        try:
            with urlopen(address, timeout=1):
                return
        except (URLError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"the service did not start: {log.read_text()[-2_000:]}")


def _free_port() -> int:
    with create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port
