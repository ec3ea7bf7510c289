"""A dispatcher that is cut off from the database, and comes back."""

from pathlib import Path

import pytest

from tests.scenario import Scenario, play


@pytest.mark.parametrize("cut_at", [9.5, 10.5, 19.5])
def test_one_that_is_cut_off_makes_no_call_until_it_is_back_and_the_other_goes_on(
    tmp_path: Path, cut_at: float
) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 0.2
        for n in range(8):
            s.enqueue(f"{n}")
        d1 = s.start("d1")
        await s.until(1)
        s.start("d2")
        await s.until(cut_at)
        d1.cut_off_until = cut_at + 40
        calls = len(d1.calls())
        await s.until(cut_at + 40)
        during = d1.calls()[calls:]
        await s.until(200)

        assert during == []
        assert s.bodies == [f"{n}" for n in range(8)]
        assert s.shortest_gap >= 10
        assert set(s.states().values()) == {"sent"}
        assert s.sql("SELECT sum(maybe_duplicate) FROM waq_message") == [(0,)]

    play(tmp_path, story)


def test_a_claim_whose_call_was_held_up_past_its_lease_is_the_others(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.enqueue("a")
        s.enqueue("b")
        d1 = s.start("d1")
        d1.store_latency_s = 0.5  # Joined at 0.5 s, claimed then: heard of at 1 s.
        await s.until(0.9)
        d1.cut_off_until = 40
        s.start("d2")
        await s.until(100)

        assert d1.calls() == []
        assert s.bodies == ["a", "b"]
        assert s.times[0] <= 0.5 + 15 + 10
        assert s.shortest_gap >= 10
        assert s.sql("SELECT attempts, maybe_duplicate FROM waq_message") == [(1, 0), (1, 0)]

    play(tmp_path, story)


def test_a_call_in_flight_when_it_is_cut_off_ends_in_the_open_or_marked(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 5.0
        s.enqueue("a")
        d1 = s.start("d1")
        await s.until(1)
        s.start("d2")
        d1.cut_off_until = 60
        await s.until(100)

        # Accepted at 5 s, which nobody heard: taken over at its lease's end, and called again.
        assert s.bodies == ["a", "a"]
        assert s.shortest_gap >= 10
        assert s.sql("SELECT state, maybe_duplicate FROM waq_message") == [("sent", 1)]

    play(tmp_path, story)
