"""Positions of many messages, from a few counts, are those that each has by itself."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.store.hand import new, open_store, put
from tests.virtual_time import EPOCH
from waqcore.store.controls import Filter
from waqcore.store.position import EXACT_MAX, Place, position, positions
from waqcore.store.review import fresh_row, listing, numbered
from waqcore.store.store import Store


def _alone(store: Store) -> None:
    put(store, *(new(n, reference="ours") for n in range(50)))


def _behind_others(store: Store) -> None:
    put(store, *(new(n, priority=1) for n in range(100, 120)), new(120, send_at=EPOCH - 1))
    _alone(store)


def _among_others(store: Store) -> None:
    for n in range(40):
        put(store, new(n, reference="ours" if n % 3 else None))


def _with_other_priorities_between(store: Store) -> None:
    put(
        store,
        *(new(n, reference="ours" if n % 2 else None) for n in range(10)),
        *(new(n, priority=1 + n % 3, reference=None) for n in range(10, 30)),
        *(new(n, reference="ours") for n in range(30, 40)),
    )


@pytest.mark.parametrize(
    "fill", [_alone, _behind_others, _among_others, _with_other_priorities_between]
)
def test_together_they_are_as_one_by_one(tmp_path: Path, fill: Callable[[Store], None]) -> None:
    store = open_store(tmp_path)
    fill(store)

    def look(connection: Connection) -> None:
        found = listing(connection, Filter(reference="ours"), limit=1_000)
        places = [Place(row.sender, row.priority, row.seq, row.enqueued_at) for row in found]
        now = store.now()

        together = positions(connection, places, now)

        one_by_one = {place.seq: position(connection, place, now) for place in places}
        assert together == one_by_one

    store.read(look)
    store.close()


def test_beyond_what_is_counted_they_follow_one_another(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    put(store, *(new(n) for n in range(EXACT_MAX + 10)))
    put(store, *(new(n, reference="ours") for n in range(2_000, 2_020)))

    def look(connection: Connection) -> None:
        found = listing(connection, Filter(reference="ours"), limit=1_000)
        places = [Place(row.sender, row.priority, row.seq, row.enqueued_at) for row in found]

        told = positions(connection, places, store.now())

        ahead = [told[place.seq].ahead for place in sorted(places, key=lambda one: one.seq)]
        assert ahead == list(range(ahead[0], ahead[0] + 20))
        assert not any(one.exact for one in told.values())

    store.read(look)
    store.close()


@pytest.mark.parametrize(("asked", "expected"), [((0, 1, 2), [1, 2, 3]), ((0, 2), None)])
def test_fresh_messages_are_numbered_in_turn_unless_others_lie_between(
    tmp_path: Path, asked: tuple[int, ...], expected: list[int] | None
) -> None:
    store = open_store(tmp_path)
    enqueued = [new(n) for n in range(3)]
    put(store, *enqueued)
    fresh = [fresh_row(enqueued[n]) for n in asked]

    found = store.read(lambda connection: numbered(connection, fresh))

    assert (None if found is None else [row.seq for row in found]) == expected
    store.close()
