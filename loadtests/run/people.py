"""Locust as a process, and what it leaves behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from loadtests.run.order import Order
from loadtests.run.process import PROJECT
from loadtests.run.service import Service

TAIL_S = 8.0
"""How long the others go on after the last arrival, so that payments come in."""
STOP_WITHIN_S = 20.0
STATS = "locust"


def start(order: Order, folder: Path, service: Service) -> subprocess.Popen[bytes]:
    """Let people arrive; returns at once."""
    command = [
        *(sys.executable, "-m", "locust", "-f", "loadtests/locustfile.py"),
        *("--headless", "--only-summary", "--host", service.url, "--loglevel", "WARNING"),
        *("--csv", str(folder.resolve() / STATS), "--exit-code-on-error", "0"),
        *("--run-dir", str(folder.resolve()), "--shape", order.shape),
        *("--people", str(order.people), "--seconds", str(order.seconds)),
        *("--tail", str(TAIL_S), "--seed", str(order.seed), "--hands", str(order.hands)),
        *("--pay-after", str(max(1.0, order.seconds / 15))),
        *("--senders", ",".join(order.numbers)),
        *(("--processes", str(order.processes)) if order.processes > 1 else ()),
    ]
    environ = os.environ | {
        "LOAD_API_TOKEN": service.token,
        "LOAD_XENDIT_TOKEN": service.xendit_token,
        "LOAD_ADMIN_PASSWORD": service.token,
    }
    with (folder / "locust.log").open("wb") as said:
        return subprocess.Popen(
            command, cwd=PROJECT, env=environ, stdout=said, stderr=said, start_new_session=True
        )


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, and to write its statistics."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def late(folder: Path) -> str | None:
    """What there is to say about arrivals that found no free hand; None: nothing."""
    told = [path.read_text().split() for path in sorted(folder.glob("arrivals-*.txt"))]
    came, waited, never = (sum(int(one[n]) for one in told) for n in range(3))
    if not waited and not never:
        return None
    return (
        f"{waited} of {came} arrivals found no free hand, and {never} never had their turn: "
        "more --users would help"
    )
