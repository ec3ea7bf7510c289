"""How many go before a message: counted one by one up to a bound, estimated beyond it."""

from pathlib import Path

from sqlalchemy import update

from tests.store.hand import SENDER, HandClock, new, open_store, put
from tests.virtual_time import EPOCH
from waqcore.core.instants import SECOND
from waqcore.store import position
from waqcore.store.position import EXACT_MAX, Place, Position
from waqcore.store.store import Store
from waqcore.store.tables import message


def of(store: Store, seq: int, priority: int = 2, due_at: int = EPOCH) -> Position:
    place = Place(SENDER, priority, seq, due_at)
    return store.read(lambda connection: position.position(connection, place, store.now()))


def test_those_of_higher_priority_and_those_before_it_are_ahead(folder: Path) -> None:
    store = open_store(folder)
    put(store, new(1, priority=3), new(2), new(3, priority=1), new(4), new(5, priority=1))

    assert of(store, 3, priority=1) == Position(0, exact=True, calm=True)
    assert of(store, 2) == Position(2, exact=True, loud=2, calm=True)
    assert of(store, 4) == Position(3, exact=True, loud=2, calm=True)
    assert of(store, 1, priority=3) == Position(4, exact=True, loud=2, calm=True)
    store.close()


def test_what_is_scheduled_for_later_is_not_ahead(folder: Path) -> None:
    clock = HandClock()
    store = open_store(folder, clock)
    put(store, new(1, send_at=EPOCH + 60 * SECOND, priority=1), new(2))
    before = of(store, 2)
    clock.advance(60)

    assert before == Position(0, exact=True, calm=False)
    assert of(store, 2) == Position(1, exact=True, loud=1, calm=True)
    store.close()


def test_a_lane_with_a_backoff_is_calm_once_it_has_ended(folder: Path) -> None:
    clock = HandClock()
    store = open_store(folder, clock)
    put(store, new(1), new(2))
    ends_at = store.now().steady + 30 * SECOND
    backs_off = update(message).where(message.c.seq == 2).values(retry_at=ends_at)
    store.write(lambda connection: connection.execute(backs_off))
    before = of(store, 1)
    clock.advance(30)

    assert before == Position(0, exact=True, calm=False)
    assert of(store, 1) == Position(0, exact=True, calm=True)
    store.close()


def test_those_scheduled_to_go_before_it_are_told_by_instant(folder: Path) -> None:
    """Two high ones at :30, one at :60; a low one, and one of its own kind that is due after it,
    go after it."""
    store = open_store(folder)
    half, full = EPOCH + 30 * SECOND, EPOCH + 60 * SECOND
    put(
        store,
        *(new(n, send_at=half, priority=1) for n in (1, 2)),
        new(3, send_at=full, priority=1),
        new(4, send_at=half, priority=3),
        new(5, send_at=full),
        new(6),
    )
    place = Place(SENDER, 2, 6, EPOCH)

    told = store.read(lambda connection: position.later(connection, place, store.now()))

    assert told == [(half, 2), (full, 1)]
    store.close()


def test_up_to_the_bound_it_is_exact_and_beyond_it_is_near(folder: Path) -> None:
    store = open_store(folder)
    put(store, *(new(n) for n in range(2 * EXACT_MAX)))
    now = store.now()
    tallies = store.read(lambda connection: position.count(connection, now))
    store.write(lambda connection: position.store_tally(connection, tallies, now))

    assert of(store, EXACT_MAX + 1) == Position(EXACT_MAX, exact=True, calm=True)
    far = of(store, 1_801)
    assert not far.exact
    assert abs(far.ahead - 1_800) <= 2
    store.close()


def test_beyond_the_bound_it_says_more_than_the_bound_even_before_anything_was_counted(
    folder: Path,
) -> None:
    store = open_store(folder)
    put(store, *(new(n) for n in range(2 * EXACT_MAX)))

    assert of(store, 1_801) == Position(EXACT_MAX + 1, exact=False, calm=True)
    store.close()
