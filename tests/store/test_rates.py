"""What is known of a lane's past is kept as it was, and every arrival is counted once."""

from pathlib import Path

from tests.store.hand import SENDER, new, open_store, put
from tests.virtual_time import EPOCH
from waqcore.core.message import Priority
from waqcore.core.policy import Policy
from waqcore.core.rates import Rates
from waqcore.store import rates


def test_what_is_known_comes_back_as_it_was(folder: Path) -> None:
    store = open_store(folder)
    policy = Policy()
    known = Rates.since(EPOCH).arrived(Priority.HIGH, EPOCH + 5, policy)
    known = known.called(10_250_000, policy, failed=True)

    store.write(lambda connection: rates.save(connection, {SENDER: known}))
    store.write(lambda connection: rates.save(connection, {SENDER: known}))

    assert store.read(lambda connection: rates.load(connection, [SENDER, "62999"])) == {
        SENDER: known
    }
    store.close()


def test_arrivals_are_counted_once_and_in_order(folder: Path) -> None:
    store = open_store(folder)
    put(store, new(1, priority=1), new(2), new(3, priority=3))

    first = store.read(lambda connection: rates.uncounted(connection, store.now(), 2))
    store.write(lambda connection: rates.note_counted(connection, first[-1].seq))
    rest = store.read(lambda connection: rates.uncounted(connection, store.now(), 2))

    assert [(one.seq, one.priority) for one in first] == [(1, Priority.HIGH), (2, Priority.NORMAL)]
    assert [one.seq for one in rest] == [3]
    store.close()


def test_a_look_tells_whether_there_is_anything_to_count(folder: Path) -> None:
    store = open_store(folder)
    put(store, new(1), new(2))
    told: list[bool] = []
    for counted in (0, 1, 2):
        store.write(lambda connection, seq=counted: rates.note_counted(connection, seq))  # type: ignore[misc]
        told.append(store.read(rates.any_uncounted))

    assert told == [True, True, False]
    store.close()
