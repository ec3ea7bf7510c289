"""The dispatcher as a guest: in a thread of another process's, with a loop of its own."""

import asyncio
import threading
from collections.abc import Callable
from functools import partial

from waqcore.clock import SystemClock
from waqcore.dispatcher.dispatcher import Dispatcher
from waqcore.dispatcher.service import refuse_bare, serve
from waqcore.senders import Fleet
from waqcore.settings import Settings
from waqcore.store.store import Store


class Guest:
    """A dispatcher that its host starts, stops and waits for.

    Its loop is its own, so that whatever else the process does never delays a call by more than a
    turn of the interpreter.
    """

    def __init__(self, settings: Settings, fleet: Fleet, *, id_: str | None) -> None:
        """
        Raises:
            SettingsError: a gateway has no address or key.
        """
        refuse_bare(fleet)
        self._settings = settings
        self._fleet = fleet
        self._id = id_
        self._thread = threading.Thread(target=self._run, name="waq-dispatcher")
        self._ended: Callable[[], None] = lambda: None
        self._mutex = threading.Lock()
        self._stop: Callable[[], None] | None = None
        self._stopping = False
        self.error: BaseException | None = None
        """What ended it; None: it runs, or was stopped."""

    def start(self, ended: Callable[[], None]) -> None:
        """Begin to dispatch; `ended` is called in its thread once it has come to its end."""
        self._ended = ended
        self._thread.start()

    def stop(self) -> None:
        """Begin no more calls; it ends when those in flight are settled."""
        with self._mutex:
            self._stopping = True
            if self._stop is not None:
                self._stop()

    def join(self) -> None:
        """Wait for its end."""
        self._thread.join()

    def _run(self) -> None:
        try:
            store = Store(
                self._settings.database_url,
                self._fleet.senders,
                clock=SystemClock(),
                timezone=self._settings.zone(),
            )
            try:
                asyncio.run(self._serve(store))
            finally:
                store.close()
        except BaseException as error:  # Its host is to hear of it, whatever it is.
            self.error = error
        finally:
            self._ended()

    async def _serve(self, store: Store) -> None:
        try:
            await serve(self._settings, self._fleet, store, id_=self._id, ready=self._ready)
        finally:
            with self._mutex:
                self._stop = None

    def _ready(self, dispatcher: Dispatcher) -> None:
        loop = asyncio.get_running_loop()
        with self._mutex:
            self._stop = partial(_call_in, loop, dispatcher.stop)
            if self._stopping:
                dispatcher.stop()


def _call_in(loop: asyncio.AbstractEventLoop, work: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(work)
