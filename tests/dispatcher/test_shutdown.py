"""Stopping, and a database that fails for a moment: no outcome is lost, nothing is left behind."""

from pathlib import Path

import pytest

from tests.scenario import Arrived, Scenario, play
from waqcore.core.outcome import Healthy, NotSent, Unreachable


def test_stopping_lets_the_call_in_flight_end_and_begins_no_other(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 30.0
        s.enqueue("a")
        s.enqueue("b")
        s.start()
        await s.until(1)

        await s.stop()

        assert s.loop.now == 30
        assert s.calls == [Arrived(0, "a")]
        assert s.states() == {"a": "sent", "b": "queued"}
        assert s.sql("SELECT count(*) FROM waq_dispatcher") == [(0,)]
        assert s.sql("SELECT lease_token FROM waq_lane") == [(None,)]

    play(tmp_path, story)


def test_stopping_an_idle_dispatcher_ends_it_at_once(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.start()
        await s.until(100)

        await s.stop()

        assert s.loop.now == 100
        assert s.sql("SELECT count(*) FROM waq_dispatcher") == [(0,)]

    play(tmp_path, story)


def test_a_claim_that_meets_the_stop_is_called_or_given_back(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.enqueue("a")
        d1 = s.start()
        d1.store_latency_s = 0.1
        await s.until(0.15)  # Claimed, not begun.
        assert s.states() == {"a": "sending"}

        await s.stop()

        assert s.states() in ({"a": "sent"}, {"a": "queued"})
        assert s.states() == {"a": "sent" if s.calls else "queued"}

    play(tmp_path, story)


def test_a_claim_that_seemed_to_fail_is_given_back_before_the_end(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        d1 = s.start()
        await s.until(0.5)
        d1.store.fail(torn=True)
        s.enqueue("a")
        await s.until(0.8)
        assert s.states() == {"a": "sending"}

        await s.stop()

        assert s.loop.now == pytest.approx(1.5)
        assert s.calls == []
        assert s.sql("SELECT state, attempts, maybe_duplicate FROM waq_message") == [
            ("queued", 0, 0)
        ]
        assert s.sql("SELECT lease_token FROM waq_lane") == [(None,)]

    play(tmp_path, story)


def test_a_store_that_stays_away_is_not_waited_for_beyond_the_lease(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        d1 = s.start()
        await s.until(0.5)
        d1.store.fail(times=100)
        s.enqueue("a")
        await s.until(0.8)

        await s.stop()

        assert s.loop.now == pytest.approx(12.5)
        assert s.calls == []
        assert s.states() == {"a": "queued"}

    play(tmp_path, story)


def test_an_outcome_is_not_lost_with_the_transaction_that_should_have_settled_it(
    tmp_path: Path,
) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 1.0
        s.enqueue("a")
        d1 = s.start()
        await s.until(0.5)
        d1.store.fail()

        await s.until(2.5)

        assert s.calls == [Arrived(0, "a")]
        assert s.states() == {"a": "sent"}

    play(tmp_path, story)


def test_an_outcome_is_not_lost_where_the_database_fails_while_stopping(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 1.0
        s.enqueue("a")
        d1 = s.start()
        await s.until(0.5)
        d1.store.fail()

        await s.stop()

        assert s.loop.now == 2
        assert s.states() == {"a": "sent"}
        assert s.sql("SELECT count(*) FROM waq_dispatcher") == [(0,)]

    play(tmp_path, story)


def test_a_probe_is_not_lost_with_its_transaction(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = lambda call, _: Unreachable("refused") if s.loop.now < 15 else NotSent("busy")
        s.probe_script = lambda _: Healthy()
        s.probe_latency_s = 1.0
        s.enqueue("a")
        d1 = s.start()
        await s.until(15.5)
        d1.store.fail()
        await s.until(18)

        assert [seconds for seconds, _ in s.probes] == [15]
        assert s.times == [17]

    play(tmp_path, story)


def test_a_claim_the_database_refused_is_made_again(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        d1 = s.start()
        await s.until(0.5)
        d1.store.fail()
        s.enqueue("a")
        await s.until(30)

        assert s.calls == [Arrived(1.5, "a")]
        assert s.states() == {"a": "sent"}

    play(tmp_path, story)


def test_a_claim_whose_attempt_row_was_refused_is_given_back_uncounted(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        d1 = s.start()
        await s.until(0.5)
        d1.store.fail(after=1)
        s.enqueue("a")
        await s.until(30)

        assert s.bodies == ["a"]
        assert s.sql("SELECT state, attempts, failures, maybe_duplicate FROM waq_message") == [
            ("sent", 1, 0, 0)
        ]

    play(tmp_path, story)


@pytest.mark.parametrize("failed", range(12))
def test_one_failed_write_anywhere_loses_and_doubles_nothing(tmp_path: Path, failed: int) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 1.0
        for body in "abc":
            s.enqueue(body)
        d1 = s.start()
        d1.store.fail(after=1 + failed)
        await s.until(80)

        assert s.bodies == ["a", "b", "c"]
        assert s.states() == {"a": "sent", "b": "sent", "c": "sent"}
        assert s.shortest_gap >= 10
        assert s.sql("SELECT sum(maybe_duplicate), sum(failures) FROM waq_message") == [(0, 0)]

    play(tmp_path, story)


def test_news_that_comes_while_a_turn_is_being_stored_is_not_missed(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        d1 = s.start()
        await s.until(1)
        d1.store_latency_s = 0.5
        d1.dispatcher.wake()  # A look at the news begins, and its answer takes half a second.
        await s.until(1.2)
        s.enqueue("a")
        await s.until(10)

        assert s.bodies == ["a"]

    play(tmp_path, story)


def test_an_outcome_that_comes_while_a_turn_is_being_stored_is_settled(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 1.0
        s.enqueue("a")
        d1 = s.start()
        await s.until(0.8)
        d1.store_latency_s = 0.5
        d1.dispatcher.wake()
        await s.until(10)

        assert s.states() == {"a": "sent"}

    play(tmp_path, story)


def test_a_probe_that_a_turn_overlaps_still_counts(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = lambda call, _: Unreachable("refused") if s.loop.now < 15 else NotSent("busy")
        s.probe_latency_s = 4.0
        s.enqueue("a")
        s.start()
        await s.until(17)
        s.enqueue("b")
        await s.until(20)

        assert [seconds for seconds, _ in s.probes] == [15]
        assert s.calls == [Arrived(19, "a")]

    play(tmp_path, story)
