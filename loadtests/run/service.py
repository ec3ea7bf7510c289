"""The program under test, in one process or in two; spoken to over HTTP."""

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from loadtests.run.clock import WallClock
from loadtests.run.order import Order
from loadtests.run.process import PROJECT, Process

WAQ = Path(sys.executable).with_name("waq")
UP_WITHIN_S = 60.0
LOOK_S = 0.05
CALL_TIMEOUT_S = 10.0
"""Shorter than in production: a call that hangs holds its sender up for so long."""


class ServiceError(Exception):
    """The service could not be started, or would not do as it was told; the text is its own."""


class Service:
    """`waq serve` on a database of its own, on one port of the loopback for all its lives; apart,
    with its dispatcher in a process beside it."""

    def __init__(
        self, order: Order, folder: Path, place: Path, clock: WallClock | None, gateway_url: str
    ) -> None:
        """`folder` is for its log, `place` for its database; `clock`: its wall, None: the true."""
        self.token = secrets.token_hex(24)
        self.xendit_token = secrets.token_hex(16)
        self.url = f"http://127.0.0.1:{_free_port()}"
        self.log = folder / "service.log"
        self._environ = {
            **_environ(order, place, gateway_url, self.token, self.xendit_token),
            **({} if clock is None else clock.environ),
        }
        self.processes = tuple(
            Process(name, [str(WAQ), *arguments, "--log", "json"], self._environ, self.log)
            for name, arguments in _parts(order, self.url).items()
        )
        self._client = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {self.token}"}, timeout=10.0
        )

    def start(self) -> None:
        """Start all of it; returns at once."""
        for process in self.processes:
            process.start()

    def wait_until_up(self) -> None:
        """Wait until it answers.

        Raises:
            ServiceError: it ended by itself, or did not answer in time.
        """
        until = time.monotonic() + UP_WITHIN_S
        while time.monotonic() < until:
            for process in self.processes:
                if process.pid is None:
                    raise ServiceError(f"the {process.name} ended by itself: {self._last_words()}")
            with contextlib.suppress(httpx.TransportError):
                if self._client.get("/healthz").status_code == httpx.codes.OK:
                    return
            time.sleep(LOOK_S)
        raise ServiceError(f"no answer within {UP_WITHIN_S:g} s: {self._last_words()}")

    def kill(self) -> None:
        """`kill -9` all of it, and wait until it is gone."""
        for process in self.processes:
            process.kill()

    def stop(self) -> None:
        """SIGTERM; SIGKILL where that does not help."""
        for process in self.processes:
            process.stop()

    def waiting(self) -> int | None:
        """How many messages have not ended; None: it did not say."""
        try:
            answer = self._client.get("/v1/queue")
            found = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError):
            return None
        return int(found["queue_length"]) + len(found["sending"])

    def let_go(self) -> None:
        """End pauses that a load test's operator may have left behind."""
        with contextlib.suppress(httpx.HTTPError):
            self._client.post("/v1/queue/resume", json={})

    def export(self, what: str, path: Path) -> None:
        """Write messages or attempts as JSON lines, as `waq export` tells them.

        Raises:
            ServiceError: it could not.
        """
        command = [str(WAQ), "export", what, "--format", "jsonl", "--out", str(path)]
        done = subprocess.run(
            command, cwd=PROJECT, env=self._environ, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ServiceError(f"waq export {what}: {_last_line(done.stderr)}")

    def _last_words(self) -> str:
        return f"{_last_line(self.log.read_text(errors='replace'))} (all of it in {self.log})"


def _parts(order: Order, url: str) -> dict[str, list[str]]:
    """The commands by the names of their processes."""
    serve = ["serve", "--host", "127.0.0.1", "--port", url.rpartition(":")[2]]
    if not order.apart:
        return {"service": serve}
    return {"API": [*serve, "--no-dispatch"], "dispatcher": ["dispatch"]}


def _environ(
    order: Order, place: Path, gateway_url: str, token: str, xendit_token: str
) -> Mapping[str, str]:
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("WAQ_", "WHATSAPP_"))
    }
    return inherited | {
        "WHATSAPP_API_KEY": "K",
        "WHATSAPP_SENDER": order.numbers[0],
        "WAQ_SENDERS": ",".join(order.numbers[1:]),
        "WAQ_DATABASE_URL": f"sqlite:///{(place / 'queue.db').resolve()}",
        "WAQ_GATEWAY_URL": gateway_url,
        "WAQ_PACE_SECONDS": str(order.pace_s),
        "WAQ_GUARD_MS": str(order.guard_ms),
        "WAQ_API_TOKEN": token,
        "WAQ_API_PER_SECOND": "100000",
        "WAQ_ADMIN_PASSWORD": token,
        "WAQ_XENDIT_TOKEN": xendit_token,
        "WAQ_CALL_TIMEOUT_SECONDS": str(CALL_TIMEOUT_S),
        # What is measured in tens of seconds at the real pace is scaled with it.
        "WAQ_BACKOFF_SECONDS": str(max(0.1, order.pace_s / 2)),
        "WAQ_BACKOFF_MAX_SECONDS": str(max(1.0, order.pace_s * 60)),
        "WAQ_PROBE_SECONDS": "1",
        "WAQ_PROBE_MAX_SECONDS": "4",
        "WAQ_SEED": str(order.seed),
    }


def _last_line(said: str) -> str:
    lines = said.strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
