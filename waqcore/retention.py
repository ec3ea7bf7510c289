"""Erasing what tells of a person from messages that ended long ago, beside a running service."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from waqcore.core.instants import DAY
from waqcore.store import retention
from waqcore.store.commit import Work
from waqcore.store.store import Store

DAYS_MIN = 1
"""Days: a message of today is looked for by whoever did not get it."""

REST_SHARE = 3
"""Times as long as a portion took, that nothing is erased: it has a quarter of the disk's time."""

DAYS_MAX = 3_660
"""Ten years: what is more is a typing mistake."""


class Purged(NamedTuple):
    """What was erased."""

    messages: int
    registrations: int
    before: int
    """What ended before this wall instant, in microseconds since the epoch."""


def erasable(store: Store, days: float) -> dict[str, int]:
    """How many messages a purge would erase now, by state."""
    before = _before(store, days)
    return store.read(lambda connection: retention.count(connection, before))


def purge(
    store: Store,
    days: float,
    *,
    actor: str,
    go_on: Callable[[], bool] = lambda: True,
    rest: Callable[[float], None] = time.sleep,
) -> Purged:
    """Erase what tells of a person from what ended more than so many days ago.

    Portion by portion, each a short write, with a `rest` (seconds) after each, so that no call and
    no enqueue is held up; and as long as it may `go_on`. What it leaves, the next one erases.
    """
    before = _before(store, days)
    messages = sum(_erased_messages(store, before, go_on, rest))
    registrations = sum(
        _erased(store, partial(retention.erase_registrations, before=before), go_on)
    )
    told = sum(_erased(store, partial(retention.erase_told, before=before), go_on))
    if messages or registrations or told:
        detail = f"what ended more than {days:g} days ago"
        if registrations:
            detail += f", {registrations:,} registrations among it"
        wall = store.now().wall
        store.write(lambda connection: retention.note(connection, actor, messages, detail, wall))
    return Purged(messages, registrations, before)


def _erased_messages(
    store: Store, before: int, go_on: Callable[[], bool], rest: Callable[[float], None]
) -> Iterator[int]:
    after_seq = 0
    while go_on():
        find = partial(retention.portion, before=before, after_seq=after_seq)
        seqs = store.read(find)
        if not seqs:
            return
        began = time.monotonic()
        yield store.write(partial(retention.erase, seqs=seqs, before=before))
        after_seq = seqs[-1]
        rest((time.monotonic() - began) * REST_SHARE)


def _erased(store: Store, work: Work[int], go_on: Callable[[], bool]) -> Iterator[int]:
    while go_on() and (erased := store.write(work)):
        yield erased


def _before(store: Store, days: float) -> int:
    assert DAYS_MIN <= days <= DAYS_MAX
    return store.now().wall - round(days * DAY)
