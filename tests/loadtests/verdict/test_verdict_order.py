"""Pace and order of a run made by hand: once kept, once broken."""

from pathlib import Path

from tests.loadtests.verdict.handmade import US, HandMade, at


def test_a_gap_that_is_short_at_the_gateway_is_found(tmp_path: Path) -> None:
    run = HandMade()
    run.calls[3]["arrived_us"] = run.calls[2]["arrived_us"] + 9_999_999

    assert run.broken(tmp_path) == {
        "pace": ["628114040707: calls 3 and 4 came 0.0 ms closer than the pace"]
    }


def test_a_start_that_ignored_the_guard_is_found_though_its_gap_was_long(tmp_path: Path) -> None:
    run = HandMade()
    run.attempts[5]["called_at"] = run.attempts[4]["called_at"] + 10 * US

    (said,) = run.broken(tmp_path)["pace"]
    assert "by the database A2 was called 10.000 s after A1, though 10.048 s were due" in said


def test_a_ban_is_found(tmp_path: Path) -> None:
    run = HandMade()
    run.arrive("A2", 90, fault="banned", delivered=False)

    assert any("was banned" in said for said in run.broken(tmp_path)["pace"])


def test_a_message_of_a_lower_priority_that_went_first_is_found(tmp_path: Path) -> None:
    run = HandMade()
    run.promise("N", "normal", 70)
    run.promise("H", "high", 70)
    run.call("N", 70.2)
    run.call("H", 80.3)

    (said,) = run.broken(tmp_path)["order"]
    assert "of N (message, normal, sent; calls: 7 ok), went before H (" in said


def test_a_newer_message_of_the_same_priority_that_went_first_is_found(tmp_path: Path) -> None:
    run = HandMade()
    run.promise("H0", "high", 70)
    run.promise("H1", "high", 71)
    run.call("H1", 72)
    run.call("H0", 82.1)

    assert list(run.broken(tmp_path)) == ["order"]


def _handed_over_together(run: HandMade) -> None:
    run.promise("H0", "high", 70.001)
    run.promise("H1", "high", 70)  # Numbered after the other, stamped before it.
    run.call("H0", 72)
    run.call("H1", 82.1)


def test_of_two_that_came_at_the_same_time_either_may_go_first(tmp_path: Path) -> None:
    run = HandMade()
    _handed_over_together(run)

    assert run.broken(tmp_path) == {}


def test_one_that_plainly_came_before_is_found_behind_one_that_came_at_the_same_time(
    tmp_path: Path,
) -> None:
    run = HandMade()
    run.promise("H", "high", 69.9995)
    _handed_over_together(run)
    run.message("H1")["enqueued_at"] = at(69.9)
    run.call("H", 92.2)

    (said,) = run.broken(tmp_path)["order"]
    assert "of H0 (message, high, sent; calls: 7 ok), went before H (" in said


def test_a_message_acknowledged_just_before_a_call_need_not_go_first(tmp_path: Path) -> None:
    run = HandMade()
    run.promise("N", "normal", 70)
    run.promise("H", "high", 70.14)  # Acknowledged 40 ms before the call of N.
    run.call("N", 70.2)
    run.call("H", 80.3)

    assert run.broken(tmp_path) == {}


def test_a_message_acknowledged_after_the_claim_need_not_go_first(tmp_path: Path) -> None:
    run = HandMade()
    run.promise("N", "normal", 70)
    run.promise("H", "high", 72)
    run.call("N", 72.5)
    run.call("H", 82.6)
    run.attempts[-2]["claimed_at"] = at(72.04)

    assert run.broken(tmp_path) == {}

    run.attempts[-2]["claimed_at"] = at(72.4)
    assert list(run.broken(tmp_path)) == ["order"]


def test_a_message_that_is_not_due_yet_need_not_go_first(tmp_path: Path) -> None:
    run = HandMade()
    run.promise("N", "normal", 70)
    run.promise("H", "high", 70)
    run.message("H")["send_at"] = at(75)
    run.call("N", 70.2)
    run.call("H", 80.3)

    assert run.broken(tmp_path) == {}


def test_a_message_in_backoff_need_not_go_first(tmp_path: Path) -> None:
    run = HandMade()
    run.promise("H", "high", 70)
    run.promise("N", "normal", 70)
    run.call("H", 70.2, fault="failed", outcome="not_sent")
    run.call("N", 80.3)
    run.call("H", 90.4)

    assert run.broken(tmp_path) == {}


def test_a_cancelled_message_waits_no_more(tmp_path: Path) -> None:
    run = HandMade()
    run.promise("H", "high", 70)
    run.promise("N", "normal", 70)
    run.message("H").update(state="cancelled", ended_at=at(70.1))
    run.call("N", 70.2)

    assert run.broken(tmp_path) == {}
