"""Counts, recovery, ETAs and resources of a run made by hand: once right, once wrong."""

from pathlib import Path

import pytest

from loadtests.verdict.finding import State
from loadtests.verdict.interval import interval
from tests.loadtests.verdict.handmade import HandMade, at

MIB = 1024 * 1024


def test_a_call_without_an_attempt_is_found(tmp_path: Path) -> None:
    run = HandMade()
    run.arrive("A2", 80, fault="failed", delivered=False)

    (said,) = run.broken(tmp_path)["attempts"]
    assert said.endswith("2 calls reached the gateway, 1 attempts are in the database")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"attempts": 4}, "it says 4 attempts, and 1 are there"),
        ({"failures": 4}, "it failed 4 times, though 3 is the end"),
    ],
)
def test_a_message_that_miscounts_itself_is_found(
    tmp_path: Path, change: dict[str, int], said: str
) -> None:
    run = HandMade()
    run.message("A2").update(change)

    assert run.broken(tmp_path)["attempts"][0].endswith(said)


def test_attempts_that_are_misnumbered_are_found(tmp_path: Path) -> None:
    run = HandMade()
    run.attempts[-1]["number"] = 2

    assert run.broken(tmp_path)["attempts"][0].endswith("its attempts are numbered [2]")


@pytest.mark.parametrize(("outcome", "names"), [("not_sent", ["attempts"]), ("rejected", [])])
def test_a_message_that_failed_early_is_found_unless_it_could_never_succeed(
    tmp_path: Path, outcome: str, names: list[str]
) -> None:
    run = HandMade()
    run.promise("X", "low", 70)
    run.call("X", 71, fault="failed", outcome="not_sent")
    run.attempts[-1]["outcome"] = outcome
    run.message("X")["state"] = "failed"
    run.run["limits"] = {"failed_share": 1.0}

    assert list(run.broken(tmp_path)) == names


def test_a_share_of_failures_above_the_budget_is_found(tmp_path: Path) -> None:
    run = HandMade()
    run.promise("X", "low", 70)
    for attempt in range(3):
        run.call("X", 71 + 11 * attempt, fault="failed", outcome="not_sent")
    run.message("X")["state"] = "failed"

    assert run.broken(tmp_path) == {
        "budget": ["14.29% failed after the last attempt, 1.00% was promised"]
    }


def test_a_budget_that_must_be_shown_is_not_shown_by_a_few_messages(tmp_path: Path) -> None:
    """None of six failed: with half of them failing that would be so in one case of 64."""
    run = HandMade()
    run.run["limits"] = {"failed_share_shown": 0.4}

    assert run.broken(tmp_path) == {
        "budget": ["up to 45.93% may fail after the last attempt: below 40.00% is not shown"]
    }


def test_a_share_that_was_counted_has_the_interval_of_the_tables() -> None:
    """Clopper and Pearson's, as any table has them; of none in n it ends at 1 - 0.025^(1/n)."""
    assert interval(5, 100) == pytest.approx((0.0164, 0.1128), abs=5e-5)
    assert interval(0, 10) == pytest.approx((0.0, 1 - 0.025**0.1))
    assert interval(10, 10) == pytest.approx((0.025**0.1, 1.0))


def test_a_message_that_could_never_succeed_spends_no_budget(tmp_path: Path) -> None:
    run = HandMade()
    run.promise("X", "low", 70)
    run.call("X", 71, fault="not_registered", outcome="not_sent")
    run.attempts[-1]["outcome"] = "rejected"
    run.message("X").update(state="failed", failures=0)

    assert run.broken(tmp_path) == {}


def test_a_slow_recovery_from_a_kill_is_found(tmp_path: Path) -> None:
    run = HandMade()
    run.promise("X", "low", 61)
    run.kill(62, back=63)
    run.call("X", 79)

    assert run.broken(tmp_path) == {"recovery": ["628114040707 went on 16.00 s after kill "]}


