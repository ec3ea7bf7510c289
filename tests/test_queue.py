"""The application's handle on the queue: what it takes in, shows and changes, on both engines."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.engines import address, an_engine
from tests.scenario import RECIPIENT, SENDER, SIBLING, START, on_a_ram_disk
from tests.store.hand import HandClock
from waqcore.core.control import Resolution
from waqcore.core.instants import SECOND
from waqcore.core.message import Priority, State
from waqcore.draft import Draft, DraftError
from waqcore.phone import PhoneError
from waqcore.queue import NotFoundError, Queue
from waqcore.senders import fleet
from waqcore.settings import Kind, Settings
from waqcore.store.controls import PORTION, Filter
from waqcore.store.enqueue import IdempotencyError, SuppressedError
from waqcore.store.tables import message

OTHER = "+6281234567891"
IN_A_MINUTE = START + timedelta(minutes=1)


@pytest.fixture
def folder(
    tmp_path: Path, on_engine: Callable[[Path], AbstractContextManager[Path]]
) -> Iterator[Path]:
    with on_a_ram_disk(tmp_path) as quick, on_engine(quick) as ready:
        yield ready


@pytest.fixture
def queue(folder: Path, clock: HandClock) -> Iterator[Queue]:
    settings = Settings(
        database_url=address(folder),
        whatsapp_sender=SENDER,
        senders=SIBLING,
        gateway=Kind.SANDBOX,
        guard_ms=0.0,
    )
    with Queue(settings, fleet(settings, {}), actor="test", clock=clock) as queue:
        yield queue


def bodies(queue: Queue, *states: State) -> list[str]:
    return [message.body for message in reversed(queue.messages(Filter(states=states)))]


def test_what_is_handed_back_is_what_is_stored(queue: Queue) -> None:
    given = queue.enqueue(
        "081234567890",
        "Halo",
        priority="high",
        reference="REG-1",
        idempotency_key="k",
        send_at=IN_A_MINUTE,
        expires_at=IN_A_MINUTE + timedelta(hours=1),
        on_unknown="hold",
    )

    assert queue.message(given.id) == given
    assert (given.recipient, given.sender, given.state) == (RECIPIENT, SENDER, State.QUEUED)
    assert (given.priority, given.send_at, given.on_unknown) == ("high", IN_A_MINUTE, "hold")
    assert given.enqueued_at == START


def test_ids_are_unique_and_in_the_order_they_were_made(queue: Queue, clock: HandClock) -> None:
    ids = []
    for _ in range(5):
        ids.append(queue.enqueue(RECIPIENT, "Halo").id)
        clock.advance(0.002)

    assert ids == sorted(set(ids))


def test_the_same_key_gives_the_first_message_as_it_is_now(queue: Queue) -> None:
    first = queue.enqueue(RECIPIENT, "Halo", idempotency_key="k")
    queue.cancel(Filter(ids=(first.id,)))

    again = queue.enqueue(RECIPIENT, "Halo", idempotency_key="k")

    assert (again.id, again.state) == (first.id, State.CANCELLED)
    with pytest.raises(IdempotencyError):
        queue.enqueue(RECIPIENT, "Hai", idempotency_key="k")
    assert len(queue.messages()) == 1


def test_all_drafts_are_queued_or_none_and_the_bad_one_is_named(queue: Queue) -> None:
    drafts = [Draft(to=RECIPIENT, body="a"), Draft(to="12", body="b"), Draft(to=OTHER, body="c")]

    with pytest.raises(PhoneError) as caught:
        queue.enqueue_many(drafts)

    assert caught.value.__notes__ == ["draft 1 (counted from 0)"]
    assert queue.messages() == []


def test_a_message_shows_what_it_says_and_not_how_its_eta_is_found(queue: Queue) -> None:
    given = queue.enqueue("081234567890", "Halo", reference="REG-1")

    assert repr(given).startswith(f"Message(id='{given.id}', sender='{SENDER}', ")
    assert "reference='REG-1'" in repr(given)
    assert "estimate" not in repr(given)
    assert {given, queue.message(given.id)} == {given}


def test_many_drafts_keep_their_order(queue: Queue) -> None:
    queue.enqueue_many(Draft(to=RECIPIENT, body=f"{n}") for n in range(30))

    assert bodies(queue) == [f"{n}" for n in range(30)]
    assert queue.enqueue_many([]) == []


def test_an_enqueue_joins_the_callers_transaction(queue: Queue, folder: Path) -> None:
    engine = an_engine(folder)
    with engine.connect() as connection:
        dropped = queue.enqueue(RECIPIENT, "dropped", connection=connection)
        connection.rollback()
        kept = queue.enqueue(RECIPIENT, "kept", connection=connection)
        connection.commit()
    engine.dispose()

    assert bodies(queue) == ["kept"]
    assert queue.message(kept.id) == kept
    with pytest.raises(NotFoundError):
        queue.message(dropped.id)


def test_a_key_used_twice_in_the_callers_transaction_gives_the_first_message(
    queue: Queue, folder: Path
) -> None:
    engine = an_engine(folder)
    with engine.begin() as connection:
        first = queue.enqueue(RECIPIENT, "Halo", idempotency_key="k", connection=connection)
        again = queue.enqueue(RECIPIENT, "Halo", idempotency_key="k", connection=connection)
    engine.dispose()

    assert again.id == first.id
    assert len(queue.messages()) == 1


def test_send_now_is_before_everything(queue: Queue) -> None:
    queue.enqueue(RECIPIENT, "high", priority="high")
    queue.send_now(RECIPIENT, "now")

    assert [message.body for message in queue.status().next] == ["now", "high"]
    assert queue.status().next[0].priority == "bypass"


def test_the_next_are_of_all_lanes_and_what_backs_off_is_among_them_in_its_turn(
    queue: Queue,
) -> None:
    """A lane's first message comes back in a minute; ten seconds lie between its other two."""
    first, *_ = (queue.enqueue(RECIPIENT, body) for body in ("first", "second", "third"))
    queue.enqueue(RECIPIENT, "other", priority="low", sender=SIBLING)
    retry_at = queue.store.now().steady + 60 * SECOND
    backs_off = update(message).where(message.c.id == first.id).values(retry_at=retry_at)
    queue.store.write(lambda connection: connection.execute(backs_off))

    following = queue.status().next

    assert [one.body for one in following] == ["second", "other", "third", "first"]
    assert [one.eta and one.eta.at for one in following] == [
        START,
        START,
        START + timedelta(seconds=10),
        START + timedelta(minutes=1),
    ]


