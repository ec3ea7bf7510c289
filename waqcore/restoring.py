"""Copies of the queue, and what has to happen before a restored one may send again."""

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from waqcore.core.instants import SECOND
from waqcore.core.policy import Policy
from waqcore.store import backup, presence, restored
from waqcore.store.errors import StoreError
from waqcore.store.events import Happening
from waqcore.store.store import Store

HELD = "a copy made by `waq backup`: run `waq restored` before `waq resume`"
"""Why the lanes of a copy stand still."""


class DispatcherAliveError(StoreError):
    """A dispatcher is running on the restored database."""

    def __init__(self, dispatchers: int) -> None:
        super().__init__(
            f"{dispatchers} dispatcher(s) run on this database: stop them first, and wait 15 s; "
            "what they send now nobody could mark any more"
        )


class Doubt(NamedTuple):
    """What of one sender's messages may have been sent since the backup."""

    sender: str
    messages: int
    calls_max: int
    """How many calls its pace allowed since: no more of them can have been sent."""


def back_up(store: Store, source: Path, target: Path, *, actor: str) -> int:
    """Copy a SQLite database while it is in use; returns the bytes of the copy.

    In the copy every lane is paused: a queue that comes back from it sends nothing by itself.

    Raises:
        StoreError: the copy could not be made.
    """
    wall = store.now().wall
    return backup.copy(
        source, target, lambda connection: restored.hold(connection, HELD, actor, wall)
    )


def taken_at(store: Store) -> int | None:
    """When the copy was made that this database came from; None: `waq backup` made none."""
    return store.read(restored.backed_up_at)


def doubts(store: Store, taken: int) -> list[Doubt]:
    """What may have been sent since a backup taken at a wall instant, by sender.

    Raises:
        DispatcherAliveError: somebody sends already.
    """
    now = store.now()
    alive = store.read(lambda connection: presence.alive(connection, now))
    if alive:
        raise DispatcherAliveError(len(alive))
    found = store.read(lambda connection: restored.doubtful(connection, taken, now))
    passed = max(0, now.wall - taken)
    return [
        Doubt(sender, messages, min(messages, _calls(passed, _pace_us(store, sender))))
        for sender, messages in found
    ]


def settle(store: Store, taken: int, *, actor: str) -> int:
    """Pause every lane, and mark what may have been sent since; returns how many were marked."""
    at = datetime.fromtimestamp(taken / SECOND, UTC).isoformat(timespec="seconds")
    said = Happening(actor, "restored", detail=f"from a backup taken at {at}")
    store.write(
        lambda connection: restored.stop(
            connection,
            f"restored {said.detail}: what waits may have been sent; then `waq resume`",
            store.now(),
            lambda sender: _pace_us(store, sender),
            said,
        )
    )
    now, total = store.now(), 0
    while marked := store.write(lambda connection: restored.mark(connection, taken, now)):
        total += marked
    if total:
        marked_said = said._replace(
            detail=f"marked as maybe doubled, {said.detail}", messages=total
        )
        store.write(lambda connection: restored.note(connection, marked_said, now.wall))
    return total


def _calls(passed_us: int, pace_us: int) -> int:
    """Calls that fit into a time at a pace, one at each end included."""
    return math.floor(passed_us / pace_us) + 1 if pace_us else passed_us


def _pace_us(store: Store, number: str) -> int:
    sender = store.senders.get(number)
    return (sender.policy if sender else Policy()).pace_us
