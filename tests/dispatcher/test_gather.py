"""What falls due just after a turn shares the next one."""

from pathlib import Path

from tests.scenario import SENDER, SIBLING, Scenario, at, play

THIRD = "628114040909"


def test_what_falls_due_within_the_rest_after_a_turn_shares_the_next(tmp_path: Path) -> None:
    async def story(s: Scenario) -> None:
        s.latency_s = 5.0
        s.start().store_latency_s = 0.02
        for sender, seconds in ((SENDER, 1.0), (SIBLING, 1.045), (THIRD, 1.048)):
            s.enqueue(sender, sender=sender, send_at=at(seconds))

        await s.until(3)

        # The first turn ends at 1.04, its rest at 1.05.
        begun = s.sql("SELECT started_at FROM waq_attempt ORDER BY message_seq")
        (_, second, third) = (started_at for (started_at,) in begun)
        assert second == third

    play(tmp_path, story, senders=(SENDER, SIBLING, THIRD))
