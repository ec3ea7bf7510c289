"""The gateway's listening socket, which can go away for a while as when its host is down."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from loadtests.mock_gateway.clock import Clock

BACKLOG = 1_024
_AGAIN_S = 0.05
"""Between two tries to have the port back; the kernel may hold it for a moment."""


DOOR: web.AppKey["Door"] = web.AppKey("door")
"""Where the application keeps it."""


class Door:
    """Listens on one port; closed, connections are refused and open ones cut."""

    def __init__(self, runner: web.AppRunner, clock: Clock, host: str) -> None:
        self._runner = runner
        self._host = host
        self._clock = clock
        self._site: web.TCPSite | None = None
        self._port = 0
        self._reopening: asyncio.Task[None] | None = None

    async def open(self, port: int) -> int:
        """Listen; returns the port, which 0 leaves to the system."""
        self._site = web.TCPSite(
            self._runner, self._host, port, backlog=BACKLOG, reuse_address=True
        )
        await self._site.start()
        self._port = int(self._runner.addresses[0][1])
        return self._port

    def drop(self, seconds: float) -> None:
        """Be away from now on for so long; a drop during another one is part of it."""
        if self._reopening is None:
            self._reopening = asyncio.create_task(self._away(seconds))

    async def leave(self) -> None:
        """Think no more of coming back."""
        if self._reopening is not None:
            self._reopening.cancel()
            await asyncio.gather(self._reopening, return_exceptions=True)

    async def _away(self, seconds: float) -> None:
        await self._close()
        await self._clock.sleep(seconds)
        await _until_done(self._reopen, self._clock)
        self._reopening = None

    async def _close(self) -> None:
        if self._site is not None:
            await self._site.stop()
        server = self._runner.server
        for connection in list(server.connections if server is not None else ()):
            if connection.transport is not None:
                connection.transport.abort()

    async def _reopen(self) -> None:
        await self.open(self._port)


async def _until_done(act: Callable[[], Awaitable[None]], clock: Clock) -> None:
    while True:
        try:
            return await act()
        except OSError:
            await clock.sleep(_AGAIN_S)
