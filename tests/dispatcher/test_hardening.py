"""What once brought a dispatcher down, made it spin, or let it double its own call."""

import asyncio
from pathlib import Path

import pytest

from tests.scenario import SENDER, SIBLING, Scenario, play
from waqcore.core.outcome import Accepted, Healthy, Unreachable
from waqcore.queue import BusyLaneError


def test_an_answer_with_half_a_character_is_settled_like_any_other(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = [Accepted("id-\ud800")]
        s.enqueue("a")
        s.start()
        await s.until(5)

        assert s.sql("SELECT state, provider_id FROM waq_message") == [("sent", "id-?")]

    play(tmp_path, story)


def test_a_dispatcher_that_slept_past_its_lease_goes_on_without_spinning(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        d1 = s.start()
        await s.until(4)
        s.sql("SELECT 1")
        d1.store.write(
            lambda connection: connection.exec_driver_sql(
                "UPDATE waq_dispatcher SET lease_until = 1"
            )
        )
        s.enqueue("a")
        await s.until(4.5)

        assert s.bodies == ["a"]
        assert s.sql("SELECT count(*) FROM waq_attempt") == [(1,)]

    play(tmp_path, story)


def test_a_long_call_during_a_full_disk_is_not_taken_over_by_its_own_dispatcher(
    tmp_path: Path,
) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 38.0
        s.enqueue("a")
        d1 = s.start()
        await s.until(1)
        d1.store.fail(6)  # Heartbeats at 3, 6, … 18 s: the stored lease ran out at 15.
        s.enqueue("b")
        await s.until(37)
        assert s.bodies == ["a"]
        await s.until(60)

        assert s.bodies[:2] == ["a", "b"]

    play(tmp_path, story)


def test_a_good_probe_of_an_account_is_told_once_however_many_lanes(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = lambda _call, n: Unreachable("down") if n <= 2 else Accepted()
        s.probe_script = lambda _: Healthy()
        s.enqueue("a")
        s.enqueue("b", sender=SIBLING)
        s.start()
        await s.until(120)

        assert sorted(s.bodies) == ["a", "b"]
        assert len(s.alerts("lane recovered")) == 1

    play(tmp_path, story, senders=(SENDER, SIBLING))


def test_the_pace_cannot_be_overridden_while_a_call_is_in_flight(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 5.0
        s.enqueue("a")
        s.start()
        await s.until(2)

        with pytest.raises(BusyLaneError, match="in flight"):
            s.queue.override_pace(SENDER, reason="urgent")
        assert s.alerts("override pace") == []
        await asyncio.sleep(0)

    play(tmp_path, story)


def test_a_store_that_fails_as_a_dispatcher_joins_is_waited_for(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.enqueue("a")
        d1 = s.start()
        d1.store.fail(3)
        await s.until(30)

        assert s.bodies == ["a"]
        assert s.sql("SELECT count(*) FROM waq_dispatcher") == [(1,)]

    play(tmp_path, story)


def test_a_dispatcher_that_never_joined_can_be_stopped(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        d1 = s.start()
        d1.store.fail(1_000)
        await s.until(5)

        await s.stop()

        assert d1.task.exception() is None
        assert s.loop.now < 10

    play(tmp_path, story)
