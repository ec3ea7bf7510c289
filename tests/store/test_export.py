"""Records of a real database, on instants written by hand."""

from pathlib import Path

import pytest

from tests.engines import address, is_server
from tests.store.hand import (
    LEASE_US,
    SENDER,
    HandClock,
    begin,
    ended,
    join,
    new,
    open_store,
    put,
    senders,
    take,
)
from tests.virtual_time import EPOCH
from waqcore.core.instants import HOUR, SECOND
from waqcore.core.outcome import Accepted, NotSent
from waqcore.core.records import AttemptRecord, LaneRecord, MessageRecord
from waqcore.export import (
    Which,
    read_attempts,
    read_lane_events,
    read_messages,
)
from waqcore.export import senders as senders_of
from waqcore.store import events, forecasts, steady
from waqcore.store.events import Happening
from waqcore.store.forecasts import Forecast
from waqcore.store.store import Store

OTHER = "628114040708"

_FILL = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
INSERT INTO waq_message (id, sender, recipient, body, priority, content_hash, enqueued_at)
SELECT 'a' || i, '{sender}', '+62812' || i, 'body', 1 + i - i / 3 * 3, 'h', {wall} + i FROM n
"""


def url(folder: Path) -> str:
    return address(folder)


def fill(store: Store, count: int) -> None:
    text = _FILL.format(count=count, sender=SENDER, wall=EPOCH)
    store.write(lambda connection: connection.exec_driver_sql(text))


def one_retried_one_waiting(folder: Path, clock: HandClock) -> None:
    """m1 fails at 0.25 s and is accepted at 20.25 s; m2 is high, for tomorrow, and expires."""
    store = open_store(folder, clock, senders(backoff_base_us=1, backoff_cap_us=1))
    me = join(store, "d1")
    later = {"send_at": EPOCH + 24 * HOUR, "expires_at": EPOCH + 48 * HOUR}
    put(store, new(1), new(2, priority=1, reference="REG-2", **later))
    for outcome in (NotSent("broke"), Accepted()):
        (claim,) = take(store, me).claims
        assert begin(store, claim) == [claim]
        clock.advance(0.25)
        left_at = store.steady()
        clock.advance(0.5)
        over = ended(store, claim, outcome, left_at)._replace(detail='it said, "no"\nand left')
        take(store, me, over)
        clock.advance(19.25)
        me = join(store, f"d{clock.passed_us}")
    store.close()


def an_hour_ahead(folder: Path, clock: HandClock) -> None:
    """The wall is set an hour ahead, and the pace which that costs has passed a minute later."""
    open_store(folder, clock).close()
    clock.wall_step_us = HOUR
    open_store(folder, clock).close()
    clock.advance(60)


def test_a_message_has_every_column_with_its_instants_on_the_wall(folder: Path) -> None:
    clock = HandClock()
    one_retried_one_waiting(folder, clock)

    assert list(read_messages(url(folder), clock=clock)) == [
        MessageRecord(
            seq=1,
            id="m1",
            sender=SENDER,
            priority="normal",
            reference=None,
            enqueued_at=EPOCH,
            send_at=None,
            expires_at=None,
            state="sent",
            attempts=2,
            failures=1,
            maybe_duplicate=False,
            first_called_at=EPOCH + 250_000,
            called_at=EPOCH + 20_250_000,
            ended_at=EPOCH + 20_750_000,
            eta_at=None,
            eta_low_at=None,
            eta_high_at=None,
        ),
        MessageRecord(
            seq=2,
            id="m2",
            sender=SENDER,
            priority="high",
            reference="REG-2",
            enqueued_at=EPOCH,
            send_at=EPOCH + 24 * HOUR,
            expires_at=EPOCH + 48 * HOUR,
            state="queued",
            attempts=0,
            failures=0,
            maybe_duplicate=False,
            first_called_at=None,
            called_at=None,
            ended_at=None,
            eta_at=None,
            eta_low_at=None,
            eta_high_at=None,
        ),
    ]


def test_a_message_that_was_foretold_says_what(folder: Path) -> None:
    clock = HandClock()
    one_retried_one_waiting(folder, clock)
    store = open_store(folder, clock)
    made = Forecast(1, EPOCH, EPOCH + 5, EPOCH + 4, None)
    store.write(lambda connection: forecasts.keep(connection, [made]))
    store.close()

    first, second = read_messages(url(folder), clock=clock)

    assert (first.eta_at, first.eta_low_at, first.eta_high_at) == (EPOCH + 5, EPOCH + 4, None)
    assert (second.eta_at, second.eta_low_at, second.eta_high_at) == (None, None, None)


def test_a_call_has_every_column_with_its_instants_on_the_wall(folder: Path) -> None:
    clock = HandClock()
    one_retried_one_waiting(folder, clock)

    said = 'it said, "no"\nand left'
    assert list(read_attempts(url(folder), clock=clock)) == [
        AttemptRecord(
            seq=1,
            message_id="m1",
            sender=SENDER,
            priority="normal",
            number=1,
            ready_at=None,
            claimed_at=EPOCH,
            called_at=EPOCH + 250_000,
            finished_at=EPOCH + 750_000,
            outcome="not_sent",
            detail=said,
        ),
        AttemptRecord(
            seq=1,
            message_id="m1",
            sender=SENDER,
            priority="normal",
            number=2,
            ready_at=EPOCH + 10_250_000,
            claimed_at=EPOCH + 20_000_000,
            called_at=EPOCH + 20_250_000,
            finished_at=EPOCH + 20_750_000,
            outcome="accepted",
            detail=said,
        ),
    ]


def test_a_call_in_flight_or_lost_is_not_known_to_have_left(folder: Path) -> None:
    clock = HandClock()
    store = open_store(folder, clock)
    put(store, new(1))
    (claim,) = take(store, join(store, "d1")).claims
    begin(store, claim)
    in_flight = list(read_attempts(url(folder), clock=clock))
    clock.advance(LEASE_US / SECOND + 1)

    take(store, join(store, "d2"))

    (lost,) = read_attempts(url(folder), clock=clock)
    (told,) = read_messages(url(folder), clock=clock)
    store.close()
    assert in_flight == [
        AttemptRecord(1, "m1", SENDER, "normal", 1, None, EPOCH, None, None, None, "")
    ]
    assert (lost.called_at, lost.finished_at, lost.outcome) == (
        None,
        EPOCH + 16 * SECOND,
        "unknown",
    )
    assert (told.attempts, told.first_called_at, told.called_at) == (1, None, None)


@pytest.mark.parametrize("step_s", [3_600, -3_600])
@pytest.mark.parametrize("noted", ["noted", "not noted"])
def test_a_wall_set_since_does_not_move_a_call_out_of_its_own_time(
    folder: Path, step_s: int, noted: str
) -> None:
    clock = HandClock()
    one_retried_one_waiting(folder, clock)
    clock.wall_step_us = step_s * SECOND
    if noted == "noted":
        store = open_store(folder, clock)
        store.write(lambda connection: steady.note_skew(connection, store.offset_us, clock))
        store.close()

    first, second = read_attempts(url(folder), clock=clock)

    # The nearest instant of the call's own time: its row was written at 0 s, its answer at 0.75 s.
    nearest = 750_000 if step_s > 0 else 0
    if is_server(folder) and noted == "not noted":
        nearest = 250_000  # A server's own clock is what was noted of it.
    assert first.called_at == EPOCH + nearest
    assert second.called_at == EPOCH + 20_000_000 + nearest
    assert (first.claimed_at, second.claimed_at) == (EPOCH, EPOCH + 20_000_000)
    assert (first.ready_at, second.ready_at) == (None, EPOCH + 10_250_000)


def test_a_call_after_the_wall_was_set_is_told_as_the_wall_shows_it(folder: Path) -> None:
    clock = HandClock()
    an_hour_ahead(folder, clock)
    one_retried_one_waiting(folder, clock)

    first, second = read_attempts(url(folder), clock=clock)

    began = EPOCH + HOUR + 60 * SECOND
    assert (first.called_at, second.called_at) == (began + 250_000, began + 20_250_000)


def test_a_copy_on_another_machine_tells_the_same_instants(folder: Path) -> None:
    clock = HandClock()
    an_hour_ahead(folder, clock)
    one_retried_one_waiting(folder, clock)
    elsewhere = HandClock("another boot")
    elsewhere.advance(999_999)

    here = list(read_attempts(url(folder), clock=clock))

    assert list(read_attempts(url(folder), clock=elsewhere)) == here
    assert here[0].called_at == EPOCH + HOUR + 60_250_000


def test_clocks_read_a_moment_apart_move_nothing(folder: Path) -> None:
    clock = HandClock()
    one_retried_one_waiting(folder, clock)
    here = list(read_attempts(url(folder), clock=clock))
    clock.wall_step_us = 9_999

    assert list(read_attempts(url(folder), clock=clock)) == here


def test_lane_events_are_told_oldest_first(folder: Path) -> None:
    store = open_store(folder)
    said = [
        Happening("person", "pause", SENDER, "gateway moves"),
        Happening("person", "suppress", None, "+62********890: stop"),
        Happening("d1", "lane recovered", OTHER),
    ]
    for n, one in enumerate(said):
        store.write(lambda c, one=one, n=n: events.record(c, [one], EPOCH + n))  # type: ignore[misc]

    assert list(read_lane_events(url(folder))) == [
        LaneRecord(EPOCH, SENDER, "pause", "gateway moves"),
        LaneRecord(EPOCH + 1, None, "suppress", "+62********890: stop"),
        LaneRecord(EPOCH + 2, OTHER, "lane recovered", ""),
    ]
    # What touches every lane touches each.
    theirs = read_lane_events(url(folder), Which(since=EPOCH + 1, sender=SENDER))
    assert [one.event for one in theirs] == ["suppress"]
    before = read_lane_events(url(folder), Which(until=EPOCH + 1))
    assert [one.event for one in before] == ["pause"]
    store.close()


def test_a_stretch_of_time_begins_with_its_first_instant_and_ends_before_its_last(
    folder: Path,
) -> None:
    store = open_store(folder)
    put(store, *(new(n, EPOCH + n) for n in range(1, 5)))

    def ids(which: Which) -> list[str]:
        return [one.id for one in read_messages(url(folder), which)]

    assert ids(Which(since=EPOCH + 2)) == ["m2", "m3", "m4"]
    assert ids(Which(until=EPOCH + 3)) == ["m1", "m2"]
    assert ids(Which(since=EPOCH + 2, until=EPOCH + 4)) == ["m2", "m3"]
    assert ids(Which(since=EPOCH + 5)) == []
    store.close()


def test_calls_are_told_by_when_they_began_not_by_their_message(folder: Path) -> None:
    clock = HandClock()
    one_retried_one_waiting(folder, clock)

    which = Which(since=EPOCH + 20 * SECOND)

    assert [one.number for one in read_attempts(url(folder), which, clock=clock)] == [2]
    before = Which(until=EPOCH + 20 * SECOND)
    assert [one.number for one in read_attempts(url(folder), before, clock=clock)] == [1]


def test_one_sender_is_told_alone(folder: Path) -> None:
    clock = HandClock()
    store = open_store(folder, clock, senders(SENDER, OTHER))
    put(store, new(1), new(2, sender=OTHER))
    me = join(store, "d1")
    claims = take(store, me).claims
    begin(store, *claims)

    which = Which(sender=OTHER)

    assert [one.id for one in read_messages(url(folder), which)] == ["m2"]
    assert [one.message_id for one in read_attempts(url(folder), which)] == ["m2"]
    assert senders_of(url(folder)) == [SENDER, OTHER]
    store.close()


def test_every_message_is_told_once_in_order_however_many_portions_it_takes(
    folder: Path,
) -> None:
    store = open_store(folder)
    fill(store, 12_000)
    gap = "DELETE FROM waq_message WHERE seq BETWEEN 4990 AND 10010"
    store.write(lambda connection: connection.exec_driver_sql(gap))

    told = [one.seq for one in read_messages(url(folder))]

    assert told == [*range(1, 4_990), *range(10_011, 12_001)]
    few = Which(since=EPOCH + 11_000, until=EPOCH + 11_003)
    assert [one.seq for one in read_messages(url(folder), few)] == [11_000, 11_001, 11_002]
    store.close()


def test_what_comes_after_the_start_is_left_out(folder: Path) -> None:
    store = open_store(folder)
    fill(store, 5_000)
    records = read_messages(url(folder))
    put(store, new(1))

    assert len(list(records)) == 5_000
    store.close()
