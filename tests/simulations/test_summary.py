from collections.abc import Sequence
from dataclasses import replace
from math import isnan

import pytest

from simulations import legacy
from simulations.model import simulate
from simulations.run import Run
from simulations.summary import NAMES, digest, measures, smallest_gap_s
from simulations.workload import Job, workload
from waqcore.core.instants import SECOND
from waqcore.core.message import Priority
from waqcore.core.outcome import Accepted, Healthy, NotSent, Outcome, ProbeResult, Rejected
from waqcore.core.policy import Policy, Sender

HIGH, NORMAL, LOW = Priority.HIGH, Priority.NORMAL, Priority.LOW


class Scripted:
    """A gateway that answers within a microsecond, and fails the calls it is told to."""

    def __init__(self, failing: dict[tuple[int, int], Outcome]) -> None:
        self._failing = failing

    def call(self, seq: int, attempt: int, sender: int, at: int) -> tuple[Outcome, int]:
        return self._failing.get((seq, attempt), Accepted()), 1

    def probe(self, sender: int, at: int) -> tuple[ProbeResult, int]:
        return Healthy(), 0


def run(jobs: Sequence[Job], failing: dict[tuple[int, int], Outcome] | None = None) -> Run:
    policy = Policy(guard_us=0, backoff_base_us=0)
    return simulate(workload(jobs), Scripted(failing or {}), [Sender("sender-0", "a", policy)])


FOUR = [Job(0, LOW), Job(1 * SECOND, HIGH), Job(2 * SECOND, HIGH), Job(3 * SECOND, NORMAL)]
"""Alone they would be called at 0, 10, 20 and 30 s."""


def test_a_summary_counts_and_measures_from_the_first_message() -> None:
    found = measures(run(FOUR, {(1, 1): NotSent("no"), (3, 1): Rejected("no")}))

    # Calls: low at 0; high 1 fails at 10 and is called again at 20; high 2 at 30; normal at 40.
    assert {name: found[name] for name in ("messages", "sent", "failed", "lost", "calls")} == {
        "messages": 4,
        "sent": 3,
        "failed": 1,
        "lost": 0,
        "calls": 5,
    }
    assert found["last_high_s"] == 30.0
    assert found["last_s"] == 30.0
    assert found["smallest_gap_s"] == 10.0
    assert (found["high_sent"], found["normal_sent"], found["low_sent"]) == (2, 0, 1)


def test_waits_are_until_the_call_that_delivered() -> None:
    found = measures(run(FOUR, {(1, 1): NotSent("no")}))

    # 19 s and 28 s.
    assert found["high_wait_mean_s"] == 23.5
    assert found["high_wait_p50_s"] == 23.5
    assert found["high_wait_p95_s"] == pytest.approx(19 + 0.95 * 9)
    assert found["high_wait_max_s"] == 28.0
    assert found["low_wait_max_s"] == 0.0


def test_a_message_for_later_waits_from_then() -> None:
    found = measures(run([Job(0, LOW, send_at=60 * SECOND)]))

    assert found["low_wait_max_s"] == 0.0
    assert found["last_s"] == 60.0


def test_a_warm_up_is_cut_from_the_waits_alone() -> None:
    found = measures(run(FOUR), warm_up_us=2 * SECOND)

    assert (found["high_sent"], found["low_sent"], found["sent"]) == (1, 0, 4)
    assert found["high_wait_max_s"] == 18.0
    assert isnan(found["low_wait_mean_s"])


def test_what_is_lost_is_not_queued() -> None:
    jobs = [Job(0, HIGH), Job(0, HIGH)]

    found = measures(legacy.simulate(workload(jobs), Scripted({}), window_us=5_000))

    assert (found["lost"], found["queued"], found["sent"]) == (1, 0, 1)


def test_gaps_are_between_one_senders_calls() -> None:
    jobs = [Job(0, LOW, sender=0), Job(3 * SECOND, LOW, sender=1), Job(4 * SECOND, LOW, sender=0)]
    policy = Policy(guard_us=0)
    both = [Sender("a", "x", policy), Sender("b", "x", policy)]

    assert smallest_gap_s(simulate(workload(jobs, ("a", "b")), Scripted({}), both)) == 10.0


def test_nothing_can_be_summed_up_too() -> None:
    found = measures(run([]))

    assert tuple(found) == NAMES
    assert found["messages"] == 0
    assert isnan(found["last_s"])


def test_runs_with_equal_frames_have_equal_digests() -> None:
    assert digest(run(FOUR)) == digest(run(FOUR))


@pytest.mark.parametrize(
    "column",
    ["state", "failures", "ended_at", "call_seq", "called_at", "finished_at", "outcome"],
)
def test_a_run_that_differs_in_one_place_has_another_digest(column: str) -> None:
    first = run(FOUR)
    values = getattr(first, column).copy()
    values[1] ^= 1

    assert digest(replace(first, **{column: values})) != digest(first)


@pytest.mark.parametrize(
    "other",
    [
        Job(3 * SECOND, LOW, reference="A"),
        Job(3 * SECOND + 1, NORMAL, reference="A"),
        Job(3 * SECOND, NORMAL, reference="B"),
        Job(3 * SECOND, NORMAL, reference="A", id="another"),
        Job(3 * SECOND, NORMAL, reference="A", expires_at=99 * SECOND),
    ],
)
def test_another_workload_has_another_digest(other: Job) -> None:
    before = digest(run([*FOUR[:3], Job(3 * SECOND, NORMAL, reference="A")]))

    assert digest(run([*FOUR[:3], other])) != before