def test_an_unknown_id_is_not_found(queue: Queue) -> None:
    for look in (queue.message, queue.attempts):
        with pytest.raises(NotFoundError, match="'msg_0'"):
            look("msg_0")


def test_a_listing_goes_on_page_by_page(queue: Queue) -> None:
    queue.enqueue_many(Draft(to=RECIPIENT, body=f"{n}") for n in range(7))

    first = queue.messages(limit=3)
    second = queue.messages(limit=3, before=first[-1].id)

    assert [message.body for message in first + second] == ["6", "5", "4", "3", "2", "1"]


def test_a_listing_that_goes_on_from_an_unknown_id_says_so(queue: Queue) -> None:
    with pytest.raises(NotFoundError, match="'msg_0'"):
        queue.messages(before="msg_0")


def test_a_filter_names_messages_by_all_its_conditions(queue: Queue) -> None:
    queue.enqueue(RECIPIENT, "a", priority="high", reference="REG-1")
    queue.enqueue(RECIPIENT, "b", reference="REG-1")
    queue.enqueue(OTHER, "c", priority="high", reference="REG-2", sender=SIBLING)

    assert queue.count(Filter(reference="REG-1")) == {"queued": 2}
    assert queue.count(Filter(reference="REG-1", priority=Priority.HIGH)) == {"queued": 1}
    assert queue.count(Filter(sender=SIBLING)) == {"queued": 1}
    assert queue.count(Filter(recipient=OTHER)) == {"queued": 1}
    assert queue.count(Filter(states=(State.SENT,))) == {}


@pytest.mark.parametrize(
    "empty",
    [
        Filter(ids=()),
        Filter(reference=""),
        Filter(sender=""),
        Filter(recipient=""),
        Filter(batch=""),
    ],
)
def test_an_empty_condition_names_no_message_rather_than_all(queue: Queue, empty: Filter) -> None:
    queue.enqueue(RECIPIENT, "a")

    assert queue.cancel(empty) == 0
    assert bodies(queue, State.QUEUED) == ["a"]


def test_restoring_no_batch_restores_nothing(queue: Queue) -> None:
    message = queue.enqueue(RECIPIENT, "a")
    queue.cancel(Filter(ids=(message.id,)))

    assert queue.restore("") == 0


