"""The HTTP service: a durable enqueue beside its framework's bare echo, over 32 connections."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from tests.bench.report import Figure

ROUNDS = 5
SECONDS = 3.0
CONNECTIONS = 32
TOKEN = "bench-0123456789abcdef0123456789"
START_S = 20


def run(folder: Path) -> list[Figure]:
    """Measure both in turns, round by round, and take the median of the rounds' ratios."""
    environ = {
        "WAQ_DATABASE_URL": f"sqlite:///{folder / 'service.db'}",
        "WAQ_GATEWAY": "sandbox",
        "WHATSAPP_SENDER": "628114040707",
        "WAQ_API_TOKEN": TOKEN,
        "WAQ_API_PER_SECOND": "100000",
    }
    echo_port, port = free_port(), free_port()
    waq = str(Path(sys.executable).with_name("waq"))
    with (
        serving([sys.executable, "-m", "tests.bench.echoes", str(echo_port)], echo_port) as bare,
        serving([waq, "serve", "--port", str(port), "--log", "json"], port, environ) as ours,
    ):
        rounds = [
            (
                _load(f"http://127.0.0.1:{echo_port}/echo", bare),
                _load(f"http://127.0.0.1:{port}/v1/messages", ours),
            )
            for _ in range(ROUNDS)
        ]
    echoed, queued = [one for one, _ in rounds], [one for _, one in rounds]
    return [
        Figure(
            name="durable enqueue over HTTP, 32 connections",
            value=median(mine["rate"] / bare["rate"] for bare, mine in rounds),
            unit="×",
            bar=0.4,
            at_least=True,
            detail=f"{_middle(queued, 'rate'):,.0f}/s, {_middle(echoed, 'rate'):,.0f}/s for a bare "
            f"echo; CPU {_middle(queued, 'cpu_us'):,.0f} and {_middle(echoed, 'cpu_us'):,.0f} us",
        ),
        Figure(
            name="the same: p99",
            value=_middle(queued, "p99_ms"),
            unit="ms",
            bar=50,
            at_least=False,
            detail=f"p50 {_middle(queued, 'p50_ms'):.1f} ms; echo p99 "
            f"{_middle(echoed, 'p99_ms'):.1f} ms",
        ),
    ]


def _middle(measured: list[dict[str, Any]], name: str) -> float:
    return float(median(one[name] for one in measured))


def _load(url: str, server: psutil.Process) -> dict[str, Any]:
    before = server.cpu_times()
    command = [sys.executable, "-m", "tests.bench.service_client", url, "--token", TOKEN]
    said = subprocess.check_output(
        [*command, "--seconds", str(SECONDS), "--connections", str(CONNECTIONS)]
    )
    after = server.cpu_times()
    measured: dict[str, Any] = json.loads(said)
    assert not measured["refused"], f"{measured['refused']} requests were refused"
    cpu_s = after.user + after.system - before.user - before.system
    return measured | {"cpu_us": cpu_s / measured["count"] * 1_000_000}


def free_port() -> int:
    """A port of the loopback that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def serving(
    command: list[str], port: int, environ: Mapping[str, str] | None = None
) -> Iterator[psutil.Process]:
    """A server, from when it listens to the end of the block."""
    process = subprocess.Popen(
        command, env={**os.environ, **(environ or {})}, stderr=subprocess.DEVNULL
    )
    try:
        _await(port)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(40)


def _await(port: int) -> None:
    ends = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < ends, f"nothing listens on {port} after {START_S} s"
            time.sleep(0.1)
        else:
            return
