"""What the dispatcher learns of the recent past, what it foretells, and how that is judged."""

import random
from pathlib import Path

from tests.scenario import SENDER, Running, Scenario, play
from tests.virtual_time import EPOCH
from waqcore.core.instants import SECOND
from waqcore.core.message import Priority
from waqcore.core.outcome import NotSent
from waqcore.core.policy import Policy
from waqcore.core.rates import Rates
from waqcore.dispatcher.watch import FORECASTS_MAX, PORTION, QUIET_US, look
from waqcore.status import Status
from waqcore.store import rates


def _look(running: Running) -> bool:
    heard = running.dispatcher.heard(PORTION)
    return look(running.store, heard)


def _known(running: Running) -> Rates:
    return running.store.read(lambda connection: rates.load(connection, [SENDER]))[SENDER]


def test_it_learns_what_came_and_how_calls_fared(tmp_path: Path) -> None:
    async def story(scenario: Scenario) -> Rates:
        scenario.script = [NotSent("busy")]
        running = scenario.start()
        scenario.enqueue("a", "high")
        await scenario.until(100)  # A failure, and its retry.
        scenario.enqueue("b", "low")
        await scenario.until(200)
        assert not _look(running)
        return _known(running)

    policy, held_us = Policy(guard_us=0), 10 * SECOND
    expected = Rates.since(EPOCH + 200 * SECOND - QUIET_US)
    expected = expected.arrived(Priority.HIGH, EPOCH, policy)
    expected = expected.arrived(Priority.LOW, EPOCH + 100 * SECOND, policy)
    for failed in (True, False, False):
        expected = expected.called(held_us, policy, failed=failed)
    assert play(tmp_path, story) == expected


def test_messages_of_one_commit_are_a_batch(tmp_path: Path) -> None:
    async def story(scenario: Scenario) -> Rates:
        running = scenario.start()
        for n in range(3):
            scenario.enqueue(str(n), "high")
        _look(running)
        return _known(running)

    known = play(tmp_path, story)

    assert known.flows[Priority.HIGH].last == 3
    assert known.flows[Priority.BYPASS].last == 0


def test_each_arrival_and_call_is_taken_in_once(tmp_path: Path) -> None:
    async def story(scenario: Scenario) -> tuple[Rates, Rates]:
        running = scenario.start()
        scenario.enqueue("a", "high")
        await scenario.until(5)
        _look(running)
        before = _known(running)
        _look(running)
        return before, _known(running)

    before, after = play(tmp_path, story)

    assert before == after


def test_a_flood_is_taken_in_by_portions_and_few_of_it_are_foretold(tmp_path: Path) -> None:
    async def story(scenario: Scenario) -> tuple[list[bool], int]:
        for n in range(PORTION + 1):
            scenario.enqueue(str(n))
        running = scenario.start()
        more = [_look(running), _look(running)]
        return more, scenario.sql("SELECT count(*) FROM waq_forecast")[0][0]

    assert play(tmp_path, story) == ([True, False], FORECASTS_MAX + 1)


def test_what_cannot_be_told_is_not_foretold(tmp_path: Path) -> None:
    async def story(scenario: Scenario) -> int:
        scenario.queue.pause("maintenance")
        running = scenario.start()
        scenario.enqueue("a")
        _look(running)
        count: int = scenario.sql("SELECT count(*) FROM waq_forecast")[0][0]
        return count

    assert play(tmp_path, story) == 0


def test_forecasts_are_judged_by_what_then_happened(tmp_path: Path) -> None:
    """Two hours at load 0.7, half of it high: most calls fall inside what was foretold."""

    async def story(scenario: Scenario) -> tuple[Status, Status]:
        chance = random.Random(3)
        before = scenario.queue.status()
        running = scenario.start()
        at = 0.0
        while at < 7_200:
            at += chance.expovariate(0.07)
            await scenario.until(at)
            scenario.enqueue(f"{at}", chance.choice(["high", "normal"]))
            _look(running)
        await scenario.until(at + 300)
        return before, scenario.queue.status()

    before, after = play(tmp_path, story)

    assert before.accuracy is None
    assert after.accuracy is not None
    assert after.accuracy.forecasts > 400
    assert 0.85 <= after.accuracy.inside <= 1.0  # Many leave at once, as foretold to the second.
    assert after.accuracy.off_s < 5
