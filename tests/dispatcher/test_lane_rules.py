"""The rules of a lane: what is scheduled, quiet hours, caps, jitter, gather, time shift, guard."""

from itertools import pairwise
from pathlib import Path

from tests.scenario import RECIPIENT, Arrived, Scenario, at, play
from waqcore.core.outcome import NotSent


def test_a_scheduled_message_goes_at_its_instant_and_not_before(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.start()
        s.enqueue("later", send_at=at(95.5))
        s.enqueue("now")
        await s.until(200)

        assert s.calls == [Arrived(0, "now"), Arrived(95.5, "later")]

    play(tmp_path, story)


def test_a_scheduled_message_takes_its_place_by_when_it_fell_due(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.start()
        s.enqueue("scheduled", send_at=at(15))
        for body in "abc":
            s.enqueue(body)
        await s.until(12)
        s.enqueue("before it")
        await s.until(17)
        s.enqueue("after it")
        await s.until(100)

        assert s.bodies == ["a", "b", "c", "before it", "scheduled", "after it"]

    play(tmp_path, story)


def test_messages_scheduled_for_one_instant_keep_their_order(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        for body in "abc":
            s.enqueue(body, send_at=at(50))
        s.start()
        await s.until(100)

        assert s.calls == [Arrived(50, "a"), Arrived(60, "b"), Arrived(70, "c")]

    play(tmp_path, story)


def test_quiet_hours_hold_all_but_high_and_bypassing_messages(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.start()
        s.enqueue("normal")
        s.enqueue("low", "low")
        await s.until(100)
        s.enqueue("high", "high")
        await s.until(150)
        s.queue.send_now(RECIPIENT, "bypass")
        s.wake()
        await s.until(3_000)
        s.enqueue("high later", "high", send_at=at(3_100))
        await s.until(4_000)

        assert s.calls == [
            Arrived(100, "high"),
            Arrived(150, "bypass"),
            Arrived(3_100, "high later"),
            Arrived(3_600, "normal"),
            Arrived(3_610, "low"),
        ]

    play(tmp_path, story, quiet_from="22:30", quiet_to="01:00")


def test_quiet_hours_are_those_of_the_operators_time_zone(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.start()
        s.enqueue("a")
        await s.until(8_000)

        assert s.calls == [Arrived(7_200, "a")]

    # 00:00 UTC is 07:00 in Jakarta.
    play(tmp_path, story, timezone="Asia/Jakarta", quiet_from="06:00", quiet_to="09:00")


def test_a_cap_holds_every_further_call_until_its_window_is_over(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        for n in range(5):
            s.enqueue(f"{n}")
        s.start()
        await s.until(10_000)

        assert s.times == [0, 10, 3_600, 3_610, 7_200]

    play(tmp_path, story, cap_calls=2, cap_hours=1.0)


def test_a_cap_outlives_a_restart(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        for n in range(3):
            s.enqueue(f"{n}")
        s.start("d1")
        await s.until(20)
        await s.stop("d1")
        s.start("d2")
        await s.until(4_000)

        assert s.times == [0, 10, 3_600]

    play(tmp_path, story, cap_calls=2, cap_hours=1.0)


def test_jitter_only_lengthens_a_gap(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        for n in range(40):
            s.enqueue(f"{n:02}")
        s.start()
        await s.until(40 * 15)

        gaps = [later - earlier for earlier, later in pairwise(s.times)]
        assert len(gaps) == 39
        assert min(gaps) >= 10
        assert max(gaps) < 14
        assert max(gaps) - min(gaps) > 2

    play(tmp_path, story, jitter_seconds=4.0)


def test_the_guard_lengthens_the_pace_by_the_round_trip_up_to_its_own_length(
    tmp_path: Path,
) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 0.02
        for n in range(3):
            s.enqueue(f"{n}")
        s.start()
        await s.until(15)
        s.latency_s = 3.0
        await s.until(60)

        assert s.times == [0, 10.02, 20.04]
        s.enqueue("after a slow one")
        await s.until(100)
        assert s.times[3] == 60

    play(tmp_path, story, guard_ms=50.0)


def test_a_slow_answer_lengthens_the_gap_by_the_guard_and_no_more(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 3.0
        for n in range(3):
            s.enqueue(f"{n}")
        s.start()
        await s.until(60)

        assert s.times == [0, 10.05, 20.1]

    play(tmp_path, story, guard_ms=50.0)


def test_a_call_longer_than_the_pace_is_followed_as_soon_as_it_is_over(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 14.0
        for n in range(3):
            s.enqueue(f"{n}")
        s.start()
        await s.until(60)

        assert s.times == [0, 14, 28]

    play(tmp_path, story)


def test_a_gather_is_opened_by_the_first_arrival_alone(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.start()
        await s.until(100)
        s.enqueue("normal")
        await s.until(103)
        s.enqueue("high", "high")
        await s.until(200)
        s.enqueue("after a rest")
        await s.until(300)

        assert s.calls == [
            Arrived(105, "high"),
            Arrived(115, "normal"),
            Arrived(205, "after a rest"),
        ]

    play(tmp_path, story, gather_seconds=5.0)


def test_a_gather_outlives_a_restart(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.start("d1")
        await s.until(100)
        s.enqueue("a")
        await s.until(103)
        await s.stop("d1")
        s.start("d2")
        await s.until(200)

        assert s.calls == [Arrived(105, "a")]

    play(tmp_path, story, gather_seconds=5.0)


def test_a_retry_opens_no_second_gather(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.script = [NotSent("busy")]
        s.enqueue("a")
        s.start()
        await s.until(60)

        # Due again at 10 s at the latest, half of the pace after the first call.
        assert s.calls == [Arrived(5, "a"), Arrived(15, "a")]

    play(tmp_path, story, gather_seconds=5.0)


def test_a_time_shift_lets_low_go_before_what_came_much_later(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.start()
        s.enqueue("first")
        s.enqueue("low", "low")
        for n in range(8):
            await s.until(4 + n * 10)
            s.enqueue(f"high {n}", "high")
        await s.until(200)

        # A head start of 35 s: those due up to 34 s go before a low one due at 0.
        assert s.bodies == [
            "first",
            *(f"high {n}" for n in range(4)),
            "low",
            *(f"high {n}" for n in range(4, 8)),
        ]
        assert s.shortest_gap == 10

    play(tmp_path, story, high_head_start_seconds=35.0)


def test_strict_priority_lets_low_wait_as_long_as_higher_ones_come(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.start()
        s.enqueue("first")
        s.enqueue("low", "low")
        for n in range(8):
            await s.until(4 + n * 10)
            s.enqueue(f"high {n}", "high")
        await s.until(200)

        assert s.bodies == ["first", *(f"high {n}" for n in range(8)), "low"]

    play(tmp_path, story)


def test_the_pace_may_be_a_fraction_of_a_second(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        for n in range(5):
            s.enqueue(f"{n}")
        s.start()
        await s.until(5)

        assert s.times == [0, 0.25, 0.5, 0.75, 1.0]

    play(tmp_path, story, pace_seconds=0.25)
