"""A service that starts before its database does waits for it, and says so in a line each time.

After a reboot nobody says in which order they come, and a supervisor gives a service up that ends
too often.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

from waqcore.store.errors import RefusingDatabaseError, UnreachableDatabaseError

log = logging.getLogger("waqcore.dispatcher")

T = TypeVar("T")

FIRST_S = 1.0
MOST_S = 15.0
"""Seconds between two tries: twice as long each time, and never longer than a lease."""


def opened(open_: Callable[[], T], sleep: Callable[[float], None] = time.sleep) -> T:
    """What `open_` returns, as soon as the database's server can be reached.

    SIGTERM ends the process meanwhile, with 0: nothing was begun.

    Raises:
        StoreError: what waiting does not mend.
    """
    wait_s = FIRST_S
    with _ended_by_sigterm():
        while True:
            try:
                return open_()
            except RefusingDatabaseError:
                raise
            except UnreachableDatabaseError as error:
                log.warning(
                    "waiting for the database", extra={"reason": str(error), "again_in_s": wait_s}
                )
            sleep(wait_s)
            wait_s = min(2 * wait_s, MOST_S)


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    # The kernel's own way to end a process is none for the first of a container.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(0)