def test_a_clear_takes_only_what_its_filter_names_and_is_restored_as_one(queue: Queue) -> None:
    for body, reference in (("a", "X"), ("b", "Y"), ("c", "X")):
        queue.enqueue(RECIPIENT, body, reference=reference)

    batch, moved = queue.clear(Filter(reference="X"))
    other_batch, _ = queue.clear()
    restored = queue.restore(batch)

    assert (moved, restored) == (2, 2)
    assert bodies(queue, State.QUEUED) == ["a", "c"]
    assert bodies(queue, State.CANCELLED) == ["b"]
    assert queue.messages(Filter(batch=other_batch))[0].body == "b"
    assert queue.restore(batch) == 0


def test_a_clear_of_more_than_one_portion_is_whole(queue: Queue) -> None:
    queue.enqueue_many(Draft(to=RECIPIENT, body=f"{n}") for n in range(PORTION + 10))

    batch, moved = queue.clear()

    assert moved == PORTION + 10
    assert queue.count(Filter(batch=batch)) == {"cancelled": PORTION + 10}
    assert queue.restore(batch) == PORTION + 10


def test_a_restore_leaves_out_who_has_opted_out_since(queue: Queue) -> None:
    queue.enqueue(RECIPIENT, "a")
    queue.enqueue(OTHER, "b")
    batch, _ = queue.clear()
    queue.suppress(OTHER, reason="STOP")

    assert queue.restore(batch) == 1
    assert bodies(queue, State.QUEUED) == ["a"]


def test_who_has_opted_out_is_listed_refused_and_let_in_again(queue: Queue) -> None:
    queue.enqueue(OTHER, "a")

    assert queue.suppress("0812-3456-7891", reason="STOP") == 1
    assert queue.suppress(OTHER, reason="again") == 0
    assert [(one.recipient, one.reason) for one in queue.suppressed()] == [(OTHER, "STOP")]
    with pytest.raises(SuppressedError):
        queue.send_now(OTHER, "b")
    assert queue.unsuppress(OTHER) is True
    assert queue.unsuppress(OTHER) is False
    queue.enqueue(OTHER, "c")
    assert bodies(queue, State.QUEUED) == ["c"]


def test_controls_leave_messages_in_other_states_alone(queue: Queue) -> None:
    message = queue.enqueue(RECIPIENT, "a")
    one = Filter(ids=(message.id,))

    assert queue.retry(one) == 0
    assert queue.resolve(one, Resolution.SENT) == 0
    assert queue.cancel(one) == 1
    assert queue.cancel(one) == 0
    assert queue.prioritise(one, Priority.HIGH) == 0


def test_a_filters_states_narrow_what_a_control_takes(queue: Queue) -> None:
    queue.enqueue(RECIPIENT, "a")

    assert queue.cancel(Filter(states=(State.FAILED,))) == 0
    assert queue.cancel(Filter(states=(State.QUEUED, State.FAILED))) == 1


def test_every_control_is_audited_with_who_and_how_many(queue: Queue) -> None:
    queue.enqueue(RECIPIENT, "a")
    queue.enqueue(RECIPIENT, "b")
    queue.cancel(Filter(), reason="a mistake")
    queue.pause("lunch", sender=SENDER)
    queue.resume(sender=SENDER)
    queue.process(sender=SENDER)
    queue.override_pace(SENDER, reason="the boss")

    said = [
        (row.happening.actor, row.happening.action, row.happening.detail) for row in queue.audit()
    ]
    assert said == [
        ("test", "override pace", "the boss"),
        ("test", "process", ""),
        ("test", "resume", ""),
        ("test", "pause", "lunch"),
        ("test", "cancel", "a mistake"),
    ]
    assert [row.happening.messages for row in queue.audit()] == [0, 0, 0, 0, 2]


def test_a_control_of_an_unknown_sender_is_refused(queue: Queue) -> None:
    with pytest.raises(DraftError, match="'628999' is not configured"):
        queue.pause("lunch", sender="628999")


def test_a_control_without_a_sender_is_one_of_all(queue: Queue) -> None:
    assert queue.pause("lunch") == [SENDER, SIBLING]
    assert [lane.condition for lane in queue.status().lanes] == ["paused", "paused"]
    assert queue.resume() == [SENDER, SIBLING]


def test_a_pause_until_an_instant_without_a_time_zone_is_refused(queue: Queue) -> None:
    with pytest.raises(ValueError, match="no time zone"):
        queue.pause("lunch", until=START.replace(tzinfo=None))


