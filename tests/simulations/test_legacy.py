from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from simulations import legacy
from simulations.legacy import LegacyRun
from simulations.workload import Job, workload
from waqcore.core.instants import SECOND
from waqcore.core.message import Priority
from waqcore.core.outcome import Accepted, Healthy, NotSent, Outcome, ProbeResult, Unknown
from waqcore.core.records import MessageRecord

HIGH, NORMAL, LOW = Priority.HIGH, Priority.NORMAL, Priority.LOW
MS = 1_000


class Scripted:
    """A gateway that takes a second a call, and fails the calls it is told to."""

    def __init__(self, failing: Mapping[tuple[int, int], Outcome] | None = None) -> None:
        self._failing = failing or {}

    def call(self, seq: int, attempt: int, sender: int, at: int) -> tuple[Outcome, int]:
        return self._failing.get((seq, attempt), Accepted()), SECOND

    def probe(self, sender: int, at: int) -> tuple[ProbeResult, int]:
        return Healthy(), 0


def looped(
    jobs: Sequence[Job],
    failing: Mapping[tuple[int, int], Outcome] | None = None,
    window_us: int = 0,
    senders: Sequence[str] = ("sender-0",),
) -> LegacyRun:
    return legacy.simulate(workload(jobs, senders), Scripted(failing), window_us=window_us)


def calls(run: LegacyRun) -> list[tuple[int, float]]:
    """Every call: its message, and seconds."""
    return [(int(seq), at / SECOND) for seq, at in zip(run.call_seq, run.called_at, strict=True)]


def registration(at_s: float, name: str) -> list[Job]:
    at = round(at_s * SECOND)
    return [Job(at, HIGH, reference=name), Job(at, NORMAL, reference=name)]


def test_high_messages_leave_last_in_first_out_and_the_rest_in_order() -> None:
    run = looped([*registration(0, "A"), *registration(1, "B"), *registration(2, "C")])

    # Messages are 0 to 5: A's link and activation, B's, C's. While A's link is sent and the loop
    # sleeps, B's link is put before the queue, then C's before B's.
    assert calls(run) == [(0, 0), (4, 11), (2, 22), (1, 33), (3, 44), (5, 55)]


def test_the_loop_sleeps_after_each_call_so_that_gaps_are_longer_than_the_pause() -> None:
    run = looped([Job(0, LOW), Job(0, LOW), Job(0, LOW)])

    assert np.diff(run.called_at).tolist() == [11_000_000, 11_000_000]


def test_an_empty_queue_ends_the_loop_and_the_next_enqueue_breaks_the_pace() -> None:
    run = looped([Job(0, HIGH), Job(1_500_000, HIGH)])

    assert calls(run) == [(0, 0), (1, 1.5)]


def test_what_fails_goes_to_the_end_up_to_three_calls() -> None:
    always = {(0, attempt): NotSent("no") for attempt in (1, 2, 3, 4)}

    run = looped([Job(0, HIGH), Job(500 * MS, LOW), Job(2 * SECOND, LOW)], always)

    # It fails at 1 s, behind the low one that came before, and ahead of the one that comes after.
    assert calls(run) == [(0, 0), (1, 11), (0, 22), (2, 33), (0, 44)]
    frame = run.messages()
    assert frame["state"].tolist() == ["failed", "sent", "sent"]
    assert frame["failures"].tolist() == [3, 0, 0]
    assert frame["attempts"].tolist() == [3, 1, 1]


def test_an_answer_nobody_can_know_is_called_again_and_doubles() -> None:
    run = looped([Job(0, LOW)], {(0, 1): Unknown("timeout")})

    assert calls(run) == [(0, 0), (0, 11)]
    assert run.messages()["maybe_duplicate"].tolist() == [True]


def test_what_is_for_later_is_enqueued_then() -> None:
    run = looped([Job(0, LOW, send_at=30 * SECOND), Job(5 * SECOND, HIGH)])

    assert calls(run) == [(1, 5), (0, 30)]


def test_one_loop_serves_all_senders() -> None:
    run = looped([Job(0, LOW, sender=0), Job(0, LOW, sender=1)], senders=("a", "b"))

    assert calls(run) == [(0, 0), (1, 11)]
    assert run.attempt_rows()["sender"].tolist() == ["a", "b"]


T = 10 * SECOND
BUSY = (Job(T - 2 * SECOND, LOW), Job(T - 1_900 * MS, LOW))
"""The first is called at once, and while the loop sleeps after it nothing is taken."""


def test_of_enqueues_that_overlap_the_last_writer_wins() -> None:
    run = looped([*BUSY, Job(T, LOW), Job(T, LOW), Job(T, LOW)], window_us=5 * MS)

    assert run.lost.tolist() == [False, False, True, True, False]
    assert run.messages()["state"].tolist() == ["sent", "sent", "lost", "lost", "sent"]
    assert run.messages()["attempts"].tolist() == [1, 1, 0, 0, 1]


def test_enqueues_at_one_instant_lose_all_but_one_of_an_idle_queue_too() -> None:
    run = looped([Job(T, LOW), Job(T, LOW), Job(T, LOW)], window_us=5 * MS)

    assert run.lost.tolist() == [True, True, False]


def test_enqueues_that_follow_each_other_lose_nothing() -> None:
    jobs = [*BUSY, *(Job(T + n * 5 * MS, LOW) for n in range(10))]

    assert not looped(jobs, window_us=5 * MS).lost.any()


def test_a_chain_of_overlaps_loses_all_but_its_end() -> None:
    jobs = [*BUSY, *(Job(T + n * 4 * MS, LOW) for n in range(4))]

    assert looped(jobs, window_us=5 * MS).lost.tolist() == [False, False, True, True, True, False]


def test_what_the_loop_has_taken_can_no_longer_be_overwritten() -> None:
    # Written at 5 ms with the loop idle, it is taken then; the other is written at 8 ms.
    run = looped([Job(0, LOW), Job(3 * MS, LOW)], window_us=5 * MS)

    assert not run.lost.any()
    assert run.called_at.tolist() == [5 * MS, SECOND + 10 * SECOND + 5 * MS]


def test_one_request_enqueues_its_messages_one_after_the_other() -> None:
    both = [*BUSY, *registration(10, "A"), *registration(10.007, "B")]

    alone, beside = looped(both[:4], window_us=5 * MS), looped(both, window_us=5 * MS)

    # A reads at 0 and at 5 ms, B at 7 ms: B's link is written over A's activation.
    assert not alone.lost.any()
    assert beside.lost.tolist() == [False, False, False, True, False, False]


def test_without_a_window_nothing_is_lost() -> None:
    assert not looped([Job(0, LOW) for _ in range(50)], window_us=0).lost.any()


def test_its_frames_have_the_same_columns() -> None:
    run = looped(registration(0, "A"))

    assert list(run.messages().columns) == list(MessageRecord._fields)
    assert len(run.attempt_rows()) == 2
    assert len(run.lane_rows()) == 0


@pytest.mark.parametrize("jobs", [[], [Job(7, HIGH)]], ids=["none", "one"])
def test_small_workloads_end(jobs: list[Job]) -> None:
    assert len(looped(jobs).called_at) == len(jobs)
