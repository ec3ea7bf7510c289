"""What people press while the dispatcher works: honoured, and never at the cost of the pace."""

from pathlib import Path

import pytest

from tests.scenario import RECIPIENT, SENDER, Arrived, Scenario, at, play
from waqcore.core.control import Resolution
from waqcore.core.message import Priority, State
from waqcore.core.outcome import NotSent, Refused, Rejected, SenderDown, Unknown, Unreachable
from waqcore.store import controls
from waqcore.store.controls import Filter
from waqcore.store.enqueue import SuppressedError

SECOND = 1_000_000
OTHER = "+6281234567891"


def test_a_cancel_during_the_call_is_honoured_if_it_was_not_sent(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = [NotSent("busy")]
        s.latency_s = 5.0
        a = s.enqueue("a")
        s.start()
        await s.until(1)
        taken = s.queue.cancel(Filter(ids=(a.id,)))
        s.wake()
        await s.until(60)

        assert taken == 1
        assert s.calls == [Arrived(0, "a")]
        assert s.states() == {"a": "cancelled"}

    play(tmp_path, story)


def test_a_cancel_during_the_call_gives_way_to_its_acceptance(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 5.0
        a = s.enqueue("a")
        s.start()
        await s.until(1)
        s.queue.cancel(Filter(ids=(a.id,)))
        s.wake()
        await s.until(60)

        assert s.states() == {"a": "sent"}

    play(tmp_path, story)


def test_a_cancel_during_a_call_of_unknown_outcome_leaves_it_to_a_person(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = [Unknown("timed out")]
        s.latency_s = 5.0
        a = s.enqueue("a")
        s.start()
        await s.until(1)
        s.queue.cancel(Filter(ids=(a.id,)))
        await s.until(60)

        assert s.bodies == ["a"]
        assert s.states() == {"a": "unknown"}

    play(tmp_path, story)


def test_a_cancelled_message_is_never_called(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.enqueue("a")
        b = s.enqueue("b")
        s.enqueue("c")
        s.start()
        await s.until(5)
        s.queue.cancel(Filter(ids=(b.id,)), reason="paid already")
        await s.until(60)

        assert s.calls == [Arrived(0, "a"), Arrived(10, "c")]
        assert s.queue.message(b.id).reason == "paid already"

    play(tmp_path, story)


def test_a_cancel_between_claim_and_call_stops_the_call(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        a = s.enqueue("a")
        s.enqueue("b")
        d1 = s.start()
        d1.store_latency_s = 1.0  # Claimed at 1 s, its attempt row written at 2 s.
        await s.until(1.5)
        d1.store_latency_s = 0.0
        s.queue.cancel(Filter(ids=(a.id,)))
        await s.until(60)

        assert s.bodies == ["b"]
        assert s.states() == {"a": "cancelled", "b": "sent"}
        assert s.queue.attempts(a.id) == []

    play(tmp_path, story)


def test_a_failed_message_whose_cancel_came_too_late_can_be_retried(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = [Rejected("bad number")]
        s.latency_s = 5.0
        a = s.enqueue("a")
        s.start()
        await s.until(1)
        s.queue.cancel(Filter(ids=(a.id,)))
        await s.until(20)
        ended = s.states()
        s.queue.retry(Filter(ids=(a.id,)))
        s.wake()
        await s.until(60)

        assert ended == {"a": "failed"}
        assert s.bodies == ["a", "a"]
        assert s.states() == {"a": "sent"}

    play(tmp_path, story)


def test_a_cleared_queue_is_restored_in_its_old_order(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.enqueue("high", "high")
        for body in "abc":
            s.enqueue(body)
        s.start()
        await s.until(5)
        batch, moved = s.queue.clear()
        s.wake()
        await s.until(100)
        cleared = s.states()
        s.enqueue("d")
        s.queue.pause("a moment")
        restored = s.queue.restore(batch)
        s.queue.resume()
        s.wake()
        await s.until(200)

        assert (moved, restored) == (3, 3)
        assert cleared == {"high": "sent", "a": "cancelled", "b": "cancelled", "c": "cancelled"}
        assert s.bodies == ["high", "a", "b", "c", "d"]

    play(tmp_path, story)


def test_a_pause_pressed_during_a_call_outlives_its_outcome(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 5.0
        s.enqueue("a")
        s.enqueue("b")
        s.start()
        await s.until(1)
        s.queue.pause("campaign stopped")
        s.wake()
        await s.until(600)

        assert s.bodies == ["a"]
        assert s.states() == {"a": "sent", "b": "queued"}
        assert s.sql("SELECT pause_by, pause_reason FROM waq_lane") == [
            ("person", "campaign stopped")
        ]

        s.queue.resume()
        s.wake()
        await s.until(700)
        assert s.calls[1:] == [Arrived(600, "b")]

    play(tmp_path, story)


def test_a_persons_pause_is_not_overwritten_by_the_gateways(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = [SenderDown("logged out")]
        s.latency_s = 5.0
        s.enqueue("a")
        s.start()
        await s.until(1)
        s.queue.pause("campaign stopped")
        await s.until(600)

        assert s.bodies == ["a"]
        assert s.sql("SELECT pause_by, pause_reason FROM waq_lane") == [
            ("person", "campaign stopped")
        ]

    play(tmp_path, story)


def test_a_pause_until_an_instant_ends_by_itself(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.start()
        s.queue.pause("lunch", until=at(300))
        s.enqueue("a", "high")
        await s.until(400)

        assert s.calls == [Arrived(300, "a")]

    play(tmp_path, story)


def test_trouble_after_a_pause_that_has_ended_is_told_like_any_other(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = [SenderDown("logged out")]
        s.start()
        s.queue.pause("lunch", until=at(300))
        s.enqueue("a")
        await s.until(400)

        assert s.alerts("lane paused") == ["logged out"]
        assert s.calls == [Arrived(300, "a"), Arrived(315, "a")]
        assert len(s.alerts("lane recovered")) == 1

    play(tmp_path, story)


def test_a_message_is_never_called_after_its_expiry(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        for body in "abc":
            s.enqueue(body, expires_at=at(10))
        s.enqueue("d", expires_at=at(20.5))
        s.start()
        await s.until(100)

        assert s.calls == [Arrived(0, "a"), Arrived(10, "d")]
        assert s.states() == {"a": "sent", "b": "expired", "c": "expired", "d": "sent"}

    play(tmp_path, story)


def test_a_message_that_expires_between_its_claim_and_its_call_is_not_called(
    tmp_path: Path,
) -> None:
    async def story(s: Scenario) -> None:
        s.enqueue("a", expires_at=at(2))
        d1 = s.start()
        d1.store_latency_s = 0.8  # Claimed at 0.8 s, to be called at 2.4 s.
        await s.until(60)

        assert s.calls == []
        assert s.states() == {"a": "expired"}

    play(tmp_path, story)


def test_an_expiry_shows_while_the_lane_is_paused(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        d1 = s.start()
        s.queue.pause("lunch")
        s.enqueue("a", expires_at=at(10))
        s.enqueue("b", expires_at=at(1_000))
        await s.until(20)

        ended = d1.store.write(lambda connection: controls.expire_due(connection, d1.store.now()))

        assert ended == 1
        assert s.states() == {"a": "expired", "b": "queued"}

    play(tmp_path, story)


def test_an_expired_message_can_be_retried_and_has_no_expiry_then(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.enqueue("a")
        b = s.enqueue("b", expires_at=at(5))
        s.start()
        await s.until(30)
        s.queue.retry(Filter(ids=(b.id,)))
        s.wake()
        await s.until(60)

        assert s.calls == [Arrived(0, "a"), Arrived(30, "b")]

    play(tmp_path, story)


def test_an_opt_out_cancels_what_is_queued_and_refuses_what_comes(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        for body in ("a", "b", "c"):
            s.enqueue(body, to=OTHER if body == "b" else RECIPIENT)
        s.start()
        await s.until(5)
        cancelled = s.queue.suppress(OTHER, reason="wrote STOP")
        await s.until(60)

        assert cancelled == 1
        assert s.bodies == ["a", "c"]
        assert s.states() == {"a": "sent", "b": "cancelled", "c": "sent"}
        with pytest.raises(SuppressedError, match="wrote STOP"):
            s.enqueue("d", to=OTHER)
        assert len(s.states()) == 3

    play(tmp_path, story)


def test_an_opt_out_stops_a_message_that_a_person_resends(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = [Unknown("timed out")]
        s.enqueue("a", on_unknown="hold")
        s.enqueue("b", to=OTHER)
        s.start()
        await s.until(5)
        s.queue.suppress(RECIPIENT, reason="wrote STOP")
        s.queue.resolve(Filter(states=(State.UNKNOWN,)), Resolution.RESEND)
        s.wake()
        await s.until(60)

        assert s.bodies == ["a", "b"]
        assert s.sql("SELECT state FROM waq_message WHERE body = 'a'") in (
            [("cancelled",)],
            [("unknown",)],
        )

    play(tmp_path, story)


def test_send_now_goes_next_but_at_the_pace(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        for n in range(3):
            s.enqueue(f"high {n}", "high")
        s.start()
        await s.until(1)
        s.queue.send_now(RECIPIENT, "now")
        s.wake()
        await s.until(60)

        assert s.calls == [
            Arrived(0, "high 0"),
            Arrived(10, "now"),
            Arrived(20, "high 1"),
            Arrived(30, "high 2"),
        ]

    play(tmp_path, story)


def test_a_message_given_another_priority_goes_in_its_new_place(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        for body in ("a", "b", "c"):
            s.enqueue(body)
        d = s.enqueue("d", "low")
        s.start()
        await s.until(5)
        s.queue.prioritise(Filter(ids=(d.id,)), Priority.HIGH)
        s.wake()
        await s.until(60)

        assert s.bodies == ["a", "d", "b", "c"]

    play(tmp_path, story)


def test_process_shortens_neither_pace_nor_refusal_nor_backoff_nor_a_persons_pause(
    tmp_path: Path,
) -> None:
    async def story(s: Scenario) -> None:
        s.script = [Refused("slow down", 60 * SECOND)]
        s.enqueue("a")
        s.enqueue("b")
        s.start()
        await s.until(1)
        s.queue.process()
        s.wake()
        await s.until(61)
        s.queue.process()
        s.wake()
        await s.until(69)
        s.queue.pause("lunch", until=at(100))
        s.queue.process()
        s.wake()
        await s.until(200)

        assert s.calls == [Arrived(0, "a"), Arrived(60, "a"), Arrived(100, "b")]

    play(tmp_path, story)


def test_process_tries_a_broken_lane_at_once(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = [Unreachable("refused")]
        s.probe_script = lambda _: Unreachable("refused")
        s.enqueue("a")
        s.start()
        await s.until(12)
        s.queue.process()
        s.wake()
        await s.until(60)

        assert s.calls == [Arrived(12, "a")]

    play(tmp_path, story)


def test_an_override_lets_one_call_leave_at_once_and_restarts_the_pace(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        for body in "abc":
            s.enqueue(body)
        s.start()
        await s.until(3)
        s.queue.override_pace(SENDER, reason="the boss asked")
        s.wake()
        await s.until(60)

        assert s.calls == [Arrived(0, "a"), Arrived(3, "b"), Arrived(13, "c")]
        assert s.sql("SELECT actor, detail FROM waq_event WHERE action = 'override pace'") == [
            ("test", "the boss asked")
        ]

    play(tmp_path, story)
