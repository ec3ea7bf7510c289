"""Random traces without failures, what the model makes of them, and what the oracle says."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from simulations import oracle
from simulations.model import simulate
from simulations.workload import Ints, Job, workload
from tests.simulations.steady_lane import Accepts
from waqcore.core.instants import SECOND
from waqcore.core.message import Priority
from waqcore.core.policy import Policy, TimeShift

START = 1_700_000_000 * SECOND
SENDERS = ("sender-0", "sender-1")


class Trace(NamedTuple):
    """Messages for two lanes, and how they are paced."""

    pace_us: int
    latency_us: int
    head_start: TimeShift
    """Used where the rule is the time shift."""
    jobs: tuple[Job, ...]


Place = tuple[int, ...]


class Rule(NamedTuple):
    """A priority rule: the policy's, and the place it gives a message."""

    name: str
    time_shift: Callable[[Trace], TimeShift | None]
    place: Callable[[Trace, Priority, int, int], Place]
    """By priority, first-due instant and sequence; the smallest goes first."""


def _strict(_: Trace, priority: Priority, due: int, seq: int) -> Place:
    return (priority, due, seq)


def _shifted(trace: Trace, priority: Priority, due: int, seq: int) -> Place:
    if priority is Priority.BYPASS:
        return (0, due, seq)
    ahead = {Priority.HIGH: trace.head_start.high_us, Priority.NORMAL: trace.head_start.normal_us}
    return (1, due - ahead.get(priority, 0), priority, seq)


RULES = (
    Rule("strict", lambda _: None, _strict),
    Rule("time shift", lambda trace: trace.head_start, _shifted),
)


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    """Bursts and ties abound: instants lie on or next to a grid of quarters of the pace."""
    pace = draw(st.sampled_from([4, 1 * SECOND, 10 * SECOND]))
    instants = st.tuples(st.integers(0, 40), st.sampled_from([0, 0, 0, -1, 1])).map(
        lambda drawn: START + drawn[0] * (pace // 4) + drawn[1]
    )
    send_at = st.one_of(st.just(0), st.just(0), instants)
    job = st.tuples(instants, st.sampled_from(Priority), st.sampled_from([0, 0, 1]), send_at).map(
        lambda drawn: Job(drawn[0], drawn[1], drawn[2], send_at=drawn[3])
    )
    size = draw(st.integers(1, 20))
    return Trace(
        pace_us=pace,
        latency_us=draw(st.integers(1, pace - 1)),
        head_start=TimeShift(
            high_us=draw(st.integers(0, 12)) * (pace // 2),
            normal_us=draw(st.integers(0, 6)) * (pace // 2),
        ),
        jobs=tuple(draw(st.lists(job, min_size=size, max_size=size))),
    )


def by_the_model(trace: Trace, rule: Rule) -> list[int]:
    """By message, when the model calls for it; every message is called once."""
    policy = Policy(pace_us=trace.pace_us, guard_us=0, time_shift=rule.time_shift(trace))
    given = workload(trace.jobs, SENDERS)
    run = simulate(given, Accepts(trace.latency_us), dict.fromkeys(SENDERS, policy))
    assert run.attempts.tolist() == [1] * len(given)
    starts: list[int] = run.first_called_at().tolist()
    return starts


def by_the_oracle(trace: Trace, rule: Rule) -> list[int]:
    """By message, when the oracle calls for it."""
    due, lanes = _lanes(trace)
    priority = workload(trace.jobs, SENDERS).priority
    result = np.empty_like(due)
    for mine in lanes:
        places = [rule.place(trace, Priority(priority[n]), int(due[n]), int(n)) for n in mine]
        result[mine] = oracle.timeline(due[mine], places, trace.pace_us)
    starts: list[int] = result.tolist()
    return starts


def sorted_by_lane(trace: Trace, starts: list[int]) -> list[list[int]]:
    """When each lane's calls start, whose ever they are."""
    _, lanes = _lanes(trace)
    return [sorted(starts[n] for n in mine) for mine in lanes]


def sends_by_lane(trace: Trace) -> list[list[int]]:
    """As `sorted_by_lane`, by the closed form alone."""
    due, lanes = _lanes(trace)
    return [oracle.send_instants(due[mine], trace.pace_us).tolist() for mine in lanes]


def _lanes(trace: Trace) -> tuple[Ints, list[Ints]]:
    """By message its first-due instant, by lane its messages."""
    given = workload(trace.jobs, SENDERS)
    lanes = [np.flatnonzero(given.sender == sender) for sender in range(len(SENDERS))]
    return np.maximum(given.at, given.send_at), lanes
