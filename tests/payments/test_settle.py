"""A payment is not lost for words that cannot be written, a sender that is gone, or a race."""

import threading
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.engines import address
from tests.payments.stage import OnEngine, a_queue, a_setting, somebody, states
from tests.scenario import SENDER, SIBLING
from tests.store.hand import HandClock
from waqcore.payments import PaymentEvent, Verdict, settle
from waqcore.queue import Queue
from waqcore.registration import find, register
from waqcore.senders import fleet
from waqcore.templates import Templates, shipped

PAID = PaymentEvent("xendit", "1:PAID", "REG-1", "1", Verdict.PAID, "PAID")
STEP_S = 0.3
"""How long a race is given to go wrong."""


@pytest.fixture
def queue(tmp_path: Path, on_engine: OnEngine) -> Iterator[Queue]:
    with a_queue(tmp_path, None, on_engine) as queue:
        yield queue


def test_words_that_fail_since_are_replaced_by_ours(
    queue: Queue, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    register(queue, somebody())
    own = tmp_path / "own" / "id"
    own.mkdir(parents=True)
    (own / "payment_confirmed.txt").write_text("Kursi {{ seat }}")

    assert settle.take(queue, Templates(own.parent), PAID) == "paid"

    confirmed = find(queue, "REG-1").messages["payment_confirmed"]
    assert "sudah kami terima" in confirmed.body
    (told,) = [vars(one) for one in caplog.records if "cannot be written" in one.message]
    assert "'seat' is undefined" in told["reason"]


def test_a_sender_that_is_gone_is_replaced_by_the_first(
    tmp_path: Path, on_engine: OnEngine
) -> None:
    clock = HandClock()
    with on_engine(tmp_path) as folder:
        both = a_setting(folder)
        with closing(Queue(both, fleet(both, {}), clock=clock)) as queue:
            register(queue, somebody(sender=SIBLING))
        one = a_setting(folder, senders="")
        assert one.database_url == address(folder)
        with closing(Queue(one, fleet(one, {}), clock=clock)) as queue:
            assert settle.take(queue, shipped(), PAID) == "paid"
            assert find(queue, "REG-1").messages["payment_confirmed"].sender == SENDER


def test_an_event_and_its_registration_at_one_instant_do_not_miss_each_other(
    queue: Queue,
) -> None:
    taken, go = threading.Event(), threading.Event()

    def take(connection: Connection) -> str:
        effect = settle.take_in(connection, queue, shipped(), PAID)
        taken.set()
        go.wait(5)
        return effect

    event = threading.Thread(target=partial(queue.store.write, take))
    event.start()
    assert taken.wait(5)
    registration = threading.Thread(target=register, args=(queue, somebody()))
    registration.start()
    registration.join(STEP_S)  # If it can be stored before the event, it is by then.
    go.set()
    event.join(5)
    registration.join(5)

    found = find(queue, "REG-1")
    assert found.payment == "paid"
    assert states(found.messages)["payment_link"] == "cancelled"


def test_one_event_at_two_processes_at_one_instant_is_taken_once(queue: Queue) -> None:
    register(queue, somebody())
    effects: list[str] = []

    def take() -> None:
        effects.append(settle.take(queue, shipped(), PAID))

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert sorted(effects) == ["paid", *["repeated"] * 7]
