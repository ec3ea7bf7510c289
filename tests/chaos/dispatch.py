"""`python -m tests.chaos.dispatch`: forks a dispatcher at each line it reads, one at a time.

Python's imports take longer than the pace the kills are made at, so a restart from nothing would
let every pace pass before the first call. What is under test begins with the fork: the database
opened, the dead buried, their lanes taken over.
"""

import asyncio
import logging
import os
import signal
import sys

from tests.processes import end_with_parent
from waqcore.clock import SystemClock
from waqcore.dispatcher.dispatcher import Dispatcher
from waqcore.dispatcher.service import run, serve
from waqcore.gateways import http, mpwa  # noqa: F401  # Else imported only after the go.
from waqcore.senders import fleet
from waqcore.settings import Settings
from waqcore.store import remote, server  # noqa: F401
from waqcore.store.store import Store

READY = "ready"
HOST = "CHAOS_HOST"
"""Names the host this is to be on; left out, the one it is."""


class HostClock(SystemClock):
    """The clock of a host of its own: where another boot is named, nobody can tell who has died."""

    @property
    def boot_id(self) -> str:
        """Names the host, and with it the run of its machine."""
        return os.environ[HOST]


def main() -> int:
    """Say that we are ready; at each line, start a dispatcher, tell its id, and how it ended."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    print(READY, flush=True)
    while sys.stdin.readline():
        dispatcher = os.fork()
        if not dispatcher:
            end_with_parent(signal.SIGKILL)
            return _dispatch()
        print(dispatcher, flush=True)
        _, status = os.waitpid(dispatcher, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
    return 0  # Whoever started us has gone.


def _dispatch() -> int:
    settings = Settings.from_env(os.environ)
    if HOST in os.environ:
        _run_on_a_host(settings)
    else:
        run(settings, fleet(settings, os.environ))
    return 0


def _run_on_a_host(settings: Settings) -> None:
    known = fleet(settings, os.environ)
    store = Store(settings.database_url, known.senders, clock=HostClock())

    def ready(dispatcher: Dispatcher) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, dispatcher.stop)

    asyncio.run(serve(settings, known, store, id_=os.environ[HOST], ready=ready))
    store.close()


if __name__ == "__main__":
    sys.exit(main())
