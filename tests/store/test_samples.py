"""Each minute is sampled once, by length and by how calls ended; people and pulses beside it."""

from pathlib import Path

from sqlalchemy import insert

from tests.store.hand import SENDER, new, open_store, put
from waqcore.core.instants import MINUTE
from waqcore.people import People, Role, add, change_password, remove
from waqcore.store import people, pulse, samples
from waqcore.store.samples import KEPT_US, Sample
from waqcore.store.store import Store
from waqcore.store.tables import attempt, sample


def test_a_minute_is_sampled_once_with_its_calls(folder: Path) -> None:
    store = open_store(folder)
    put(store, new(1, priority=1), new(2), new(3, priority=3))
    minute = store.now().wall - store.now().wall % MINUTE - MINUTE
    ended = [
        {
            "message_seq": seq,
            "number": 1,
            "token": str(seq),
            "started_at": minute,
            "finished_at": minute + seq,
            "outcome": outcome,
        }
        for seq, outcome in ((1, "accepted"), (2, "not_sent"), (3, "not_called"))
    ]
    store.write(lambda connection: connection.execute(insert(attempt), ended))

    samples.take(store)
    samples.take(store)

    assert store.read(lambda c: samples.since(c, 0)) == [Sample(minute, 1, 1, 1, 1, 1)]
    found = store.read(lambda c: samples.outcomes(c, 0, 10))
    assert found == {"accepted": 1, "not_sent": 1}
    last = store.read(lambda c: samples.last_calls(c, 10))
    assert last[SENDER].outcome == "not_called"
    store.close()


def test_old_minutes_are_let_go_of(folder: Path) -> None:
    store = open_store(folder)
    wall = store.now().wall
    old = {"minute": wall - KEPT_US - 3 * MINUTE, "sender": ""}
    old |= dict.fromkeys(("high", "normal", "low", "sent", "failed"), 0)
    store.write(lambda connection: connection.execute(insert(sample), [old]))

    samples.take(store)

    (left,) = store.read(lambda connection: samples.since(connection, 0))
    assert left.minute > wall - 3 * MINUTE
    store.close()


def test_a_pulse_moves_with_what_comes_and_stays_otherwise(folder: Path) -> None:
    store = open_store(folder)

    before = [store.read(pulse.pulse), store.read(pulse.pulse)]
    put(store, new(1))

    assert before[0] == before[1]
    assert store.read(pulse.pulse) != before[0]
    store.close()


def test_people_and_the_key_are_shared_by_all_processes(folder: Path) -> None:
    store, other = open_store(folder), open_store(folder)
    add(store, "test", "sari", Role.VIEWER, "correct-horse")
    here, there = People(store, ""), People(other, "")

    assert here.key == there.key
    assert there.check("sari", "correct-horse") == here.person("sari")
    change_password(store, "test", "sari", "another-password")
    assert there.check("sari", "correct-horse") is None
    remove(store, "test", "sari")
    assert there.person("sari") is None
    store.close()
    other.close()


def test_an_ended_session_is_remembered_until_its_cookie_is_too_old(folder: Path) -> None:
    store = open_store(folder)
    store.write(lambda connection: people.end_session(connection, "a", 100, 50))
    store.write(lambda connection: people.end_session(connection, "a", 100, 50))
    known = ended(store)
    store.write(lambda connection: people.end_session(connection, "b", 300, 200))

    assert known == [True, False]
    assert ended(store) == [False, True]
    store.close()


def ended(store: Store) -> list[bool]:
    """Whether each of two sessions has ended."""
    return store.read(lambda c: [people.has_ended(c, session) for session in ("a", "b")])
