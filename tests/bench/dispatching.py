"""A dispatcher as a process, for a while."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil


def environ(
    database_url: str, gateway_url: str, numbers: list[str], *, pace_s: float
) -> dict[str, str]:
    """The settings of a dispatcher on a database, for senders on a gateway."""
    return {
        "WHATSAPP_SENDER": numbers[0],
        "WAQ_SENDERS": ",".join(numbers[1:]),
        "WHATSAPP_API_KEY": "bench",
        "WAQ_GATEWAY_URL": gateway_url,
        "WAQ_PACE_SECONDS": str(pace_s),
        "WAQ_DATABASE_URL": database_url,
    }


@contextmanager
def dispatching(environ: Mapping[str, str]) -> Iterator[psutil.Process]:
    """A dispatcher, until the end of the block."""
    waq = Path(sys.executable).with_name("waq")
    process = subprocess.Popen(
        [waq, "dispatch", "--log", "json"],
        env={**os.environ, **environ},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(40)
