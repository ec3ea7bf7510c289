"""Hears of what others commit on a server, as it happens, and looks in case that was missed."""

import asyncio
import logging

from waqcore.dispatcher.dispatcher import Dispatcher, Execute
from waqcore.store.database import Database
from waqcore.store.errors import StoreError
from waqcore.store.server import Ear, Server

log = logging.getLogger("waqcore.dispatcher")

LOOK_S = 0.2
"""How often it is looked whether anybody has committed: an enqueue must be heard of within 250 ms
also where a connection pooler lets no notifications through."""

SWEEP_S = 60.0
"""In what time every lane is asked once: a message whose transaction stayed open for long after its
enqueue is told by nothing else."""

RETRY_S = 1.0


async def listen_to_the_server(
    database: Database, dispatcher: Dispatcher, execute: Execute
) -> None:
    """Wake the dispatcher whenever anybody has committed; runs until cancelled."""
    assert isinstance(database, Server)
    loop = asyncio.get_running_loop()
    listener = _Listener(database, dispatcher, loop)
    swept_at = loop.time()
    try:
        while True:
            try:
                await execute(listener.attend)
                version = await execute(database.data_version)
            except StoreError as error:
                log.error("the database is not heard", extra={"reason": str(error)})
                await asyncio.sleep(RETRY_S)
                continue
            listener.noted(version)
            now = loop.time()
            dispatcher.sweep(min(1.0, (now - swept_at) / SWEEP_S))
            swept_at = now
            await asyncio.sleep(LOOK_S)
    finally:
        listener.close()


class _Listener:
    """The connection that hears, made anew where it was lost."""

    def __init__(
        self, server: Server, dispatcher: Dispatcher, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._server = server
        self._dispatcher = dispatcher
        self._loop = loop
        self._ear: Ear | None = None
        self._new: Ear | None = None
        self._version = ""

    def attend(self) -> None:
        """See to it that there is a connection that hears; may wait for the server."""
        if self._ear is None and self._new is None:
            self._new = self._server.ear()

    def noted(self, version: str) -> None:
        """Take up a new connection, and wake the dispatcher if there is news."""
        if self._new is not None:
            self._ear, self._new = self._new, None
            self._loop.add_reader(self._ear.socket, self._hear)
        if version != self._version:
            self._version = version
            self._dispatcher.wake()

    def close(self) -> None:
        """Hear no more."""
        self._lose()
        if self._new is not None:
            self._new.close()

    def _hear(self) -> None:
        assert self._ear is not None
        try:
            heard = self._ear.hear()
        except StoreError as error:
            log.warning("the database is no longer heard", extra={"reason": str(error)})
            self._lose()
            heard = True  # Whatever was to be heard meanwhile.
        if heard:
            self._dispatcher.wake()

    def _lose(self) -> None:
        if self._ear is not None:
            self._loop.remove_reader(self._ear.socket)
            self._ear.close()
            self._ear = None
