"""What a dispatcher does beside its calls: hears of writes, ends what has expired, counts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.scenario import RECIPIENT, SENDER, SIBLING, Arrived, Running, Scenario, at, play
from tests.virtual_time import inline
from waqcore.core.instants import SECOND
from waqcore.dispatcher.housekeeping import WATCH_S, listen, tidy, watch
from waqcore.dispatcher.watch import CALLS, FORECASTS_MAX, PORTION
from waqcore.draft import Draft
from waqcore.store.position import EXACT_MAX
from waqcore.store.step import Heard


@asynccontextmanager
async def kept(running: Running) -> AsyncIterator[None]:
    """A dispatcher with its housekeeping."""
    tasks = [
        asyncio.create_task(listen(running.store, running.dispatcher, inline)),
        asyncio.create_task(tidy(running.store, inline)),
    ]
    yield
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def test_an_enqueue_by_another_process_is_heard_of_within_a_quarter_of_a_second(
    tmp_path: Path,
) -> None:
    async def story(s: Scenario) -> None:
        async with kept(s.start()):
            await s.until(100.01)
            s.queue.enqueue("081234567890", "a")
            await s.until(110)

        (call,) = s.calls
        assert 100.01 <= call.at <= 100.26

    play(tmp_path, story)


def test_a_resume_by_another_process_is_heard_of(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        async with kept(s.start()):
            s.queue.pause("lunch")
            s.queue.enqueue("081234567890", "a")
            await s.until(50)
            s.queue.resume()
            await s.until(60)

        (call,) = s.calls
        assert 50 <= call.at <= 50.25

    play(tmp_path, story)


def test_an_expiry_shows_within_a_second_while_the_lane_is_paused(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.queue.pause("lunch")
        s.enqueue("a", expires_at=at(10))
        async with kept(s.start()):
            await s.until(11.1)

            assert s.states() == {"a": "expired"}

    play(tmp_path, story)


def test_a_lane_too_long_to_count_for_each_look_is_counted_beside_its_calls(
    tmp_path: Path,
) -> None:
    async def story(s: Scenario) -> None:
        s.queue.pause("lunch")
        s.queue.enqueue_many(Draft(to=RECIPIENT, body=f"{n}") for n in range(EXACT_MAX + 1))
        s.enqueue("later", "low", send_at=at(1_000))
        async with kept(s.start()):
            await s.until(3)

            counted = "SELECT priority, queued, scheduled FROM waq_tally ORDER BY priority"
            assert s.sql(counted) == [(2, EXACT_MAX + 1, 0), (3, 1, 1)]

    play(tmp_path, story)


def test_an_idle_dispatcher_writes_nothing_but_its_heartbeat(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        watcher = s.a_queue()
        versions = set()
        async with kept(s.start()):
            await s.until(3.5)
            while s.loop.now < 33:
                versions.add(watcher._store.database.data_version())
                await asyncio.sleep(0.5)

        watcher.close()
        assert len(versions) == 10

    play(tmp_path, story)


def test_housekeeping_outlives_a_database_that_fails_for_a_moment(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.enqueue("a", expires_at=at(10))
        s.queue.pause("lunch")
        running = s.start()
        async with kept(running):
            await s.until(9.5)
            running.store.fail()
            await s.until(15)

            assert s.states() == {"a": "expired"}
            assert s.calls == list[Arrived]()

    play(tmp_path, story)


def test_more_calls_than_one_look_takes_in_do_not_wait_for_the_next(tmp_path: Path) -> None:
    async def story(s: Scenario) -> list[Heard]:
        running = s.start()
        call = Heard(SENDER, 10 * SECOND, failed=False)
        running.dispatcher._heard.extend([call] * (2 * CALLS + 1))
        watching = asyncio.create_task(watch(running.store, running.dispatcher, inline))
        await s.until(WATCH_S / 2)
        left = running.dispatcher.heard(CALLS)
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        return left

    assert play(tmp_path, story) == []


def test_of_a_flood_all_is_counted_and_few_are_foretold(tmp_path: Path) -> None:
    """Its portions follow each other at once, forecasts are made every other second."""

    async def story(s: Scenario) -> list[tuple[int, int]]:
        s.queue.pause("lunch", until=at(1_000))
        drafts = [Draft(to=RECIPIENT, body=str(n)) for n in range(3 * PORTION)]
        s.queue.enqueue_many(drafts)
        running = s.start()
        watching = asyncio.create_task(watch(running.store, running.dispatcher, inline))
        seen = []
        for instant in (0.5, WATCH_S + 0.5):
            await s.until(instant)
            (seen_now,) = s.sql(
                "SELECT (SELECT message_seq FROM waq_counted), (SELECT count(*) FROM waq_forecast)"
            )
            seen.append(tuple(seen_now))
            s.enqueue("one more")
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        return seen

    assert play(tmp_path, story) == [
        (3 * PORTION, FORECASTS_MAX),
        (3 * PORTION + 1, FORECASTS_MAX + 1),
    ]


def test_a_sweep_looks_at_a_share_of_the_lanes_and_the_next_at_the_following(
    tmp_path: Path,
) -> None:
    """Nothing else tells of these messages: the quarter of two lanes is none, the half is one."""

    async def story(s: Scenario) -> list[list[str]]:
        running = s.start()
        await s.until(1)
        for sender in (SENDER, SIBLING):
            s.queue.enqueue(RECIPIENT, sender, sender=sender)
        seen = []
        for n, share in enumerate((0.25, 0.25, 0.5)):
            running.dispatcher.sweep(share)
            await s.until(2 + n)
            seen.append([call.body for call in s.calls])
        return seen

    seen = play(tmp_path, story, senders=(SENDER, SIBLING))

    assert seen == [[], [SENDER], [SENDER, SIBLING]]
