"""The queue as it stands, every instant on the wall, which was set an hour ahead."""

from pathlib import Path

from tests.engines import address
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
from waqcore.core import control
from waqcore.core.instants import HOUR, NEVER, SECOND
from waqcore.core.lane import Lease, Pause, PausedBy
from waqcore.core.message import Message, Priority, State
from waqcore.core.outcome import NotSent, Unknown
from waqcore.export import read_messages, snapshot
from waqcore.store import controls, steady
from waqcore.store.events import Happening
from waqcore.store.store import Store

OTHER = "628114040708"


def url(folder: Path) -> str:
    return address(folder)


def an_hour_ahead(folder: Path, clock: HandClock) -> None:
    """The wall is set an hour ahead, and the pace which that costs has passed a minute later."""
    open_store(folder, clock).close()
    clock.wall_step_us = HOUR
    open_store(folder, clock).close()
    clock.advance(60)


def standing(folder: Path, clock: HandClock) -> Store:
    """An hour after the wall was set an hour ahead: m1 backs off, m2 is being sent, m3 waits for
    tomorrow, m4 was cancelled; the other lane is paused."""
    store = open_store(folder, clock, senders(SENDER, OTHER))
    clock.wall_step_us = HOUR
    clock.advance(3_600)
    store.write(lambda connection: steady.note_skew(connection, store.offset_us, clock))
    wall = clock.wall_us()
    me = join(store, "d1")
    put(store, new(1, wall), new(2, wall, on_unknown="hold"), new(4, wall))
    put(store, new(3, wall, priority=3, reference="REG-3", send_at=wall + 24 * HOUR))
    (claim,) = take(store, me).claims
    begin(store, claim)
    take(store, me, ended(store, claim, NotSent("broke")))
    clock.advance(10)
    me = join(store, "d2")
    update = f"UPDATE waq_message SET retry_at = {store.steady() + 1} WHERE id = 'm1'"
    cancel = "UPDATE waq_message SET state = 'cancelled', ended_at = 1 WHERE id = 'm4'"
    for text in (update, cancel):
        store.write(lambda connection, text=text: connection.exec_driver_sql(text))  # type: ignore[misc]
    (claim,) = take(store, me).claims
    begin(store, claim)
    store.write(
        lambda connection: controls.change_lanes(
            connection,
            [OTHER],
            lambda lane, now: control.pause(lane, "night", now.steady, now.steady + 8 * HOUR),
            store.now(),
            Happening("person", "pause"),
        )
    )
    return store


def test_a_snapshot_has_what_waits_and_is_being_sent_with_its_instants_on_the_wall(
    folder: Path,
) -> None:
    clock = HandClock()
    store = standing(folder, clock)

    seen = snapshot(url(folder), clock=clock)

    store.close()
    at = EPOCH + 2 * HOUR + 10 * SECOND
    assert seen.at == at
    backing_off, sending, later = seen.messages
    began = at - 10 * SECOND
    assert backing_off.message == Message(
        seq=1,
        id="m1",
        priority=Priority.NORMAL,
        due_at=began,
        retry_at=at + 1,
        expires_at=NEVER,
        state=State.QUEUED,
        attempts=1,
        failures=1,
        reason="broke",
    )
    assert (sending.message.id, sending.message.state) == ("m2", State.SENDING)
    assert (sending.message.attempts, sending.message.on_unknown) == (1, "hold")
    assert later.message == Message(seq=4, id="m3", priority=Priority.LOW, due_at=began + 24 * HOUR)
    assert later[1:] == (SENDER, began, began + 24 * HOUR, "REG-3")


def test_a_snapshot_has_every_lane_with_its_instants_on_the_wall(folder: Path) -> None:
    clock = HandClock()
    store = standing(folder, clock)

    lanes = snapshot(url(folder), clock=clock).lanes

    store.close()
    at = EPOCH + 2 * HOUR + 10 * SECOND
    busy, paused = lanes[SENDER], lanes[OTHER]
    assert busy.paced_until == at  # 10 s after the call of m1.
    assert isinstance(busy.lease, Lease)
    assert busy.lease._replace(token="") == Lease(
        "", 2, "d2", claimed_at=at, call_by=at + 3 * SECOND, until=at + LEASE_US
    )
    assert (busy.closed_until, busy.cap_since, busy.idle_since) == (0, 0, 0)
    assert busy.trouble.troubled == (1,)
    assert busy.trouble.probe_at == NEVER
    assert paused.pause is not None
    assert paused.pause == Pause(PausedBy.PERSON, "night", at, at + 8 * HOUR)
    assert paused.paced_until == 0


def test_every_instant_of_a_lane_is_moved_to_the_wall(folder: Path) -> None:
    clock = HandClock()
    an_hour_ahead(folder, clock)
    store = open_store(folder, clock)
    update = f"""
        UPDATE waq_lane SET paced_until = {EPOCH + 1}, closed_until = {EPOCH + 2},
            opens_at = {EPOCH + 3}, idle_since = {EPOCH + 4}, cap_since = {EPOCH + 5},
            breaker_open = 1, probe_at = {EPOCH + 6}, refusals = 7, cap_calls = 8
    """
    store.write(lambda connection: connection.exec_driver_sql(update))

    lane = snapshot(url(folder), clock=clock).lanes[SENDER]

    store.close()
    ahead = EPOCH + HOUR
    assert (lane.paced_until, lane.closed_until, lane.opens_at) == (ahead + 1, ahead + 2, ahead + 3)
    assert (lane.idle_since, lane.cap_since) == (ahead + 4, ahead + 5)
    assert (lane.trouble.open, lane.trouble.probe_at) == (True, ahead + 6)
    assert (lane.refusals, lane.cap_calls) == (7, 8)


def test_a_snapshot_of_one_sender_leaves_the_others_out(folder: Path) -> None:
    clock = HandClock()
    store = standing(folder, clock)

    seen = snapshot(url(folder), [OTHER], clock=clock)

    store.close()
    assert list(seen.lanes) == [OTHER]
    assert seen.messages == []


def test_a_message_held_as_unknown_is_not_in_a_snapshot(folder: Path) -> None:
    clock = HandClock()
    store = open_store(folder, clock)
    me = join(store, "d1")
    put(store, new(1, on_unknown="hold"))
    (claim,) = take(store, me).claims
    begin(store, claim)
    take(store, me, ended(store, claim, Unknown("reset")))

    assert snapshot(url(folder), clock=clock).messages == []
    (told,) = read_messages(url(folder), clock=clock)
    assert (told.state, told.ended_at) == ("unknown", None)
    store.close()
