"""A real `waq serve`, in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WAQ = Path(sys.executable).with_name("waq")
END_S = 30
"""Seconds it may take to end, once told to."""


@dataclass(frozen=True)
class Live:
    """A service that runs."""

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def live(folder: Path, environ: Mapping[str, str], *options: str) -> Iterator[Live]:
    """Serve on a port that is free; what it logs is in `serve.log`."""
    command = [str(WAQ), "serve", "--port", "0", "--log", "json", *options]
    with (folder / "serve.log").open("ab") as log:
        process = subprocess.Popen(command, env={**os.environ, **environ}, stderr=log)
    try:
        yield Live(f"http://127.0.0.1:{_port(folder / 'serve.log', process)}", process)
    finally:
        process.terminate()
        process.wait(END_S)


def _port(log: Path, process: subprocess.Popen[bytes]) -> int:
    """The port of the line that says it serves; the log is followed until it is there."""
    with subprocess.Popen(
        ["tail", "-n", "+1", "-F", f"--pid={process.pid}", log], stdout=subprocess.PIPE
    ) as following:
        assert following.stdout is not None
        ports = (said["port"] for said in _lines(following) if said["event"] == "serving")
        port: int = next(ports, 0)
        following.terminate()
    assert port, f"it did not start: {log.read_text()}"
    return port


def _lines(following: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    assert following.stdout is not None
    for line in following.stdout:
        if line.startswith(b"{"):
            yield json.loads(line)
