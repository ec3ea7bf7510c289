"""Callers of one process who enqueue together, in threads, while a commit is under way.

Which of them waits where is settled before the commit ends, so that a seed replays exactly.
"""

import threading
import time
from collections.abc import Sequence

from sqlalchemy import Connection

from waqcore.store import enqueue
from waqcore.store.enqueue import SuppressedError
from waqcore.store.file import File
from waqcore.store.fresh import NewMessage
from waqcore.store.store import Store

COMES_S = 10.0
"""How long, in real time, a caller may take to come; it takes a fraction of a millisecond."""


def sing(store: Store, messages: Sequence[NewMessage]) -> list[bool]:
    """Enqueue messages in one commit, each by a caller of its own; returns who was told it is in.

    Raises:
        RuntimeError: somebody did not come.
    """
    database = store.database
    assert isinstance(database, File)
    commits = database._commits
    told = [False] * len(messages)

    def enqueue_one(n: int) -> None:
        try:
            store.write_jointly(enqueue.enqueue_jointly, [messages[n]])
            told[n] = True
        except SuppressedError:
            pass

    callers = [
        threading.Thread(target=enqueue_one, args=(n,), daemon=True) for n in range(len(messages))
    ]

    def hold_the_door(_connection: Connection, items: Sequence[None]) -> Sequence[None]:
        for n, caller in enumerate(callers, 1):
            caller.start()
            until = time.monotonic() + COMES_S
            while len(commits._waiting) < n:
                if time.monotonic() > until:
                    raise RuntimeError(f"caller {n} of {len(callers)} did not come")
                time.sleep(0)
        return items

    store.write_jointly(hold_the_door, None)
    for caller in callers:
        caller.join()
    return told
