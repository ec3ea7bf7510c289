"""How it goes, every few seconds."""

import time
from pathlib import Path

import httpx
from rich.console import Console

from loadtests.run.chaos import Conductor
from loadtests.run.service import Service

EVERY_S = 5.0


class Progress:
    """Prints a line now and then."""

    def __init__(
        self, console: Console, folder: Path, service: Service, gateway_url: str, chaos: Conductor
    ) -> None:
        self._console = console
        self._folder = folder
        self._service = service
        self._gateway_url = gateway_url
        self._chaos = chaos
        self._began = time.monotonic()
        self._next_s = 0.0
        self.banned: tuple[str, ...] = ()
        """The senders that the gateway had banned when it was last asked."""

    def tell(self, doing: str) -> None:
        """Print a line, if it is time for one."""
        elapsed_s = time.monotonic() - self._began
        if elapsed_s < self._next_s:
            return
        self._next_s = elapsed_s + EVERY_S
        waiting = self._service.waiting()
        self._console.print(
            f"{elapsed_s:6.0f} s  {doing}: {self._acknowledged():,} acknowledged, "
            f"{'?' if waiting is None else f'{waiting:,}'} waiting, {self._calls()}, "
            f"{len(self._chaos.done)} disturbances",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )

    def _acknowledged(self) -> int:
        return sum(
            path.read_bytes().count(b"\n") for path in self._folder.glob("acknowledged-*.jsonl")
        )

    def _calls(self) -> str:
        try:
            found = httpx.get(f"{self._gateway_url}/_counts", timeout=5.0).json()
        except (httpx.HTTPError, ValueError):
            return "the gateway is away"
        self.banned = tuple(found["banned"])
        banned = f", BANNED: {', '.join(self.banned)}" if self.banned else ""
        return f"{found['calls']:,} calls, {found['delivered']:,} delivered{banned}"
