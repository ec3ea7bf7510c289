"""The service as a process: the web on one loop, a dispatcher on another, until a signal."""

import asyncio
import contextlib
import ctypes
import gc
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from functools import partial

import uvicorn
from litestar import Litestar

from waqcore.dispatcher.guest import Guest
from waqcore.dispatcher.patience import opened
from waqcore.people import People
from waqcore.queue import Queue
from waqcore.senders import Fleet
from waqcore.settings import Settings
from waqcore.web.app import application
from waqcore.web.backend import Backend

log = logging.getLogger("waqcore.web")

BACKLOG = 512
"""Connections that wait to be taken in."""
KEEP_ALIVE_S = 15
"""How long an idle connection is kept, in seconds."""
GARBAGE = 10_000
"""Objects made before the collector looks for cycles among them. At Python's own 700 it looks while
one commit's requests are under way, and finds them all alive."""
ARENAS = 2
"""Heaps that the C library shares out among the threads. By itself it gives each a heap of its own,
which keeps what its thread once needed for a moment."""
REQUESTS_MAX = 1_000
"""Requests under way at once; whoever comes then is answered 503."""
GRACE_S = 10
"""Seconds that requests under way get to end in, once told to."""

_M_ARENA_MAX = -8  # As malloc.h has it.


class ListenError(Exception):
    """The address cannot be listened on."""


def run(
    settings: Settings,
    fleet: Fleet,
    *,
    host: str,
    port: int,
    guest: Guest | None,
) -> None:
    """Serve until SIGTERM or SIGINT; returns when requests and calls in flight are settled.

    `guest` is a dispatcher that was not started yet; None: others dispatch, or nobody. A database
    server that is not there yet is waited for.

    Raises:
        ListenError: the address cannot be listened on.
        StoreError: the database cannot be used.
        Whatever ended the dispatcher, which ends the service too.
    """
    share_heaps()
    # Before anybody can connect, who would wait for as long as we do.
    with opened(lambda: Queue(settings, fleet, actor="api")) as queue, _listen(host, port) as ear:
        backend = Backend(queue, settings)
        if not People(queue.store, settings.admin_password).anybody():
            log.warning(
                "the dashboard is closed until somebody has a password: set WAQ_ADMIN_PASSWORD, or "
                "`waq user add NAME --role admin` lets somebody in"
            )
        config = _config(application(backend))
        # What is loaded by now stays: a collector that walks it again and again holds up answers.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GARBAGE)
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            runner.run(_serve(backend, _Server(config), ear, guest))
    if guest is not None and guest.error is not None:
        raise guest.error


async def _serve(
    backend: Backend, server: uvicorn.Server, listening: socket.socket, guest: Guest | None
) -> None:
    loop = asyncio.get_running_loop()

    def end() -> None:
        backend.closing.set()
        server.should_exit = True
        if guest is not None:
            guest.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    if guest is not None:
        guest.start(partial(_tell, loop, end))
    host, port = listening.getsockname()[:2]
    log.info("serving", extra={"host": host, "port": port, "dispatches": guest is not None})
    try:
        await server.serve(sockets=[listening])
    finally:
        end()
        await asyncio.to_thread(backend.close)
        if guest is not None:
            await asyncio.to_thread(guest.join)
    log.info("stopped serving")


def _tell(loop: asyncio.AbstractEventLoop, work: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(work)


class _Server(uvicorn.Server):
    """Leaves signals to us: its own handlers would end the process before calls are settled."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def _config(app: Litestar) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        access_log=False,
        backlog=BACKLOG,
        http="httptools",
        lifespan="on",
        limit_concurrency=REQUESTS_MAX,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=KEEP_ALIVE_S,
        ws="none",
    )


def share_heaps() -> None:
    """Have the threads that are started from here on share heaps, where glibc would give them their
    own; elsewhere nothing happens."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        raise ListenError(
            f"cannot listen on {host}:{port}: {error}; name another with --host and --port"
        ) from error
