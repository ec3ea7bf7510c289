"""What an ETA takes into account of a live queue, beside how many messages go before one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from tests.scenario import on_a_ram_disk
from tests.store.hand import HandClock, join, new, open_store, put, take
from tests.virtual_time import EPOCH
from waqcore.core.course import Place
from waqcore.core.forecast import Eta
from waqcore.core.instants import SECOND
from waqcore.core.policy import Sender
from waqcore.estimate import Estimator
from waqcore.store import review
from waqcore.store.store import Store
from waqcore.store.tables import message


class Watched(Estimator):
    """An estimator that keeps the places it forecast."""

    def forecast(self, sender: Sender, place: Place) -> Eta:
        self.place = place
        return super().forecast(sender, place)


def place_of(store: Store, id_: str) -> Place:
    """Where a message stands for its forecast."""

    def look(connection: Connection) -> Place:
        estimator = Watched(connection, store)
        estimator.eta(review.by_ids(connection, (id_,))[id_])
        return estimator.place

    return store.read(look)


def back_off(store: Store, id_: str, seconds: float) -> int:
    """Let a message have failed, to be due again in so many seconds; returns when."""
    retry_at = store.steady() + round(seconds * SECOND)
    query = update(message).where(message.c.id == id_).values(retry_at=retry_at, attempts=1)
    store.write(lambda connection: connection.execute(query))
    return retry_at


@pytest.fixture
def store(tmp_path: Path, clock: HandClock) -> Iterator[Store]:
    with on_a_ram_disk(tmp_path) as folder:
        opened = open_store(folder, clock)
        yield opened
        opened.close()


def test_what_backs_off_is_not_ahead_until_it_is_back(store: Store) -> None:
    """A high one and one of its own kind go before it, once they are back."""
    put(store, new(1, priority=1), new(2), new(3), new(4))
    soon, later = back_off(store, "m2", 20), back_off(store, "m1", 40)

    place = place_of(store, "m4")

    assert (place.ahead, place.loud) == (1, 0)
    assert place.later == ((soon, 1), (later, 1))


def test_what_backs_off_and_goes_after_it_does_not_matter(store: Store) -> None:
    put(store, new(1), new(2), new(3, priority=3))
    back_off(store, "m2", 20)
    back_off(store, "m3", 20)

    place = place_of(store, "m1")

    assert (place.ahead, place.later) == (0, ())


def test_a_backoff_and_a_schedule_that_end_together_are_told_together(store: Store) -> None:
    put(store, new(1, priority=1), new(2, priority=1, send_at=EPOCH + 30 * SECOND), new(3))
    at = back_off(store, "m1", 30)

    assert place_of(store, "m3").later == ((at, 2),)


def test_a_backoff_that_has_ended_is_one_ahead(store: Store, clock: HandClock) -> None:
    put(store, new(1), new(2))
    back_off(store, "m1", 20)
    clock.advance(20)

    place = place_of(store, "m2")

    assert (place.ahead, place.later) == (1, ())


def test_the_one_being_sent_may_come_back_before_those_that_go_after_it(store: Store) -> None:
    put(store, new(1))
    take(store, join(store, "d1"))
    put(store, new(2, priority=1), new(3, priority=3))

    assert not place_of(store, "m2").returning
    assert place_of(store, "m3").returning


def test_one_that_is_not_due_itself_knows_who_keeps_the_lane_busy_meanwhile(store: Store) -> None:
    """Two low ones that are due now, and not the one that backs off."""
    put(store, *(new(n, priority=3) for n in (1, 2, 3)), new(4, send_at=EPOCH + 60 * SECOND))
    put(store, new(5, priority=1))
    back_off(store, "m3", 20)

    scheduled, due = place_of(store, "m4"), place_of(store, "m5")

    assert (scheduled.ahead, scheduled.behind) == (1, 2)
    assert due.behind == 0
