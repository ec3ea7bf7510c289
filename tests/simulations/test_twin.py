"""The twin starts from a live queue, and foretells what its dispatcher then does."""

from pathlib import Path
from typing import NamedTuple

import pytest

from simulations.twin import UnknownSenderError, forward, spread
from tests.scenario import SENDER, SIBLING, Scenario, at, play
from waqcore.core.instants import SECOND
from waqcore.core.outcome import Accepted, Healthy, NotSent, Outcome, ProbeResult
from waqcore.core.policy import Policy, Sender
from waqcore.export import Snapshot, snapshot

LATENCY_US = 300_000


class _Steady(NamedTuple):
    """A gateway that takes everything, always as long."""

    def call(self, seq: int, attempt: int, sender: int, at: int) -> tuple[Outcome, int]:
        return Accepted(None), LATENCY_US

    def probe(self, sender: int, at: int) -> tuple[ProbeResult, int]:
        return Healthy(), LATENCY_US


def _look(scenario: Scenario) -> Snapshot:
    return snapshot(scenario.settings.database_url, clock=scenario.clock)


def _sends(found: Snapshot, senders: list[Sender]) -> list[tuple[str, float]]:
    """The ids in the order they leave, and how many seconds after the look."""
    ran = forward(found, senders, _Steady())
    rows = ran.attempt_rows()
    called_at = rows["called_at"].astype("int64").tolist()
    seconds = [(at - found.at) / SECOND for at in called_at]
    return list(zip(rows["message_id"].tolist(), seconds, strict=True))


def test_it_foretells_what_the_dispatcher_then_does(tmp_path: Path) -> None:
    async def story(scenario: Scenario) -> tuple[Snapshot, int, list[tuple[str, int]]]:
        scenario.latency_s = LATENCY_US / SECOND
        scenario.script = [Accepted("1"), NotSent("busy")]
        scenario.start()
        for n, priority in enumerate(["low", "normal", "high", "low", "high"]):
            scenario.enqueue(str(n), priority)
        scenario.enqueue("later", "high", send_at=at(37))
        await scenario.until(14)  # After a failure: one is in backoff, the lane is paced.
        found = _look(scenario)
        await scenario.until(90)
        rows = scenario.sql(
            "SELECT id, called_at FROM waq_attempt JOIN waq_message ON seq = message_seq "
            "WHERE called_at > ? ORDER BY called_at",
            found.at,
        )
        return found, found.at, rows

    found, _, then = play(tmp_path, story)

    foretold = _sends(found, [Sender(SENDER, "default", Policy(guard_us=0))])
    assert len(then) == 5
    assert [(id_, found.at + round(s * SECOND)) for id_, s in foretold] == then


def test_another_pace_and_another_sender_answer_what_if(tmp_path: Path) -> None:
    async def story(scenario: Scenario) -> Snapshot:
        for n in range(4):
            scenario.enqueue(str(n))
        return _look(scenario)

    found = play(tmp_path, story)
    faster = [Sender(SENDER, "default", Policy(pace_us=8 * SECOND, guard_us=0))]
    two = [Sender(number, "default", Policy(guard_us=0)) for number in (SENDER, SIBLING)]

    assert [seconds for _, seconds in _sends(found, faster)] == [0.0, 8.0, 16.0, 24.0]
    dealt = spread(found, [SENDER, SIBLING])
    assert [seconds for _, seconds in _sends(dealt, two)] == [0.0, 0.0, 10.0, 10.0]


def test_a_call_in_flight_ends_and_is_paced_from_its_start(tmp_path: Path) -> None:
    async def story(scenario: Scenario) -> Snapshot:
        scenario.latency_s = 4.0
        scenario.start()
        scenario.enqueue("first")
        scenario.enqueue("second")
        await scenario.until(3)
        return _look(scenario)

    found = play(tmp_path, story)

    sends = _sends(found, [Sender(SENDER, "default", Policy(guard_us=0))])
    assert [seconds for _, seconds in sends] == [-3.0, 7.0]


def test_an_empty_queue_has_nothing_to_send(tmp_path: Path) -> None:
    async def story(scenario: Scenario) -> Snapshot:
        return _look(scenario)

    assert _sends(play(tmp_path, story), [Sender(SENDER, "default", Policy())]) == []


def test_messages_of_a_sender_without_rules_are_refused(tmp_path: Path) -> None:
    async def story(scenario: Scenario) -> Snapshot:
        scenario.enqueue("one")
        return _look(scenario)

    with pytest.raises(UnknownSenderError, match=rf"sender '{SENDER}'.*rules were given for 62999"):
        forward(play(tmp_path, story), [Sender("62999", "default", Policy())], _Steady())
