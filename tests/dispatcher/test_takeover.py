"""Several dispatchers on one database, and what becomes of the work of one that dies."""

from pathlib import Path

from tests.scenario import Arrived, Scenario, at, by_body, play
from waqcore.core.message import State
from waqcore.core.outcome import NotSent


def test_two_dispatchers_keep_one_pace_and_one_order(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 3.0
        for n in range(6):
            s.enqueue(f"low {n}", "low")
            s.enqueue(f"high {n}", "high")
        s.start("d1")
        s.start("d2")
        await s.until(200)

        assert s.bodies == [f"high {n}" for n in range(6)] + [f"low {n}" for n in range(6)]
        assert s.times == [n * 10 for n in range(12)]
        assert set(s.states().values()) == {"sent"}

    play(tmp_path, story)


def test_a_dispatcher_killed_in_mid_call_is_taken_over_within_its_lease(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 60.0
        s.enqueue("a")
        s.enqueue("b")
        s.start("d1")
        s.start("d2")
        await s.until(1)
        s.latency_s = 0.0

        await s.crash("d1")
        await s.until(60)

        # At 12 s the lease ends, at 13 the pace that counts from call_by, 3 s after the claim; a
        # backs off for up to 5 s from the first: where that is over by then it goes before b.
        assert s.times == [0, 13, 23]
        assert s.bodies[0] == "a"
        assert sorted(s.bodies[1:]) == ["a", "b"]
        assert s.sql(
            "SELECT body, state, attempts, failures, maybe_duplicate FROM waq_message ORDER BY seq"
        ) == [
            ("a", "sent", 2, 0, 1),
            ("b", "sent", 1, 0, 0),
        ]

    play(tmp_path, story)


def test_heartbeats_keep_a_lease_through_a_long_call(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 55.0
        s.enqueue("a")
        s.start("d1")
        s.start("d2")
        await s.until(100)

        assert s.calls == [Arrived(0, "a")]
        assert s.states() == {"a": "sent"}

    play(tmp_path, story)


def test_a_restart_on_the_same_host_resumes_at_once_and_counts_the_pace_from_call_by(
    tmp_path: Path,
) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 60.0
        s.enqueue("a")
        s.enqueue("b")
        s.start("d1")
        await s.until(1)
        s.latency_s = 0.0
        await s.crash("d1")
        await s.until(2)

        s.bury("d1")
        s.start("d2")
        await s.until(60)

        # The call could have begun as late as 3 s; its backoff is over at 13 s.
        assert s.calls == [Arrived(0, "a"), Arrived(13, "a"), Arrived(23, "b")]

    play(tmp_path, story)


def test_a_call_that_left_as_late_as_it_may_is_still_followed_at_the_pace(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 60.0
        s.enqueue("a")
        s.enqueue("b")
        d1 = s.start("d1")
        d1.store_latency_s = 1.4  # Joined at 1.4 s, claimed at 1.4, begun at 2.8, called at 4.2.
        await s.until(4.3)
        s.latency_s = 0.0
        await s.crash("d1")
        s.bury("d1")
        s.start("d2")
        await s.until(60)

        assert s.times[0] == 4.2
        assert s.times[1] == 14.4

    play(tmp_path, story)


def test_a_crash_between_claim_and_attempt_row_is_known_as_not_sent(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.enqueue("a")
        d1 = s.start("d1")
        d1.store_latency_s = 1.0  # Joined at 1 s, claimed at 1 s: heard of at 2 s.
        await s.until(1.5)
        claimed = s.sql("SELECT state, attempts FROM waq_message")
        await s.crash("d1")
        s.bury("d1")
        s.start("d2")
        await s.until(60)

        assert claimed == [("sending", 0)]
        assert s.calls == [Arrived(1.5, "a")]
        assert s.sql("SELECT state, attempts, failures, maybe_duplicate FROM waq_message") == [
            ("sent", 1, 0, 0)
        ]

    play(tmp_path, story)


def test_a_crash_after_the_attempt_row_may_have_been_a_call(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        a = s.enqueue("a")
        d1 = s.start("d1")
        d1.store_latency_s = 1.0  # Claimed at 1 s, begun at 2 s: heard of at 3 s.
        await s.until(2.5)
        begun = s.sql("SELECT number, outcome FROM waq_attempt")
        await s.crash("d1")
        s.bury("d1")
        s.start("d2")
        await s.until(60)

        assert begun == [(1, None)]
        assert s.calls == [Arrived(14, "a")]  # A pace after its call_by at 4 s.
        message = s.queue.message(a.id)
        assert (message.state, message.failures, message.maybe_duplicate) == (State.SENT, 0, True)
        attempts = s.queue.attempts(a.id)
        assert [(one.number, one.outcome) for one in attempts] == [(1, "unknown"), (2, "accepted")]
        assert attempts[0].detail == "its dispatcher died during the call"

    play(tmp_path, story)


def test_no_call_leaves_after_its_call_by(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        a = s.enqueue("a")
        d1 = s.start("d1")
        d1.store_latency_s = 2.0  # Claimed at 2 s, to be called by 5 s, begun at 4 s, heard at 6 s.
        await s.until(6.5)
        too_late = s.calls
        d1.store_latency_s = 0.0
        await s.until(60)

        assert too_late == []
        assert s.bodies == ["a"]
        outcomes = [one.outcome for one in s.queue.attempts(a.id)]
        assert outcomes[0] == "not_called"
        assert outcomes[-1] == "accepted"
        assert s.sql("SELECT state, failures, maybe_duplicate FROM waq_message") == [("sent", 0, 0)]

    play(tmp_path, story)


def test_an_acceptance_that_comes_after_a_takeover_settles_a_message_that_waits(
    tmp_path: Path,
) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 40.0
        a = s.enqueue("a")
        d1 = s.start("d1")
        s.start("d2")
        await s.until(1)
        d1.store.fail(1_000)  # d1 cannot reach the database, and is taken for dead.
        await s.until(39)
        taken_over = s.states()
        d1.store.fail(0)
        await s.until(300)

        # The pace of 100 s held the second call back until the late answer had come.
        assert taken_over == {"a": "queued"}
        assert s.calls == [Arrived(0, "a")]
        message = s.queue.message(a.id)
        assert (message.state, message.provider_id) == (State.SENT, "sandbox-1")
        assert [one.outcome for one in s.queue.attempts(a.id)] == ["accepted"]
        assert message.ended_at == at(40)

    play(tmp_path, story, pace_seconds=100.0)


def test_an_acceptance_that_comes_after_a_takeover_settles_a_message_that_is_held(
    tmp_path: Path,
) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 40.0
        s.enqueue("a", on_unknown="hold")
        d1 = s.start("d1")
        s.start("d2")
        await s.until(1)
        d1.store.fail(1_000)
        await s.until(39)
        taken_over = s.states()
        d1.store.fail(0)
        await s.until(60)

        assert taken_over == {"a": "unknown"}
        assert s.calls == [Arrived(0, "a")]
        assert s.states() == {"a": "sent"}

    play(tmp_path, story)


def test_a_late_failure_is_noted_on_its_attempt_and_changes_nothing_else(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = by_body({"a": [NotSent("too slow")]})
        s.latency_s = 40.0
        a = s.enqueue("a", on_unknown="hold")
        d1 = s.start("d1")
        s.start("d2")
        await s.until(1)
        d1.store.fail(1_000)
        await s.until(39)
        d1.store.fail(0)
        await s.until(60)

        assert s.sql("SELECT state, failures, unresolved FROM waq_message") == [("unknown", 0, 1)]
        assert [one.outcome for one in s.queue.attempts(a.id)] == ["not_sent"]

    play(tmp_path, story)


def test_a_lane_whose_message_was_deleted_by_hand_goes_on(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 60.0
        s.enqueue("a")
        s.enqueue("b")
        s.start("d1")
        await s.until(1)
        await s.crash("d1")
        s.latency_s = 0.0
        d2 = s.start("d2")
        d2.store.write(
            lambda connection: connection.exec_driver_sql(
                "DELETE FROM waq_message WHERE body = 'a'"
            )
        )
        await s.until(60)

        assert s.calls == [Arrived(0, "a"), Arrived(13, "b")]

    play(tmp_path, story)


def test_dispatchers_that_are_stopped_leave_their_lanes_free_at_once(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 2.0
        for body in "abc":
            s.enqueue(body)
        s.start("d1")
        s.start("d2")
        await s.until(11)
        await s.stop("d1")
        await s.until(40)

        assert s.calls == [Arrived(0, "a"), Arrived(10, "b"), Arrived(20, "c")]

    play(tmp_path, story)
