"""A wall clock that somebody sets: pace and order hold, and what people mean by time follows it."""

import asyncio
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from tests.engines import is_server
from tests.scenario import Arrived, Running, Scenario, at, play
from tests.virtual_time import inline
from waqcore.dispatcher.housekeeping import tidy

HOUR_S = 3_600.0


@pytest.mark.parametrize("step_s", [-HOUR_S, HOUR_S])
def test_a_step_under_a_running_dispatcher_changes_neither_pace_nor_order(
    tmp_path: Path, step_s: float
) -> None:
    async def story(s: Scenario) -> None:
        s.start()
        for body in "abc":
            s.enqueue(body)
        await s.until(12)
        s.step_wall(step_s)
        for body in "def":
            s.enqueue(body)
        await s.until(100)

        assert s.calls == [Arrived(n * 10, body) for n, body in enumerate("abcdef")]

    play(tmp_path, story)


@pytest.mark.parametrize("step_s", [-HOUR_S, HOUR_S])
def test_a_failed_message_keeps_its_place_across_a_step(tmp_path: Path, step_s: float) -> None:
    async def story(s: Scenario) -> None:
        from waqcore.core.outcome import Accepted, NotSent

        s.script = [NotSent("busy"), Accepted()]
        s.start()
        for body in "ab":
            s.enqueue(body)
        await s.until(5)
        s.step_wall(step_s)
        await s.until(60)

        assert s.calls == [Arrived(0, "a"), Arrived(10, "a"), Arrived(20, "b")]

    play(tmp_path, story)


@pytest.mark.parametrize("step_s", [-HOUR_S, 0.0, HOUR_S])
def test_a_restart_after_a_step_costs_at_most_one_pace(tmp_path: Path, step_s: float) -> None:
    async def story(s: Scenario) -> None:
        s.start("d1")
        for body in "abcd":
            s.enqueue(body)
        await s.until(12)
        await s.stop("d1")
        s.step_wall(step_s)
        await s.until(14)
        s.start("d2")
        await s.until(100)

        next_at = 24 if step_s else 20
        assert s.bodies == ["a", "b", "c", "d"]
        assert s.times == [0, 10, next_at, next_at + 10]

    play(tmp_path, story)


@pytest.mark.parametrize("step_s", [-HOUR_S, 0.0, HOUR_S])
def test_another_boot_costs_at_most_one_pace(tmp_path: Path, step_s: float) -> None:
    async def story(s: Scenario) -> None:
        s.start("d1")
        for body in "abcd":
            s.enqueue(body)
        await s.until(12)
        await s.crash("d1")
        await s.until(14)
        s.reboot(step_s)
        s.start("d2")
        await s.until(100)

        # A server's clock outlives the boot of a host; one that was set meanwhile cannot be told
        # from one that was set by nobody knows how much.
        next_at = 20 if is_server(tmp_path) and not step_s else 24
        assert s.bodies == ["a", "b", "c", "d"]
        assert s.times == [0, 10, next_at, next_at + 10]

    play(tmp_path, story)


@pytest.mark.parametrize("step_s", [-HOUR_S, HOUR_S])
def test_a_call_in_flight_at_another_boot_is_taken_over_at_the_pace(
    tmp_path: Path, step_s: float
) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 60.0
        s.enqueue("a")
        s.start("d1")
        await s.until(1)
        await s.crash("d1")
        s.latency_s = 0.0
        s.reboot(step_s)
        s.start("d2")
        await s.until(60)

        assert s.calls == [Arrived(0, "a"), Arrived(11, "a")]
        assert s.sql("SELECT state, maybe_duplicate FROM waq_message") == [("sent", 1)]

    play(tmp_path, story)


def test_a_step_that_another_process_finds_shortens_no_pace_of_a_call_about_to_leave(
    tmp_path: Path,
) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 60.0
        s.enqueue("a")
        s.enqueue("b")
        d1 = s.start("d1")
        d1.store_latency_s = 1.4  # Claimed at 1.4 s, begun at 2.8 s, called at 4.2 s.
        await s.until(1.5)
        s.step_wall(HOUR_S)
        s.a_queue().close()  # Somebody's command: it finds the clocks to disagree.
        await s.until(4.3)
        await s.crash("d1")
        s.latency_s = 0.0
        s.bury("d1")
        s.start("d2")
        await s.until(100)

        assert s.times[0] == 4.2
        assert s.shortest_gap >= 30

    play(tmp_path, story, pace_seconds=30.0)


