"""What each answer of a gateway makes of a message, seen from the gateway and the database."""

from itertools import pairwise
from pathlib import Path

from tests.scenario import RECIPIENT, SENDER, SIBLING, Arrived, Scenario, at, by_body, play
from waqcore.core.control import Resolution
from waqcore.core.message import State
from waqcore.core.outcome import (
    Accepted,
    Answer,
    Healthy,
    NotSent,
    Refused,
    Rejected,
    Scope,
    SenderDown,
    Unknown,
    Unreachable,
)
from waqcore.core.policy import Sender
from waqcore.gateways.gateway import Call
from waqcore.senders import Account, Fleet
from waqcore.settings import Kind, Settings
from waqcore.store.controls import Filter

SECOND = 1_000_000


def test_an_accepted_message_is_sent_with_the_gateways_id_of_it(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = [Accepted("wamid-7")]
        s.latency_s = 1.0
        a = s.enqueue("a")
        s.start()
        await s.until(5)

        message = s.queue.message(a.id)
        assert (message.state, message.provider_id) == (State.SENT, "wamid-7")
        assert message.ended_at == at(1)

    play(tmp_path, story)


def test_a_refusal_closes_the_lane_for_as_long_as_asked_and_counts_nothing(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = [Refused("slow down", 45 * SECOND)]
        s.enqueue("a")
        s.start()
        await s.until(10)
        s.enqueue("b", "high")
        await s.until(100)

        assert s.calls == [Arrived(0, "a"), Arrived(45, "b"), Arrived(55, "a")]
        assert s.sql("SELECT state, attempts, failures FROM waq_message WHERE body = 'a'") == [
            ("sent", 2, 0)
        ]

    play(tmp_path, story)


def test_a_message_is_never_failed_for_being_refused_often(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = [Refused("busy")] * 20
        s.enqueue("a")
        s.start()
        await s.until(12 * 3_600)

        assert s.bodies == ["a"] * 21
        assert s.shortest_gap >= 10
        assert s.sql("SELECT state, failures FROM waq_message") == [("sent", 0)]

    play(tmp_path, story)


def test_a_message_refused_past_its_maximum_age_fails(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = lambda call, _: Refused("busy", 60 * SECOND)
        s.enqueue("a")
        s.start()
        await s.until(2 * 3_600)

        assert s.states() == {"a": "failed"}
        assert s.sql("SELECT reason FROM waq_message") == [("refused for too long: busy",)]
        assert s.times[-1] == 3_600

    play(tmp_path, story, refused_max_hours=1.0)


def test_a_refusal_that_fails_an_old_message_still_closes_the_lane(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = [Refused("busy", 60 * SECOND)] * 2
        s.enqueue("a")
        s.enqueue("b")
        s.start()
        await s.until(50)
        before = s.calls
        await s.until(300)

        assert before == [Arrived(0, "a")]
        assert s.calls[1:] == [Arrived(60, "a"), Arrived(120, "b")]

    play(tmp_path, story, refused_max_hours=0.01)


def test_an_unknown_outcome_is_resent_once_and_marked(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = [Unknown("timed out")]
        s.enqueue("a")
        s.start()
        await s.until(30)

        assert s.calls == [Arrived(0, "a"), Arrived(10, "a")]
        assert s.sql("SELECT state, failures, maybe_duplicate, unresolved FROM waq_message") == [
            ("sent", 0, 1, 0)
        ]

    play(tmp_path, story)


def test_a_second_unknown_outcome_leaves_the_message_to_a_person(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = [Unknown("timed out"), Unknown("reset")]
        a = s.enqueue("a")
        s.start()
        await s.until(300)

        assert s.bodies == ["a", "a"]
        message = s.queue.message(a.id)
        assert (message.state, message.reason) == (State.UNKNOWN, "reset")
        assert s.alerts("message unknown") == [f"{a.id}: reset"]

    play(tmp_path, story)


def test_a_message_that_holds_is_not_called_again_after_an_unknown_outcome(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = [Unknown("timed out")]
        s.enqueue("a", on_unknown="hold")
        s.start()
        await s.until(300)

        assert s.bodies == ["a"]
        assert s.sql("SELECT state, maybe_duplicate FROM waq_message") == [("unknown", 0)]

    play(tmp_path, story)


def test_a_message_in_doubt_never_ends_as_failed(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = by_body(
            {"a": [Unknown("timed out"), Rejected("no such number")], "b": [Unknown("timed out")]}
        )
        s.enqueue("a")
        s.start()
        await s.until(60)

        assert s.bodies == ["a", "a"]
        assert s.states() == {"a": "unknown"}

    play(tmp_path, story)


def test_a_message_in_doubt_that_keeps_failing_is_left_to_a_person(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = [Unknown("timed out"), *[NotSent("busy")] * 3]
        s.enqueue("a")
        s.start()
        await s.until(120)

        assert s.bodies == ["a"] * 4
        assert s.sql("SELECT state, failures FROM waq_message") == [("unknown", 3)]

    play(tmp_path, story)


def test_a_person_resolves_a_message_that_is_unknown(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = [Unknown("timed out")] * 3
        messages = [s.enqueue(body, on_unknown="hold") for body in ("was sent", "again", "drop")]
        s.start()
        await s.until(60)
        s.queue.resume()  # Three in a row opened the breaker.
        ids = [(message.id,) for message in messages]
        s.queue.resolve(Filter(ids=ids[0]), Resolution.SENT)
        s.queue.resolve(Filter(ids=ids[1]), Resolution.RESEND)
        s.queue.resolve(Filter(ids=ids[2]), Resolution.DROP)
        s.wake()
        await s.until(120)

        assert s.bodies == ["was sent", "again", "drop", "again"]
        assert s.states() == {"was sent": "sent", "again": "sent", "drop": "cancelled"}
        assert s.sql("SELECT maybe_duplicate FROM waq_message ORDER BY seq") == [(0,), (1,), (0,)]

    play(tmp_path, story)


def test_a_rejected_message_fails_at_once_and_the_next_goes_at_the_pace(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = [Rejected("not on WhatsApp")]
        s.enqueue("a")
        s.enqueue("b")
        s.start()
        await s.until(30)

        assert s.calls == [Arrived(0, "a"), Arrived(10, "b")]
        assert s.sql("SELECT state, reason FROM waq_message") == [
            ("failed", "not on WhatsApp"),
            ("sent", ""),
        ]

    play(tmp_path, story)


def test_three_messages_that_fail_in_a_row_open_the_breaker_and_no_more_is_burnt(
    tmp_path: Path,
) -> None:
    async def story(s: Scenario) -> None:
        s.script = lambda call, _: NotSent("busy")
        s.probe_script = lambda _: Unreachable("still down")
        for n in range(10):
            s.enqueue(f"{n}", "low")
        s.start()
        await s.until(3_600)

        # Chance decides which come back in between, not that the third different one is the end.
        assert len(set(s.bodies)) == 3
        assert len(s.bodies) <= 7
        assert s.sql(
            "SELECT count(*) FROM waq_message WHERE state = 'queued' AND failures = 0"
        ) == [(7,)]
        assert s.alerts("breaker opened") == ["busy"]

    play(tmp_path, story, backoff_seconds=30.0)


def test_one_message_that_always_fails_does_not_open_the_breaker(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = by_body({"bad": [NotSent("busy")] * 3})
        s.enqueue("bad")
        s.enqueue("good")
        s.start()
        await s.until(60)

        assert s.states() == {"bad": "failed", "good": "sent"}
        assert s.probes == []

    play(tmp_path, story)


def test_after_a_good_probe_one_more_failure_opens_the_breaker_again(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = lambda call, _: NotSent("busy")
        for n in range(10):
            s.enqueue(f"{n}", "low")
        s.start()
        await s.until(600)

        # Open after three; then every good probe costs one call, at growing intervals.
        assert s.shortest_gap >= 10
        trial = [t for t, _ in s.probes]
        assert [later - earlier for earlier, later in pairwise(trial)][:3] == [30, 60, 120]
        assert len(s.bodies) <= 3 + 4 + len(trial)

    play(tmp_path, story, backoff_seconds=600.0)


def test_an_account_that_is_out_of_reach_is_probed_once_for_all_its_lanes(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        def up() -> bool:
            return s.loop.now >= 40

        s.script = lambda call, _: Accepted() if up() else Unreachable("connection refused")
        s.probe_script = lambda _: Healthy() if up() else Unreachable("connection refused")
        s.enqueue("one", sender=SENDER)
        s.enqueue("two", sender=SIBLING)
        s.start()
        await s.until(100)

        assert [seconds for seconds, _ in s.probes] == [15, 45]
        assert s.calls == [Arrived(45, "one"), Arrived(45, "two")]
        assert s.alerts("breaker opened") == ["connection refused"]

    play(tmp_path, story, senders=(SENDER, SIBLING))


def test_a_refusal_of_the_account_closes_its_other_lanes(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = [Refused("too many from this address", 60 * SECOND, Scope.ACCOUNT)]
        s.enqueue("one", sender=SENDER)
        s.start()
        await s.until(1)
        s.enqueue("two", sender=SIBLING)
        await s.until(100)

        assert s.calls == [Arrived(0, "one"), Arrived(60, "one"), Arrived(60, "two")]

    play(tmp_path, story, senders=(SENDER, SIBLING))


def test_a_refusal_of_one_lane_closes_no_other(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = [Refused("slow down", 60 * SECOND)]
        s.enqueue("one", sender=SENDER)
        s.start()
        await s.until(1)
        s.enqueue("two", sender=SIBLING)
        await s.until(100)

        assert s.calls == [Arrived(0, "one"), Arrived(1, "two"), Arrived(60, "one")]

    play(tmp_path, story, senders=(SENDER, SIBLING))


def test_a_bad_key_of_the_account_pauses_all_its_lanes_and_alerts_once(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = lambda call, _: SenderDown("the key is wrong", Scope.ACCOUNT)
        s.probe_script = lambda _: SenderDown("the key is wrong", Scope.ACCOUNT)
        s.enqueue("one", sender=SENDER)
        s.start()
        await s.until(1)
        s.enqueue("two", sender=SIBLING)
        await s.until(600)

        assert s.bodies == ["one"]
        assert s.alerts("lane paused") == ["the key is wrong"]
        assert [lane.condition for lane in s.queue.status().lanes] == ["paused", "paused"]

    play(tmp_path, story, senders=(SENDER, SIBLING))


def test_trouble_of_one_account_is_none_of_anothers(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        def script(call: Call, _: int) -> Answer:
            return Unreachable("refused") if call.sender == SENDER else Accepted()

        s.script = script
        s.probe_script = lambda sender: Unreachable("refused")
        s.enqueue("one", sender=SENDER)
        s.enqueue("two", sender=SIBLING)
        s.enqueue("three", sender=SIBLING)
        s.start()
        await s.until(100)

        assert s.calls == [Arrived(0, "two"), Arrived(10, "three")]

    play(tmp_path, story, senders=(SENDER, SIBLING), fleet_=_two_accounts())


def test_a_gateway_that_breaks_is_an_unknown_outcome_if_the_call_may_have_left(
    tmp_path: Path,
) -> None:
    async def story(s: Scenario) -> None:
        async def broken(_seconds: float) -> None:
            raise RuntimeError("a fault of ours")

        s.enqueue("a", on_unknown="hold")
        running = s.start()
        running.gateways["default"]._sleep = broken
        await s.until(60)

        assert s.bodies == ["a"]
        assert s.sql("SELECT state, reason FROM waq_message") == [
            ("unknown", "the call broke: RuntimeError")
        ]

    play(tmp_path, story)


def test_a_call_that_is_never_answered_is_given_up_as_unknown(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 10_000.0
        s.enqueue("a", on_unknown="hold")
        s.start()
        await s.until(120)

        assert s.sql("SELECT state, reason FROM waq_message") == [
            ("unknown", "no answer within 60 s")
        ]

    play(tmp_path, story)


def test_the_recipient_and_the_text_reach_the_gateway_unchanged(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.enqueue("Halo, tagihan Anda: Rp 150.000 ✅\nTerima kasih")
        running = s.start()
        await s.until(1)

        (received,) = running.gateways["default"].calls
        assert received[:3] == (
            SENDER,
            RECIPIENT,
            "Halo, tagihan Anda: Rp 150.000 ✅\nTerima kasih",
        )

    play(tmp_path, story)


def _two_accounts() -> Fleet:
    policy = Settings(gateway=Kind.SANDBOX, guard_ms=0.0).policy()
    return Fleet(
        {SENDER: Sender(SENDER, "first", policy), SIBLING: Sender(SIBLING, "second", policy)},
        {name: Account(name, Kind.SANDBOX, "") for name in ("first", "second")},
    )
