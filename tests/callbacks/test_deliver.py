"""Applications are told what became of their messages: signed, again until they take it, once each
if they keep ids apart, and never in the way of a call."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Connection
from standardwebhooks.webhooks import Webhook

from tests.scenario import SIBLING
from tests.store.hand import HandClock, ended, join, take
from waqcore import callbacks
from waqcore.callbacks.deliver import KEPT_US, Courier, forget
from waqcore.callbacks.post import Answer
from waqcore.callbacks.schedule import SCHEDULE_US, after
from waqcore.core.instants import DAY, SECOND
from waqcore.core.outcome import Accepted, Rejected
from waqcore.queue import Queue
from waqcore.signature import key_of, signature
from waqcore.store import callbacks as rows
from waqcore.store import outbox
from waqcore.store.callbacks import CallbackRow
from waqcore.store.controls import Filter
from waqcore.store.outbox import Delivery, Result

URL = "https://app.example/hook"
TAKEN = Answer(204)


class Posted(NamedTuple):
    url: str
    headers: Mapping[str, str]
    body: bytes


class Application:
    """Whoever is called back: what they got, and what they answer next."""

    def __init__(self) -> None:
        self.got: list[Posted] = []
        self.answers: list[Answer] = []
        self.always = TAKEN

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.got.append(Posted(url, headers, body))
        await asyncio.sleep(0)
        return self.answers.pop(0) if self.answers else self.always

    @property
    def events(self) -> list[tuple[str, str]]:
        said = [json.loads(one.body) for one in self.got]
        return [(one["type"], one["data"]["id"]) for one in said]


@pytest.fixture
def app() -> Application:
    return Application()


def called_back(queue: Queue, *events: str, url: str = URL) -> CallbackRow:
    wanted = events or callbacks.EVENTS
    return callbacks.register(queue.store, url, wanted, actor="test", any_address=False)


async def inline(work: Callable[[], Any]) -> Any:
    return work()


def round_(queue: Queue, *apps: Application) -> None:
    """One look of each courier, to its end."""

    async def go() -> None:
        couriers = [Courier(queue.store, inline, app) for app in apps]
        for courier in couriers:
            await courier.look()
        for courier in couriers:
            await courier.idle()

    asyncio.run(go())


def cancelled(queue: Queue, n: int = 1) -> list[str]:
    """Messages that have come to rest."""
    ids = [queue.enqueue("081234567890", f"Halo {n}", reference="REG-1").id for n in range(n)]
    queue.cancel(Filter(ids=tuple(ids)), reason="changed my mind")
    return ids


def deliveries(queue: Queue, row: CallbackRow) -> Sequence[Delivery]:
    return queue.store.read(lambda connection: outbox.recent(connection, row.id, 1_000))


def test_what_is_sent_or_failed_is_told_in_the_transaction_that_ends_it(queue: Queue) -> None:
    row = called_back(queue, "message.sent", "message.failed")
    me = join(queue.store, "d")
    sent = queue.enqueue("081234567890", "Halo")
    failed = queue.enqueue("081234567891", "Halo", sender=SIBLING)
    by_id = {one.stored.message.id: one for one in take(queue.store, me).claims}

    assert deliveries(queue, row) == []
    take(queue.store, me, ended(queue.store, by_id[sent.id], Accepted("1")))
    take(queue.store, me, ended(queue.store, by_id[failed.id], Rejected("not on WhatsApp")))

    assert [(one.message_id, one.state, one.reason) for one in deliveries(queue, row)] == [
        (failed.id, "failed", "not on WhatsApp"),
        (sent.id, "sent", ""),
    ]


def test_an_event_is_signed_and_says_no_more_than_it_must(queue: Queue, app: Application) -> None:
    row = called_back(queue)
    (id_,) = cancelled(queue)

    round_(queue, app)

    (got,) = app.got
    said = json.loads(got.body)
    assert got.url == URL
    assert said["type"] == "message.cancelled"
    assert said["data"] == {
        "id": id_,
        "state": "cancelled",
        "reference": "REG-1",
        "recipient": "+62********890",
        "attempts": 0,
        "reason": "changed my mind",
        "ended_at": "2026-01-01T00:00:00+00:00",
    }
    assert b"Halo" not in got.body
    assert row.secret not in str(got)


def test_the_official_library_verifies_it(queue: Queue, app: Application) -> None:
    row = called_back(queue)
    cancelled(queue)
    round_(queue, app)

    headers = dict(app.got[0].headers)
    # The library has no clock to pass in, so it is signed anew for the present.
    at = int(datetime.now(UTC).timestamp())
    fresh = signature(key_of(row.secret), headers["webhook-id"], at, app.got[0].body)
    assert Webhook(row.secret).verify(
        app.got[0].body,
        {**headers, "webhook-timestamp": str(at), "webhook-signature": fresh},
    )
    then = int(headers["webhook-timestamp"])
    assert headers["webhook-signature"] == signature(
        key_of(row.secret), headers["webhook-id"], then, app.got[0].body
    )


def test_what_was_taken_is_told_once(queue: Queue, app: Application) -> None:
    row = called_back(queue)
    cancelled(queue)

    round_(queue, app)
    round_(queue, app)

    assert len(app.got) == 1
    (delivery,) = deliveries(queue, row)
    assert (delivery.status, delivery.tries, delivery.http_status) == ("delivered", 1, 204)


def test_more_than_a_batch_is_told_whole_and_in_order(queue: Queue, app: Application) -> None:
    called_back(queue)
    ids = cancelled(queue, 65)

    round_(queue, app)

    assert [id_ for _, id_ in app.events] == ids


def test_what_was_not_taken_is_told_again_under_the_same_name(
    queue: Queue, app: Application, clock: HandClock
) -> None:
    row = called_back(queue)
    cancelled(queue)
    app.answers = [Answer(500)]

    round_(queue, app)
    clock.advance(4.9)
    round_(queue, app)
    assert len(app.got) == 1, "the schedule says five seconds"
    clock.advance(1.2)
    round_(queue, app)

    first, again = app.got
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != again.headers["webhook-timestamp"]
    assert first.body == again.body
    assert deliveries(queue, row)[0].status == "delivered"


def test_an_event_is_given_up_after_the_whole_schedule(
    queue: Queue, app: Application, clock: HandClock
) -> None:
    row = called_back(queue)
    cancelled(queue)
    app.always = Answer(404)

    for _ in range(15):
        round_(queue, app)
        clock.advance(2 * 86_400)

    assert len(app.got) == 10
    (delivery,) = deliveries(queue, row)
    assert (delivery.status, delivery.http_status) == ("given up", 404)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_only_two_hundreds_are_success(status: int) -> None:
    assert after(Answer(status), 1, 0.5).status == "delivered"


@pytest.mark.parametrize("status", [None, 100, 301, 307, 400, 404, 429, 500, 503])
def test_everything_else_is_tried_again(status: int | None) -> None:
    assert after(Answer(status), 1, 0.5).status == "pending"


def test_the_schedule_is_that_of_the_spec() -> None:
    waits = [after(Answer(500), n, 0.0).wait_us / SECOND for n in range(1, 10)]

    assert waits == [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert after(Answer(500), 10, 0.0).status == "given up"
    assert after(Answer(500), 1, 0.999).wait_us < 1.2 * SCHEDULE_US[0]


def test_a_wish_to_wait_is_granted_within_a_day() -> None:
    wish = after(Answer(429, "", 600 * SECOND), 1, 0.0)
    assert (wish.wait_us, wish.close_us) == (600 * SECOND, 600 * SECOND)
    assert after(Answer(503, "", 30 * DAY), 1, 0.0).wait_us == DAY
    assert after(Answer(429, "", 0), 2, 0.0).wait_us == SCHEDULE_US[1]


def test_a_refusal_of_one_event_does_not_hold_up_the_next(queue: Queue, app: Application) -> None:
    called_back(queue)
    cancelled(queue)
    app.answers = [Answer(400)]
    round_(queue, app)
    (second,) = cancelled(queue)

    round_(queue, app)

    assert app.events[1][1] == second


def test_an_application_that_is_down_is_left_alone_for_a_while(
    queue: Queue, app: Application, clock: HandClock
) -> None:
    called_back(queue)
    cancelled(queue)
    app.answers = [Answer(None, "no answer in 15 s")]
    round_(queue, app)
    cancelled(queue)

    round_(queue, app)
    assert len(app.got) == 1
    clock.advance(60)
    round_(queue, app)
    assert len(app.got) == 3


def test_gone_means_never_again(queue: Queue, app: Application, clock: HandClock) -> None:
    row = called_back(queue)
    called_back(queue, "message.failed")
    cancelled(queue, 3)
    app.always = Answer(410)

    round_(queue, app)
    cancelled(queue)
    clock.advance(3 * 86_400)
    round_(queue, app)

    known = queue.store.read(lambda connection: rows.find(connection, row.id))
    assert known is not None
    assert known.disabled_reason == "its address answered 410 Gone"
    assert len(app.got) == 3
    assert [one.status for one in deliveries(queue, row)] == ["given up"] * 3
    assert "callback disabled" in [line.happening.action for line in queue.audit()]


def test_one_that_is_slow_holds_up_no_other(queue: Queue) -> None:
    called_back(queue, url="https://slow.example/")
    called_back(queue, url="https://fast.example/")
    cancelled(queue)
    begun: list[str] = []
    got: list[str] = []

    async def go() -> None:
        never = asyncio.Event()

        async def post(url: str, _headers: Mapping[str, str], _body: bytes) -> Answer:
            begun.append(url)
            if "slow" in url:
                await never.wait()
            got.append(url)
            return TAKEN

        courier = Courier(queue.store, inline, post)
        await courier.look()
        for _ in range(20):
            await asyncio.sleep(0)
        assert got == ["https://fast.example/"]
        cancelled(queue)
        await courier.look()
        for _ in range(20):
            await asyncio.sleep(0)
        assert begun.count("https://slow.example/") == 1, "it gets no second batch beside the first"
        never.set()
        await courier.idle()
        assert got == [*["https://fast.example/"] * 2, "https://slow.example/"]

    asyncio.run(go())


def test_of_two_processes_one_delivers(queue: Queue, app: Application) -> None:
    called_back(queue)
    cancelled(queue, 30)

    other = Application()
    round_(queue, app, other)

    assert len(app.got) + len(other.got) == 30
    assert len({one.headers["webhook-id"] for one in app.got + other.got}) == 30


def test_what_a_dead_process_had_claimed_is_delivered_by_another(
    queue: Queue, app: Application, clock: HandClock
) -> None:
    row = called_back(queue)
    cancelled(queue)

    async def die() -> None:
        async def never(_url: str, _headers: Mapping[str, str], _body: bytes) -> Answer:
            await asyncio.Event().wait()
            return TAKEN

        courier = Courier(queue.store, inline, never)
        await courier.look()
        await asyncio.sleep(0)
        courier.cancel()
        await courier.idle()

    asyncio.run(die())
    round_(queue, app)
    assert app.got == []
    clock.advance(61)
    round_(queue, app)

    assert len(app.got) == 1
    assert deliveries(queue, row)[0].tries == 2


def test_a_result_that_comes_after_the_next_claim_changes_nothing(queue: Queue) -> None:
    row = called_back(queue)
    cancelled(queue)
    store = queue.store

    def claim(connection: Connection) -> int:
        now = store.now()
        claims = outbox.claim(connection, row.id, now, until=now.steady, limit=1)
        return claims[0].delivery.tries

    first, second = store.write(claim), store.write(claim)
    (event,) = deliveries(queue, row)
    late = Result(event.seq, first, "given up", 0, None, "")
    store.write(lambda connection: outbox.settle(connection, [late]))

    assert (first, second) == (1, 2)
    assert deliveries(queue, row)[0].status == "pending"


def test_a_message_that_ends_twice_is_told_twice(queue: Queue, app: Application) -> None:
    called_back(queue)
    id_ = queue.enqueue("081234567890", "Halo").id
    batch, _ = queue.clear()
    round_(queue, app)
    queue.restore(batch)
    queue.clear()
    round_(queue, app)

    assert app.events == [("message.cancelled", id_)] * 2
    assert len({one.headers["webhook-id"] for one in app.got}) == 2


def test_what_is_over_is_forgotten_after_a_week(
    queue: Queue, app: Application, clock: HandClock
) -> None:
    row = called_back(queue)
    cancelled(queue)
    round_(queue, app)
    app.always = Answer(404)
    cancelled(queue)
    round_(queue, app)

    clock.advance(KEPT_US / SECOND + 1)
    forget(queue.store)

    assert [one.status for one in deliveries(queue, row)] == ["pending"]
