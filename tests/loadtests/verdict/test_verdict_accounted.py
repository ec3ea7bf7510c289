"""Losses and doubles in a run made by hand: once whole, once broken."""

from pathlib import Path

import pytest

from loadtests.verdict.finding import State
from tests.loadtests.verdict.handmade import HandMade


def test_a_run_in_which_everything_is_right_is_clean(tmp_path: Path) -> None:
    findings = HandMade().findings(tmp_path)

    assert [one.name for one in findings.values() if one.state is State.BROKEN] == []
    assert findings["accounted"].said == "6 acknowledgements: 6 sent"
    assert findings["pace"].measures["smallest gap, s"] == pytest.approx(10.05)


def test_an_acknowledged_message_that_is_nowhere_is_lost(tmp_path: Path) -> None:
    run = HandMade()
    run.promise("X", "high", 3)
    run.messages.pop()

    assert run.broken(tmp_path) == {
        "accounted": ["X (message) was acknowledged and is not in the database"]
    }


def test_a_message_said_to_be_sent_that_reached_no_phone_is_lost(tmp_path: Path) -> None:
    run = HandMade()
    run.calls.pop()

    (said,) = run.broken(tmp_path)["accounted"]
    assert "A2 (message, normal, sent; calls: none) is said to be sent" in said


def test_a_message_said_to_have_failed_that_reached_a_phone_is_found(tmp_path: Path) -> None:
    run = HandMade()
    run.message("A2")["state"] = "failed"
    run.message("A2")["failures"] = 3

    (said,) = run.broken(tmp_path)["accounted"]
    assert "is said to have failed and reached a phone" in said


def test_a_message_left_in_a_queue_that_was_said_to_be_empty_is_found(tmp_path: Path) -> None:
    run = HandMade()
    run.promise("X", "low", 70)

    assert list(run.broken(tmp_path)) == ["accounted"]


def test_a_message_left_in_the_queue_of_an_interrupted_run_is_not_lost(tmp_path: Path) -> None:
    run = HandMade()
    run.promise("X", "low", 70)
    run.run["end"] = "interrupted"

    assert run.broken(tmp_path) == {}


def test_a_queue_that_never_drained_is_found(tmp_path: Path) -> None:
    run = HandMade()
    run.promise("X", "low", 70)
    run.run["end"] = "stuck"

    assert run.broken(tmp_path) == {
        "accounted": ["the queue did not drain: 1 message had not ended"]
    }


def test_a_call_of_no_message_is_found(tmp_path: Path) -> None:
    run = HandMade()
    run.arrive("nobody", 80)

    assert run.broken(tmp_path) == {"accounted": ["call 7 of 628114040707 is no message's"]}


def test_a_call_whose_dispatcher_died_before_it_could_tell_is_no_stray(tmp_path: Path) -> None:
    run = HandMade()
    run.acknowledged[-1] |= {"mark": None, "recipient": None}
    run.attempts[-1] |= {"called_at": None, "finished_at": None, "outcome": None}
    run.message("A2")["state"] = "unknown"

    assert run.broken(tmp_path) == {}


def test_a_double_that_is_not_marked_is_found(tmp_path: Path) -> None:
    run = HandMade()
    run.call("A2", 70, fault="error_500_but_delivered")

    assert list(run.broken(tmp_path)) == ["doubles"]


def test_a_double_with_a_reason_that_is_not_marked_is_found(tmp_path: Path) -> None:
    run = HandMade()
    run.calls[-1]["fault"] = "reset_after_write"
    run.call("A2", 70)

    (said,) = run.broken(tmp_path)["doubles"]
    assert said.endswith("was delivered 2 times, unmarked")


def test_a_call_that_no_attempt_timed_is_known_by_its_text(tmp_path: Path) -> None:
    run = HandMade()
    run.acknowledged[-1]["mark"] = None
    run.attempts[-1] |= {"called_at": None, "finished_at": None, "outcome": None}
    run.calls[-1]["fault"] = "reset_after_write"
    run.call("A2", 70)
    run.message("A2")["maybe_duplicate"] = True

    findings = run.findings(tmp_path)

    assert findings["doubles"].measures["doubled, marked maybe_duplicate"] == 1
    assert findings["accounted"].measures["calls of no known message"] == 0


def test_a_marked_double_with_a_reason_is_clean(tmp_path: Path) -> None:
    run = HandMade()
    run.calls[-1]["fault"] = "reset_after_write"
    run.attempts[-1]["outcome"] = "unknown"
    run.call("A2", 70)
    run.message("A2")["maybe_duplicate"] = True

    assert run.broken(tmp_path) == {}


def test_a_marked_double_in_a_kill_is_clean(tmp_path: Path) -> None:
    run = HandMade()
    run.kill(50.32, back=51)
    run.call("A2", 70)
    run.message("A2")["maybe_duplicate"] = True

    assert list(run.broken(tmp_path)) == []


def test_a_marked_double_without_a_reason_is_found(tmp_path: Path) -> None:
    run = HandMade()
    run.call("A2", 70)
    run.message("A2")["maybe_duplicate"] = True

    (said,) = run.broken(tmp_path)["doubles"]
    assert "delivered again without a reason" in said


def test_a_text_of_no_message_that_reaches_a_phone_twice_is_a_double(tmp_path: Path) -> None:
    run = HandMade()
    run.arrive("nobody", 80)
    run.arrive("nobody", 95)

    assert "doubles" in run.broken(tmp_path)