def test_the_eta_of_a_message_counts_those_before_it(queue: Queue) -> None:
    messages = [queue.enqueue(RECIPIENT, f"{n}") for n in range(3)]
    high = queue.enqueue(RECIPIENT, "high", priority="high")

    etas = [message.eta for message in (high, *messages)]

    assert [eta and eta.at for eta in etas] == [START + timedelta(seconds=10 * n) for n in range(4)]
    assert [eta and eta.ahead for eta in etas] == [0, 1, 2, 3]


def test_what_has_become_of_messages_by_the_time_somebody_looks_is_in_their_etas(
    queue: Queue,
) -> None:
    messages = queue.enqueue_many([Draft(to=RECIPIENT, body=body) for body in "abc"])
    queue.cancel(Filter(ids=(messages[1].id,)))

    etas = [message.eta for message in messages]

    assert [eta and eta.ahead for eta in etas] == [0, None, 1]


def test_messages_with_others_between_them_have_their_own_positions(queue: Queue) -> None:
    queue.enqueue(RECIPIENT, "a", idempotency_key="a")
    queue.enqueue(RECIPIENT, "b")
    drafts = [Draft(to=RECIPIENT, body="c"), Draft(to=RECIPIENT, body="a", idempotency_key="a")]

    etas = [message.eta for message in queue.enqueue_many([*drafts, drafts[0]])]

    assert [eta and eta.ahead for eta in etas] == [2, 0, 3]


def test_a_paused_message_has_no_eta_and_says_why(queue: Queue) -> None:
    queue.pause("campaign stopped")

    eta = queue.enqueue(RECIPIENT, "a").eta

    assert eta is not None
    assert (eta.at, eta.reason) == (None, "paused: campaign stopped")


def test_a_message_that_will_expire_before_its_turn_is_warned_of(queue: Queue) -> None:
    for n in range(10):
        queue.enqueue(RECIPIENT, f"{n}")

    late = queue.enqueue(RECIPIENT, "late", expires_at=IN_A_MINUTE)
    soon = queue.enqueue(RECIPIENT, "soon", priority="high", expires_at=IN_A_MINUTE)

    assert late.warning.startswith("it expires at 2026-01-01T00:01:00+00:00, before its turn")
    assert soon.warning == ""


def test_the_status_counts_what_waits_by_priority(queue: Queue) -> None:
    queue.enqueue(RECIPIENT, "a", priority="high")
    queue.enqueue(RECIPIENT, "b", priority="low", sender=SIBLING)
    queue.enqueue(RECIPIENT, "c", send_at=IN_A_MINUTE)

    status = queue.status()

    assert status.queued == {"high": 1, "normal": 1, "low": 1}
    assert (status.queue_length, status.scheduled, status.dispatchers) == (3, 1, 0)


def test_a_queue_is_opened_from_the_environment(tmp_path: Path) -> None:
    environ = {
        "WAQ_DATABASE_URL": f"sqlite:///{tmp_path / 'queue.db'}",
        "WAQ_GATEWAY": "sandbox",
        "WHATSAPP_SENDER": SENDER,
    }
    with Queue.from_env(environ) as queue:
        message = queue.enqueue(RECIPIENT, "Halo")

    with Queue.from_env(environ) as queue:
        assert queue.message(message.id).body == "Halo"


def test_opting_out_and_in_again_is_in_the_audit(queue: Queue) -> None:
    queue.suppress(RECIPIENT, reason="asked us to stop")
    queue.unsuppress(RECIPIENT)

    lines = [(line.happening.action, line.happening.detail) for line in queue.audit()]
    masked = "+62********890"
    assert lines == [("unsuppress", masked), ("suppress", f"{masked}: asked us to stop")]


def test_a_used_key_sent_now_is_other_content(queue: Queue) -> None:
    queue.enqueue(RECIPIENT, "Halo", idempotency_key="k")

    with pytest.raises(IdempotencyError):
        queue.send_now(RECIPIENT, "Halo", idempotency_key="k")


def test_an_eta_in_the_callers_transaction_counts_what_only_that_sees(
    queue: Queue, folder: Path
) -> None:
    engine = an_engine(folder)

    with engine.begin() as connection:
        first = queue.enqueue(RECIPIENT, "a", connection=connection)
        second = queue.enqueue(RECIPIENT, "b", connection=connection)
    engine.dispose()

    assert [message.eta and message.eta.ahead for message in (first, second)] == [0, 1]
