"""Claims and settling on a real file: one wins, and only the holder of a lease settles."""

import subprocess
import sys
import threading
from collections.abc import Collection
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.store.hand import (
    SENDER,
    HandClock,
    beat,
    begin,
    ended,
    join,
    new,
    open_store,
    put,
    rows,
    senders,
    take,
)
from waqcore.clock import Now
from waqcore.core.instants import SECOND
from waqcore.core.outcome import Accepted, NotCalled, NotSent, Rejected
from waqcore.store import attempts, controls, messages
from waqcore.store.controls import Filter
from waqcore.store.events import Happening
from waqcore.store.step import Decided

ROUNDS = 200


def test_of_two_dispatchers_that_claim_at_once_exactly_one_wins(folder: Path) -> None:
    clock = HandClock()
    fleet = senders(pace_us=0)
    stores = [open_store(folder, clock, fleet) for _ in range(2)]
    holders = [join(store, f"d{n}") for n, store in enumerate(stores)]
    barrier = threading.Barrier(2)
    decided: list[list[Decided]] = [[], []]

    def race(n: int) -> None:
        for _ in range(ROUNDS):
            barrier.wait()
            decided[n].append(take(stores[n], holders[n]))
            barrier.wait()
            for claim in decided[n][-1].claims:
                assert begin(stores[n], claim) == [claim]
                take(stores[n], holders[n], ended(stores[n], claim, Accepted()), room=0)

    put(stores[0], *(new(n) for n in range(ROUNDS)))
    threads = [threading.Thread(target=race, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    claimed = [len(a.claims) + len(b.claims) for a, b in zip(*decided, strict=True)]
    assert claimed == [1] * ROUNDS
    assert rows(stores[0], "SELECT DISTINCT state, attempts FROM waq_message") == [("sent", 1)]
    for store in stores:
        store.close()


RACER = """
import sys
from pathlib import Path
from tests.store.hand import *
from waqcore.core.outcome import Accepted
store = open_store(Path(sys.argv[1]), HandClock(), senders(pace_us=0))
me = join(store, sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
while rows(store, "SELECT 1 FROM waq_message WHERE state = 'queued' LIMIT 1"):
    for claim in take(store, me).claims:
        if begin(store, claim):
            print(claim.lease.message_seq, flush=True)
            take(store, me, ended(store, claim, Accepted()), room=0)
"""


def test_two_processes_share_a_lane_without_taking_a_message_twice(folder: Path) -> None:
    store = open_store(folder, fleet=senders(pace_us=0))
    put(store, *(new(n) for n in range(100)))

    processes = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(folder), f"d{n}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for n in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    called = [process.communicate(timeout=60)[0].split() for process in processes]

    assert [process.returncode for process in processes] == [0, 0]
    assert sorted(int(seq) for one in called for seq in one) == list(range(1, 101))
    assert rows(store, "SELECT DISTINCT state, attempts FROM waq_message") == [("sent", 1)]
    store.close()


def test_a_lane_with_a_call_in_flight_is_not_claimed_again(folder: Path) -> None:
    clock = HandClock()
    store = open_store(folder, clock, senders(pace_us=0))
    me = join(store, "d1")
    put(store, new(1), new(2))

    first = take(store, me)
    clock.advance(5)
    second = take(store, me)

    assert [claim.lease.message_seq for claim in first.claims] == [1]
    assert second.claims == []
    store.close()


def test_a_turn_claims_for_as_many_lanes_as_there_is_room_for(folder: Path) -> None:
    numbers = [f"62811404070{n}" for n in range(5)]
    store = open_store(folder, fleet=senders(*numbers))
    me = join(store, "d1")
    put(store, *(new(n, sender=number) for n, number in enumerate(numbers)))

    decided = take(store, me, room=3)

    assert len(decided.claims) == 3
    left = [number for number in numbers if number in decided.waits]
    assert [decided.waits[number] for number in left] == [store.steady()] * 2
    store.close()


def test_a_late_holder_cannot_settle_a_message_leased_again(folder: Path) -> None:
    clock = HandClock()
    store = open_store(folder, clock)
    old = join(store, "d1")
    put(store, new(1))
    (first,) = take(store, old).claims
    begin(store, first)
    clock.advance(20)
    anew = join(store, "d2")
    take(store, anew)
    clock.advance(10)
    anew = beat(store, "d2")
    clock.advance(10)
    (second,) = take(store, anew).claims
    begin(store, second)

    take(store, anew, ended(store, first, Rejected("never mind")), room=0)

    assert rows(store, "SELECT state, lease_token FROM waq_message") == [
        ("sending", second.lease.token)
    ]
    assert rows(store, "SELECT lease_token FROM waq_lane") == [(second.lease.token,)]
    assert rows(store, "SELECT number, outcome FROM waq_attempt ORDER BY number") == [
        (1, "rejected"),
        (2, None),
    ]
    store.close()


def test_a_late_acceptance_of_an_earlier_attempt_does_not_settle_a_later_one(folder: Path) -> None:
    clock = HandClock()
    store = open_store(folder, clock)
    old = join(store, "d1")
    put(store, new(1))
    (first,) = take(store, old).claims
    begin(store, first)
    clock.advance(20)
    anew = join(store, "d2")
    take(store, anew)
    clock.advance(10)
    anew = beat(store, "d2")
    clock.advance(10)
    (second,) = take(store, anew).claims
    begin(store, second)

    take(store, anew, ended(store, first, Accepted("late")), room=0)

    assert rows(store, "SELECT state FROM waq_message") == [("sending",)]
    store.close()


def test_a_late_acceptance_stops_a_second_call_that_was_claimed_but_not_begun(
    folder: Path,
) -> None:
    clock = HandClock()
    store = open_store(folder, clock)
    old = join(store, "d1")
    put(store, new(1))
    (first,) = take(store, old).claims
    begin(store, first)
    clock.advance(20)
    anew = join(store, "d2")
    take(store, anew)
    clock.advance(10)
    anew = beat(store, "d2")
    clock.advance(10)
    (second,) = take(store, anew).claims

    take(store, anew, ended(store, first, Accepted("late")), room=0)
    begun = begin(store, second)
    take(store, anew, ended(store, second, NotCalled("not ours any more")), room=0)

    assert begun == []
    assert rows(store, "SELECT state, provider_id FROM waq_message") == [("sent", "late")]
    assert rows(store, "SELECT lease_token FROM waq_lane") == [(None,)]
    store.close()


def test_an_acceptance_and_the_release_it_makes_void_may_come_in_one_turn(folder: Path) -> None:
    clock = HandClock()
    store = open_store(folder, clock)
    old = join(store, "d1")
    put(store, new(1))
    (first,) = take(store, old).claims
    begin(store, first)
    clock.advance(20)
    anew = join(store, "d2")
    take(store, anew)
    clock.advance(10)
    anew = beat(store, "d2")
    clock.advance(10)
    (second,) = take(store, anew).claims

    late = ended(store, first, Accepted("late"))
    take(store, anew, late, ended(store, second, NotCalled("attempts not stored")), room=0)

    assert rows(store, "SELECT state, provider_id FROM waq_message") == [("sent", "late")]
    assert rows(store, "SELECT lease_token FROM waq_lane") == [(None,)]
    store.close()


def test_a_claim_that_was_taken_over_cannot_begin(folder: Path) -> None:
    clock = HandClock()
    store = open_store(folder, clock)
    old = join(store, "d1")
    put(store, new(1))
    (claim,) = take(store, old).claims
    clock.advance(20)
    take(store, join(store, "d2"), room=0)

    assert begin(store, claim) == []
    assert rows(store, "SELECT count(*) FROM waq_attempt") == [(0,)]
    assert rows(store, "SELECT state, attempts FROM waq_message") == [("queued", 0)]
    store.close()


def test_a_claim_whose_message_another_has_leased_cannot_begin(folder: Path) -> None:
    clock = HandClock()
    store = open_store(folder, clock)
    put(store, new(1))
    (old,) = take(store, join(store, "d1")).claims
    clock.advance(20)
    (anew,) = take(store, join(store, "d2")).claims

    assert begin(store, old) == []
    assert begin(store, anew) == [anew]
    assert rows(store, "SELECT token FROM waq_attempt") == [(anew.lease.token,)]
    store.close()


def test_of_several_claims_only_those_still_ours_begin(folder: Path) -> None:
    numbers = [f"62811404070{n}" for n in range(3)]
    store = open_store(folder, fleet=senders(*numbers))
    me = join(store, "d1")
    put(store, *(new(n, sender=number) for n, number in enumerate(numbers)))
    claims = take(store, me).claims
    said = Happening("test", "cancel")
    which = Filter(ids=(claims[1].stored.message.id,))
    store.write(
        lambda connection: controls.change(
            connection,
            which,
            lambda message, _: message._replace(cancel_requested=True),
            store.now(),
            said=said,
            to_seq=2**62,
        )
    )

    begun = begin(store, *claims)

    assert begun == [claims[0], claims[2]]
    assert set(rows(store, "SELECT message_seq, number FROM waq_attempt")) == {
        (claims[0].lease.message_seq, 1),
        (claims[2].lease.message_seq, 1),
    }
    store.close()


def test_a_recipient_who_opts_out_after_the_claim_is_not_called(folder: Path) -> None:
    store = open_store(folder)
    me = join(store, "d1")
    put(store, new(1), new(2))
    (claim,) = take(store, me).claims
    recipient = claim.stored.recipient
    said = Happening("test", "suppress")
    store.write(
        lambda connection: controls.suppress(connection, recipient, "STOP", said, store.now())
    )

    begun = begin(store, claim)
    given_back = ended(store, claim, NotCalled("released before its call"))
    decided = take(store, me, given_back._replace(called_at=None))

    assert begun == []
    assert rows(store, "SELECT seq, state FROM waq_message") == [(1, "cancelled"), (2, "sending")]
    assert [one.lease.message_seq for one in decided.claims] == [2]
    store.close()


def test_a_message_stays_in_sending_no_longer_than_the_timeout_whatever_its_dispatcher_says(
    folder: Path,
) -> None:
    clock = HandClock()
    store = open_store(folder, clock)
    me = join(store, "d1")
    put(store, new(1, on_unknown="hold"))
    (claim,) = take(store, me).claims
    begin(store, claim)
    states = []
    for _ in range(31):
        for _ in range(6):
            clock.advance(10)
            me = beat(store, "d1")
        take(store, me)
        states += rows(store, "SELECT state FROM waq_message")

    assert states == [("sending",)] * 29 + [("unknown",)] * 2
    store.close()


def test_a_call_given_back_and_claimed_anew_at_one_instant_is_not_taken_for_made(
    folder: Path,
) -> None:
    clock = HandClock()
    store = open_store(folder, clock)
    me = join(store, "d1")
    put(store, new(1))
    (first,) = take(store, me).claims
    begin(store, first)
    given_back = ended(store, first, NotCalled("too late"))._replace(called_at=None)
    (second,) = take(store, me, given_back).claims
    clock.advance(20)

    take(store, join(store, "d2"), room=0)

    assert second.lease.token != first.lease.token
    assert rows(store, "SELECT state, maybe_duplicate FROM waq_message") == [("queued", 0)]
    store.close()


def test_the_pace_is_counted_from_when_the_call_left_not_from_its_claim(folder: Path) -> None:
    clock = HandClock()
    store = open_store(folder, clock)
    me = join(store, "d1")
    put(store, new(1), new(2))
    (claim,) = take(store, me).claims
    begin(store, claim)
    clock.advance(2.5)
    left_at = store.steady()
    clock.advance(1)

    decided = take(store, me, ended(store, claim, Accepted(), left_at))

    assert decided.waits == {SENDER: left_at + 10 * SECOND}
    store.close()


def test_lane_and_backoff_outlive_a_restart(folder: Path) -> None:
    clock = HandClock()
    store = open_store(folder, clock)
    me = join(store, "d1")
    put(store, new(1))
    (claim,) = take(store, me).claims
    begin(store, claim)
    take(store, me, ended(store, claim, NotSent("busy")))
    before = rows(store, "SELECT * FROM waq_lane"), rows(store, "SELECT * FROM waq_message")
    store.close()

    store = open_store(folder, clock)

    assert (
        rows(store, "SELECT * FROM waq_lane"),
        rows(store, "SELECT * FROM waq_message"),
    ) == before
    assert take(store, me).claims == []
    clock.advance(10)
    assert [claim.number for claim in take(store, me).claims] == [2]
    store.close()


def test_more_expired_messages_than_one_turn_takes_are_ended_in_the_next(folder: Path) -> None:
    clock = HandClock()
    store = open_store(folder, clock)
    me = join(store, "d1")
    now = clock.wall_us()
    put(store, *(new(n, expires_at=now + SECOND) for n in range(30)), new(99))
    clock.advance(5)

    first = take(store, me)
    second = take(store, me)

    assert first.claims == []
    assert first.waits == {SENDER: store.steady()}
    assert [claim.stored.message.id for claim in second.claims] == ["m99"]
    assert rows(store, "SELECT count(*) FROM waq_message WHERE state = 'expired'") == [(30,)]
    store.close()


def test_a_lease_that_got_as_far_as_an_attempt_row_is_told_from_one_that_did_not(
    folder: Path,
) -> None:
    numbers = [f"62811404070{n}" for n in range(2)]
    store = open_store(folder, fleet=senders(*numbers))
    me = join(store, "d1")
    put(store, *(new(n, sender=number) for n, number in enumerate(numbers)))
    begun, bare = take(store, me).claims
    begin(store, begun)

    assert store.read(lambda connection: attempts.called(connection, begun.lease))
    assert not store.read(lambda connection: attempts.called(connection, bare.lease))
    store.close()


def test_what_is_queued_is_not_looked_at_before_the_lanes_slot(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first call leaves at once; the second has its slot ten seconds later."""
    clock = HandClock()
    store = open_store(folder, clock, senders(guard_us=0))
    me = join(store, "d1")
    put(store, new(1), new(2))
    (claim,) = take(store, me).claims
    begin(store, claim)
    looked_at: list[str] = []

    def heads(connection: Connection, senders: Collection[str], now: Now) -> object:
        looked_at.extend(senders)
        return look(connection, senders, now)

    look = messages.heads
    monkeypatch.setattr(messages, "heads", heads)
    slot = store.now().steady + 10 * SECOND

    after = take(store, me, ended(store, claim, Accepted()))

    assert after.waits == {SENDER: slot}
    assert looked_at == []
    clock.advance(10)
    assert [one.stored.message.seq for one in take(store, me).claims] == [2]
    store.close()