def test_a_backoff_outlives_another_boot_by_no_more_than_its_cap(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        from waqcore.core.outcome import Accepted, NotSent

        s.script = [NotSent("busy"), Accepted()]
        s.enqueue("a")
        s.start("d1")
        await s.until(1)
        await s.crash("d1")
        s.reboot(-24 * HOUR_S)
        s.start("d2")
        await s.until(700)

        assert s.bodies == ["a", "a"]
        assert s.times[1] <= 1 + 600

    play(tmp_path, story)


def test_a_step_while_it_was_watched_costs_a_restart_nothing(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        d1 = s.start("d1")
        keeper = asyncio.create_task(tidy(d1.store, inline))
        for body in "abc":
            s.enqueue(body)
        await s.until(5)
        s.step_wall(HOUR_S)
        await s.until(12)
        await _end(keeper)
        await s.stop("d1")
        s.start("d2")
        await s.until(60)

        assert s.times == [0, 10, 20]

    play(tmp_path, story)


@pytest.mark.parametrize(("step_s", "called_at"), [(-HOUR_S, 2 * HOUR_S), (HOUR_S, 600.0)])
def test_send_at_follows_the_wall(tmp_path: Path, step_s: float, called_at: float) -> None:
    async def story(s: Scenario) -> None:
        s.start()
        s.enqueue("a", send_at=at(HOUR_S))
        await s.until(600)
        s.step_wall(step_s)
        await s.until(3 * HOUR_S)

        (call,) = s.calls
        # Set back, it goes when the wall shows the hour; set ahead past it, within a heartbeat.
        assert called_at <= call.at <= called_at + 3

    play(tmp_path, story)


def test_a_pause_until_an_instant_ends_when_the_wall_shows_it(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.start()
        s.queue.pause("lunch", until=at(HOUR_S))
        s.enqueue("a")
        await s.until(600)
        s.step_wall(HOUR_S)
        await s.until(2 * HOUR_S)

        (call,) = s.calls
        assert 600 <= call.at <= 603

    play(tmp_path, story)


def test_quiet_hours_end_when_the_wall_says_so(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.start()
        s.enqueue("a")
        await s.until(600)
        s.step_wall(HOUR_S)
        await s.until(2 * HOUR_S)

        (call,) = s.calls
        assert 600 <= call.at <= 603

    play(tmp_path, story, quiet_from="22:00", quiet_to="01:00")


@pytest.mark.parametrize("seed", range(6))
def test_steps_restarts_and_boots_in_any_order_keep_pace_and_order(
    tmp_path: Path, seed: int
) -> None:
    async def story(s: Scenario) -> None:
        s.start("d0")
        for n in range(30):
            s.enqueue(f"{n:02}")
        for turn in range(1, 9):
            await s.until(turn * 23.0 + seed)
            name = f"d{turn - 1}"
            match (seed * 7 + turn * 5) % 4:
                case 0:
                    s.step_wall(HOUR_S)
                    continue_with = name
                case 1:
                    s.step_wall(-HOUR_S)
                    continue_with = name
                case 2:
                    await s.stop(name)
                    s.step_wall(-HOUR_S if turn % 2 else HOUR_S)
                    continue_with = ""
                case _:
                    await s.crash(name)
                    s.reboot(HOUR_S if turn % 2 else -HOUR_S)
                    continue_with = ""
            s._live[f"d{turn}"] = s._live.pop(continue_with) if continue_with else _fresh(s, turn)
        await s.until(1_000)

        assert s.bodies == [f"{n:02}" for n in range(30)]
        assert s.shortest_gap >= 10
        assert max(later - earlier for earlier, later in pairwise(s.times)) <= 20
        assert set(s.states().values()) == {"sent"}

    play(tmp_path, story)


def _fresh(s: Scenario, turn: int) -> Running:
    return s.start(f"d{turn}")


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