def test_a_recovery_is_counted_from_when_the_pace_was_over(tmp_path: Path) -> None:
    run = HandMade()
    run.promise("X", "low", 55)
    run.kill(52, back=55.1)
    run.call("X", 62)

    recovery = run.findings(tmp_path)["recovery"]
    assert recovery.state is State.CLEAN
    assert recovery.measures["recovery from kill, s, p100"] == pytest.approx(1.7)


def test_a_lane_that_never_went_on_is_found(tmp_path: Path) -> None:
    run = HandMade()
    run.promise("X", "low", 61)
    run.kill(62, back=63)
    run.run["end"] = "stuck"

    assert run.broken(tmp_path)["recovery"] == ["628114040707 went on never after kill "]


def test_the_slow_return_from_a_gateway_that_was_away_is_told_and_not_judged(
    tmp_path: Path,
) -> None:
    run = HandMade()
    run.promise("X", "low", 61)
    run.run["chaos"] = [{"what": "drop", "at": at(62), "restored_at": at(63)}]
    run.call("X", 93)

    assert run.broken(tmp_path) == {}


def test_a_lane_that_never_went_on_after_its_gateway_was_back_is_found(tmp_path: Path) -> None:
    run = HandMade()
    run.promise("X", "low", 61)
    run.run["chaos"] = [{"what": "drop", "at": at(62), "restored_at": at(63)}]
    run.run["end"] = "stuck"

    assert "recovery" in run.broken(tmp_path)


def test_etas_are_compared_with_the_calls(tmp_path: Path) -> None:
    run = HandMade()
    run.acknowledged[0]["eta_high_at"] = at(0.04)  # The first link, called at 0.051.

    etas = run.findings(tmp_path)["etas"]
    assert etas.state is State.TOLD
    assert etas.measures["inside their 90 % range"] == pytest.approx(5 / 6)


def test_etas_that_cover_too_little_are_found_where_that_is_judged(tmp_path: Path) -> None:
    run = HandMade()
    run.acknowledged[0]["eta_high_at"] = at(0.04)
    run.run["limits"] = {"eta_coverage": 0.9}

    assert run.broken(tmp_path) == {
        "etas": ["83.3% of calls were inside their range, 90% should be"]
    }


def _sample(seconds: float, megabytes: float, handles: int = 20) -> dict[str, object]:
    rss_bytes = round(megabytes * MIB)
    return {
        "at": at(seconds),
        "process": "service",
        "pid": 1,
        "rss_bytes": rss_bytes,
        "handles": handles,
    }


def test_memory_that_grows_after_minute_five_is_found(tmp_path: Path) -> None:
    run = HandMade()
    run.samples = [_sample(10.0 * n, 80 + 0.1 * n) for n in range(120)]

    assert run.broken(tmp_path) == {
        "resources": ["service ended 8.6 MB above minute five of its longest life"]
    }
    slope = run.findings(tmp_path)["resources"].measures["service: memory, MB an hour"]
    assert slope == pytest.approx(36)


def test_memory_that_grows_before_minute_five_is_no_leak(tmp_path: Path) -> None:
    run = HandMade()
    run.samples = [_sample(10.0 * n, 60 + min(n, 25)) for n in range(120)]

    assert run.broken(tmp_path) == {}


def test_handles_that_grow_are_found(tmp_path: Path) -> None:
    run = HandMade()
    run.samples = [_sample(10.0 * n, 80, handles=20 + n) for n in range(120)]

    assert list(run.broken(tmp_path)) == ["resources"]


def test_slow_202s_are_found_where_that_is_judged(tmp_path: Path) -> None:
    run = HandMade()
    run.acknowledged[3]["took_us"] = 400_000
    run.run["limits"] = {"acknowledge_p99_ms": 300}

    assert run.broken(tmp_path) == {"http": ["the 202s' p99 is 400 ms, above 300 ms"]}
