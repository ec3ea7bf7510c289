"""What an enqueue promises: all or nothing, one message a key, and never to who has opted out."""

import threading
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from tests.engines import an_engine
from tests.store.hand import SENDER, new, open_store, put, rows
from waqcore.core.instants import SECOND
from waqcore.store import controls, enqueue
from waqcore.store.enqueue import IdempotencyError, SuppressedError
from waqcore.store.events import Happening
from waqcore.store.store import Store

KEPT = "SELECT id FROM waq_message ORDER BY seq"


def test_ids_come_back_in_order(folder: Path) -> None:
    store = open_store(folder)

    assert put(store, new(3), new(1), new(2)) == ["m3", "m1", "m2"]
    assert rows(store, KEPT) == [("m3",), ("m1",), ("m2",)]
    store.close()


def test_the_same_key_and_content_give_the_first_message(folder: Path) -> None:
    store = open_store(folder)
    put(store, new(1, idempotency_key="k"))

    assert put(store, new(2, idempotency_key="k"), new(3)) == ["m1", "m3"]
    assert rows(store, KEPT) == [("m1",), ("m3",)]
    store.close()


def test_the_same_key_with_other_content_is_refused_and_nothing_is_stored(folder: Path) -> None:
    store = open_store(folder)
    put(store, new(1, idempotency_key="k"))

    with pytest.raises(IdempotencyError, match="'k'"):
        put(store, new(2), new(3, idempotency_key="k", content_hash="other"))

    assert rows(store, KEPT) == [("m1",)]
    store.close()


def test_a_key_holds_within_one_batch_too(folder: Path) -> None:
    store = open_store(folder)

    ids = put(store, new(1, idempotency_key="k"), new(2, idempotency_key="k"))
    with pytest.raises(IdempotencyError):
        put(
            store,
            new(3, idempotency_key="j"),
            new(4, idempotency_key="j", content_hash="other"),
        )

    assert ids == ["m1", "m1"]
    assert rows(store, KEPT) == [("m1",)]
    store.close()


def test_a_key_is_a_senders_own(folder: Path) -> None:
    store = open_store(folder)

    ids = put(
        store,
        new(1, idempotency_key="k"),
        new(2, idempotency_key="k", sender="628114040808", content_hash="other"),
    )

    assert ids == ["m1", "m2"]
    store.close()


def test_a_key_is_remembered_after_its_message_was_sent(folder: Path) -> None:
    store = open_store(folder)
    put(store, new(1, idempotency_key="k"))
    store.write(
        lambda connection: connection.exec_driver_sql("UPDATE waq_message SET state = 'sent'")
    )

    assert put(store, new(2, idempotency_key="k")) == ["m1"]
    store.close()


def test_of_many_that_race_with_one_key_one_is_stored_and_all_hear_of_it(folder: Path) -> None:
    stores = [open_store(folder) for _ in range(2)]
    barrier = threading.Barrier(8)
    heard: list[str] = []

    def race(n: int) -> None:
        for key in range(20):
            barrier.wait()
            id_ = f"{key}-{n}"
            heard.extend(put(stores[n % 2], new(n, id=id_, idempotency_key=f"k{key}")))

    threads = [threading.Thread(target=race, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    kept = {id_ for (id_,) in rows(stores[0], KEPT)}
    assert len(kept) == 20
    assert set(heard) == kept
    assert len(heard) == 160
    for store in stores:
        store.close()


def test_one_bad_enqueue_among_many_that_share_a_commit_fails_its_own_caller_alone(
    folder: Path,
) -> None:
    store = open_store(folder)
    put(store, new(0, idempotency_key="k"))
    barrier = threading.Barrier(16)
    refused: list[int] = []

    def enqueue_one(n: int) -> None:
        for round_ in range(10):
            barrier.wait()
            one = new(n, id=f"{round_}-{n}")
            if n == 5:
                one = replace(one, idempotency_key="k", content_hash="other")
            try:
                put(store, one)
            except IdempotencyError:
                refused.append(n)

    threads = [threading.Thread(target=enqueue_one, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert refused == [5] * 10
    assert rows(store, "SELECT count(*) FROM waq_message") == [(1 + 150,)]
    store.close()


def test_nothing_of_a_batch_is_stored_if_one_recipient_has_opted_out(folder: Path) -> None:
    store = open_store(folder)
    _suppress(store, new(2).recipient)

    with pytest.raises(SuppressedError, match="asked us to stop") as caught:
        put(store, new(1), new(2), new(3))

    assert caught.value.recipient == new(2).recipient
    assert rows(store, KEPT) == []
    # Not stored and taken back, either: a dispatcher might have seen it meanwhile.
    put(store, new(4))
    assert rows(store, "SELECT id, seq FROM waq_message") == [("m4", 1)]
    store.close()


def test_a_number_taken_off_the_list_can_be_written_to_again(folder: Path) -> None:
    store = open_store(folder)
    _suppress(store, new(1).recipient)
    said = Happening("test", "unsuppress")
    store.write(
        lambda connection: controls.unsuppress(connection, new(1).recipient, said, store.now())
    )

    assert put(store, new(1)) == ["m1"]
    store.close()


def test_an_enqueue_in_the_callers_transaction_goes_with_its_rollback(folder: Path) -> None:
    store = open_store(folder)
    engine = an_engine(folder)

    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE account (name TEXT)"))
        connection.commit()
        connection.execute(text("INSERT INTO account VALUES ('sari')"))
        enqueue.enqueue(connection, [[new(1)]])
        connection.rollback()
        after_rollback = rows(store, KEPT)
        connection.execute(text("INSERT INTO account VALUES ('sari')"))
        enqueue.enqueue(connection, [[new(2)]])
        unseen = rows(store, KEPT)
        connection.commit()

    assert (after_rollback, unseen) == ([], [])
    assert rows(store, KEPT) == [("m2",)]
    assert rows(store, "SELECT name FROM account") == [("sari",)]
    engine.dispose()
    store.close()


def test_a_refused_batch_leaves_nothing_in_the_callers_transaction(folder: Path) -> None:
    store = open_store(folder)
    _suppress(store, new(2).recipient)
    engine = an_engine(folder)

    with engine.begin() as connection:
        with pytest.raises(SuppressedError):
            enqueue.enqueue(connection, [[new(1), new(2)]])
        enqueue.enqueue(connection, [[new(3)]])

    assert rows(store, KEPT) == [("m3",)]
    engine.dispose()
    store.close()


def test_a_batch_longer_than_one_statement_takes_is_stored_whole(folder: Path) -> None:
    store = open_store(folder)
    many = [new(n, idempotency_key=f"k{n}") for n in range(1_203)]

    put(store, *many)
    again = put(store, *(replace(one, id=f"x{n}") for n, one in enumerate(many)))

    assert again == [one.id for one in many]
    assert rows(store, "SELECT count(*) FROM waq_message") == [(1_203,)]
    store.close()


def test_the_wall_clock_set_back_does_not_change_the_order(folder: Path) -> None:
    store = open_store(folder)
    put(store, new(1, 10 * SECOND))
    put(store, new(2, 5 * SECOND))

    assert rows(store, f"SELECT id FROM waq_message WHERE sender = '{SENDER}' ORDER BY seq") == [
        ("m1",),
        ("m2",),
    ]
    store.close()


def _suppress(store: Store, recipient: str) -> None:
    said = Happening("test", "suppress")
    store.write(
        lambda connection: controls.suppress(
            connection, recipient, "asked us to stop", said, store.now()
        )
    )
