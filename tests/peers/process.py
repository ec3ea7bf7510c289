"""A peer's processes, as the bench starts, finds and kills them."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from tests.peers.peer import Peer, Runtime, Setting

PROJECT = Path(__file__).resolve().parents[2]
HOME = PROJECT / ".bench" / "peers"
VENV = HOME / "venv"
NODE_HOME = HOME / "node"
GONE_WITHIN_S = 20.0
END_WITHIN_S = 10.0


def _command(peer: Peer) -> list[str]:
    if peer.runtime is Runtime.NODE:
        return ["node", f"tests/peers/adapters/{peer.adapter}.cjs"]
    python = sys.executable if peer.runtime is Runtime.OURS else str(VENV / "bin" / "python")
    return [python, "-m", "tests.peers.drive", peer.adapter]


def _environ(told: Setting) -> dict[str, str]:
    # Without the settings of whoever runs the bench; TERM and the like do no harm.
    inherited = {name: os.environ[name] for name in os.environ if not name.startswith("WA")}
    return {**inherited, **told.environ, "NODE_PATH": str(NODE_HOME / "node_modules")}


class Failed(Exception):
    """A peer's process did not do what it was told."""


def ask(peer: Peer, told: Setting, *arguments: str, within_s: float) -> dict[str, Any]:
    """Run a command of a peer's adapter to its end; returns what it said.

    Raises: Failed.
    """
    try:
        done = subprocess.run(
            [*_command(peer), *arguments],
            cwd=PROJECT,
            env=_environ(told),
            capture_output=True,
            text=True,
            timeout=within_s,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{' '.join(arguments)}: not done in {within_s:.0f} s") from None
    if done.returncode != 0:
        raise Failed(f"{' '.join(arguments)}: {(done.stderr or done.stdout).strip()[-600:]}")
    # Some libraries log to standard output, before our line.
    said: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return said


class Worker:
    """A worker and the processes it makes."""

    def __init__(self, peer: Peer, told: Setting, log: Path) -> None:
        self.slot = told.slot
        self._struck: list[psutil.Process] = []
        with log.open("ab") as said:
            self._process = subprocess.Popen(
                [*_command(peer), "work"],
                cwd=PROJECT,
                env=_environ(told),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )

    @property
    def ended(self) -> bool:
        """Whether it is no more."""
        return self._process.poll() is not None

    def owns(self, port: int) -> bool:
        """Whether one of its processes calls from a local port."""
        for process in self._family():
            with suppress(psutil.Error):
                for connection in process.net_connections("tcp"):
                    if connection.laddr.port == port:
                        return True
        return False

    def strike(self) -> None:
        """`kill -9` it and its children, as when a container dies; does not wait."""
        self._struck = self._family()
        for process in self._struck:
            with suppress(psutil.Error):
                process.send_signal(signal.SIGKILL)

    def kill(self) -> None:
        """Strike it, and wait until all are gone."""
        self.strike()
        self.wait()

    def wait(self) -> None:
        """Wait until those struck are gone."""
        self._process.wait(GONE_WITHIN_S)
        psutil.wait_procs(self._struck, GONE_WITHIN_S)

    def end(self) -> None:
        """Ask it to end, and kill what is left of it."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_WITHIN_S)
        self.kill()

    def _family(self) -> list[psutil.Process]:
        try:
            parent = psutil.Process(self._process.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.Error:
            return []
