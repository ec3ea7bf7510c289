"""What was asked for, in virtual time: five users, priorities, retries, outages."""

import asyncio
from pathlib import Path

from tests.scenario import RECIPIENT, SENDER, SIBLING, Arrived, Scenario, at, by_body, play
from tests.virtual_time import EPOCH
from waqcore.core.instants import SECOND
from waqcore.core.message import State
from waqcore.core.outcome import Accepted, Answer, Healthy, NotSent, SenderDown, Unreachable
from waqcore.draft import Draft
from waqcore.gateways.gateway import Call
from waqcore.store.controls import Filter


def test_the_founding_burst_sends_every_link_before_any_activation(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.start()
        for user in range(1, 6):
            s.enqueue(f"link {user}", "high")
            s.enqueue(f"activation {user}", "normal")
            await asyncio.sleep(1)
        await s.until(100)

        assert s.calls == [
            Arrived(5, "link 1"),
            Arrived(15, "link 2"),
            Arrived(25, "link 3"),
            Arrived(35, "link 4"),
            Arrived(45, "link 5"),
            Arrived(55, "activation 1"),
            Arrived(65, "activation 2"),
            Arrived(75, "activation 3"),
            Arrived(85, "activation 4"),
            Arrived(95, "activation 5"),
        ]

    play(tmp_path, story, gather_seconds=5.0)


def test_higher_priorities_go_first_and_each_priority_in_its_own_order(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        for priority in ("low", "normal", "high"):
            s.enqueue(f"{priority} 1", priority)
            s.enqueue(f"{priority} 2", priority)
        s.start()
        await s.until(60)

        assert s.bodies == ["high 1", "high 2", "normal 1", "normal 2", "low 1", "low 2"]
        assert s.times == [0, 10, 20, 30, 40, 50]

    play(tmp_path, story)


def test_a_high_message_that_comes_just_after_a_low_call_began_goes_next(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 2.0
        s.enqueue("low 1", "low")
        s.enqueue("low 2", "low")
        s.enqueue("normal 1", "normal")
        s.start()
        await s.until(10.001)
        s.enqueue("high 1", "high")
        await s.until(40)

        assert s.calls == [
            Arrived(0, "normal 1"),
            Arrived(10, "low 1"),
            Arrived(20, "high 1"),
            Arrived(30, "low 2"),
        ]

    play(tmp_path, story)


def test_two_senders_do_not_wait_for_each_other(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 8.0
        for n in (1, 2):
            s.enqueue(f"first sender {n}", sender=SENDER)
            s.enqueue(f"second sender {n}", sender=SIBLING)
        s.start()
        await s.until(30)

        assert s.calls == [
            Arrived(0, "first sender 1"),
            Arrived(0, "second sender 1"),
            Arrived(10, "first sender 2"),
            Arrived(10, "second sender 2"),
        ]

    play(tmp_path, story, senders=(SENDER, SIBLING))


def test_a_message_that_fails_twice_is_sent_on_its_third_attempt(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = by_body({"a": [NotSent("busy"), NotSent("busy")]})
        a = s.enqueue("a")
        s.enqueue("b")
        s.start()
        await s.until(40)

        # Backoffs of at most 5 and 10 s are over at each next slot: the old place is the first.
        assert s.calls == [
            Arrived(0, "a"),
            Arrived(10, "a"),
            Arrived(20, "a"),
            Arrived(30, "b"),
        ]
        assert s.queue.message(a.id).state == State.SENT
        assert s.sql("SELECT attempts, failures FROM waq_message WHERE body = 'a'") == [(3, 2)]

    play(tmp_path, story)


def test_a_message_is_back_in_its_old_place_once_its_backoff_is_over(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = by_body({"a": [NotSent("busy")]})
        for body in "abcdefg":
            s.enqueue(body)
        s.start()
        await s.until(1)
        ((retry_at,),) = s.sql("SELECT retry_at FROM waq_message WHERE body = 'a'")
        await s.until(80)

        # Wherever chance puts the end of the backoff, the very next slot is a's again.
        slots_later = -(-(retry_at - EPOCH) // (10 * SECOND))
        expected = list("bcdefg")
        expected.insert(slots_later - 1, "a")
        assert s.bodies == ["a", *expected]
        assert s.times == [0, 10, 20, 30, 40, 50, 60, 70]

    play(tmp_path, story, backoff_seconds=50.0)


def test_a_message_that_fails_three_times_is_kept_with_its_attempts(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = by_body({"a": [NotSent("no route")] * 3})
        a = s.enqueue("a")
        s.start()
        await s.until(30)

        message = s.queue.message(a.id)
        assert (message.state, message.reason, message.failures) == (State.FAILED, "no route", 3)
        attempts = s.queue.attempts(a.id)
        assert [one.number for one in attempts] == [1, 2, 3]
        assert [one.outcome for one in attempts] == ["not_sent", "not_sent", "not_sent"]
        assert [one.started_at for one in attempts] == [at(0), at(10), at(20)]
        assert s.alerts("message failed") == [f"{a.id}: no route"]

    play(tmp_path, story)


def test_a_failed_message_retried_by_hand_is_sent_with_its_attempts_counted_on(
    tmp_path: Path,
) -> None:
    async def story(s: Scenario) -> None:
        s.script = by_body({"a": [NotSent("no route")] * 3})
        a = s.enqueue("a")
        s.start()
        await s.until(100)

        retried = s.queue.retry(Filter(ids=(a.id,)))
        s.wake()
        await s.until(101)

        assert retried == 1
        assert s.times == [0, 10, 20, 100]
        message = s.queue.message(a.id)
        assert (message.state, message.attempts, message.failures) == (State.SENT, 4, 0)

    play(tmp_path, story)


def test_an_outage_of_ten_minutes_fails_no_message_and_is_over_within_a_probe(
    tmp_path: Path,
) -> None:
    async def story(s: Scenario) -> None:
        back_at = 600.0

        def script(call: Call, number: int) -> Answer:
            up = s.loop.now >= back_at
            return Accepted(call.body) if up else Unreachable("connection refused")

        s.script = script
        s.probe_script = lambda _: Healthy() if s.loop.now >= back_at else Unreachable("refused")
        for n in range(200):
            s.enqueue(f"{n:03}")
        s.start()
        await s.until(back_at)
        counted = s.sql("SELECT DISTINCT state, failures FROM waq_message")
        await s.until(back_at + 300 + 200 * 10)

        assert counted == [("queued", 0)]
        assert s.bodies == [f"{n:03}" for n in range(200)]
        # Probes 15, 30, 60, 120, 240 s apart, then every 5 minutes: the first good one is at 765 s.
        assert [seconds for seconds, _ in s.probes] == [15, 45, 105, 225, 465, 765]
        assert s.times[0] == 765
        assert s.shortest_gap == 10
        assert s.sql("SELECT DISTINCT state, failures, maybe_duplicate FROM waq_message") == [
            ("sent", 0, 0)
        ]
        assert s.alerts("breaker opened") == ["connection refused"]
        assert len(s.alerts("lane recovered")) == 1

    play(tmp_path, story)


def test_a_wrong_key_pauses_the_lane_with_its_reason_and_burns_nothing(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = lambda call, number: SenderDown("the key is wrong")
        s.probe_script = lambda _: SenderDown("the key is wrong")
        for n in range(20):
            s.enqueue(f"{n:02}")
        s.start()
        await s.until(3_600)

        assert s.bodies == ["00"]
        assert s.sql("SELECT DISTINCT state, failures FROM waq_message") == [("queued", 0)]
        assert s.alerts("lane paused") == ["the key is wrong"]
        (lane,) = s.queue.status().lanes
        assert (lane.condition, lane.reason) == ("paused", "the key is wrong (by gateway)")

        s.script = ()
        s.queue.resume()
        s.wake()
        await s.until(3_600 + 200)

        assert s.bodies == ["00", *(f"{n:02}" for n in range(20))]
        assert s.times[1] == 3_600
        assert s.sql("SELECT DISTINCT state, failures FROM waq_message") == [("sent", 0)]

    play(tmp_path, story)


def test_a_wrong_key_that_is_put_right_is_found_by_a_probe(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        def down() -> bool:
            return s.loop.now < 100

        s.script = lambda call, _: SenderDown("logged out") if down() else Accepted(call.body)
        s.probe_script = lambda _: SenderDown("logged out") if down() else Healthy()
        s.enqueue("a")
        s.start()
        await s.until(300)

        # Probes at 15, 45 and 105 s.
        assert s.calls == [Arrived(0, "a"), Arrived(105, "a")]
        assert len(s.alerts("lane paused")) == len(s.alerts("lane recovered")) == 1

    play(tmp_path, story)


def test_a_thousand_senders_are_served_at_once_each_at_its_own_pace(tmp_path: Path) -> None:
    senders = [f"62811{n:07}" for n in range(1_000)]

    async def story(s: Scenario) -> None:
        s.latency_s = 1.0
        s.queue.enqueue_many(
            Draft(to=RECIPIENT, body=f"{sender} {n}", sender=sender)
            for n in range(2)
            for sender in senders
        )
        s.start()
        await s.until(60)

        at_by_body = {body: seconds for seconds, body in s.calls}
        assert len(s.calls) == len(at_by_body) == 2_000
        gaps = {at_by_body[f"{one} 1"] - at_by_body[f"{one} 0"] for one in senders}
        # No more than 800 calls are in flight at once: the last 200 wait for the first answers.
        assert {at_by_body[f"{one} 0"] for one in senders} == {0, 1}
        assert min(gaps) >= 10
        assert max(gaps) <= 11
        assert s.sql("SELECT DISTINCT state, attempts FROM waq_message") == [("sent", 1)]

    play(tmp_path, story, senders=senders)
