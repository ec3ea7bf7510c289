"""One run in numbers, the same for every algorithm, so that runs can be compared and averaged."""

import hashlib
from math import nan

import numpy as np
from numpy.typing import NDArray

from simulations.confidence import mser5
from simulations.legacy import LegacyRun
from simulations.run import Run
from simulations.workload import Ints
from waqcore.core.instants import SECOND
from waqcore.core.message import Priority, State

SHOWN = (Priority.HIGH, Priority.NORMAL, Priority.LOW)
_STATES = tuple(State)
_ENDS = tuple(str(state) for state in State if state is not State.SENDING)
"""Runs end with no call in flight."""
_WAITS = ("wait_mean_s", "wait_p50_s", "wait_p95_s", "wait_max_s")

Measures = dict[str, float]

NAMES = (
    "messages",
    *_ENDS,
    "lost",
    "calls",
    "last_high_s",
    "last_s",
    "smallest_gap_s",
    *(f"{p.word}_{name}" for p in SHOWN for name in ("sent", *_WAITS)),
    "mser5_cut",
)
"""Every measure, in order."""


def measures(run: Run, *, warm_up_us: int = 0) -> Measures:
    """What is asked of a run; seconds, counted from the scenario's first message.

    A wait is from a message's first-due instant to the start of the call that delivered it, over
    the sent ones. `warm_up_us` leaves out of the waits, and of nothing else, what was enqueued
    before it had passed: for steady runs alone. nan: there is no such message.
    """
    given = run.given
    sent = run.state == _STATES.index(State.SENT)
    called_at = run.last_called_at()
    waits = (called_at - np.maximum(given.at, given.send_at)) / SECOND
    counted = sent & (given.at >= run.starts_at + warm_up_us)
    found: Measures = {"messages": len(given), **_counts(run), "calls": len(run.called_at)}
    found["last_high_s"] = _last(called_at, sent & (given.priority == Priority.HIGH), run)
    found["last_s"] = _last(called_at, sent, run)
    found["smallest_gap_s"] = smallest_gap_s(run)
    for priority in SHOWN:
        of = waits[counted & (given.priority == priority)]
        found[f"{priority.word}_sent"] = len(of)
        found |= {f"{priority.word}_{name}": value for name, value in _waits(of).items()}
    cut = mser5(waits[sent])
    found["mser5_cut"] = nan if cut is None else cut
    return found


def _counts(run: Run) -> Measures:
    """How many messages ended in each state, and how many are lost."""
    lost = int(run.lost.sum()) if isinstance(run, LegacyRun) else 0
    by_state = np.bincount(run.state, minlength=len(_STATES)).tolist()
    counts: Measures = {name: by_state[_STATES.index(State(name))] for name in _ENDS}
    counts[State.QUEUED] -= lost
    return {**counts, "lost": lost}


def _last(called_at: Ints, which: NDArray[np.bool_], run: Run) -> float:
    return float(called_at[which].max() - run.starts_at) / SECOND if which.any() else nan


def _waits(waits: NDArray[np.float64]) -> Measures:
    if not len(waits):
        return dict.fromkeys(_WAITS, nan)
    median, p95, most = np.quantile(waits, (0.5, 0.95, 1.0)).tolist()
    return dict(zip(_WAITS, (float(waits.mean()), median, p95, most), strict=True))


def smallest_gap_s(run: Run) -> float:
    """The shortest time between the starts of two calls of one sender; nan: there are no two."""
    sender = run.given.sender[run.call_seq]
    order = np.lexsort((run.called_at, sender))
    gaps = np.diff(run.called_at[order])[np.diff(sender[order]) == 0]
    return float(gaps.min()) / SECOND if len(gaps) else nan


def digest(run: Run) -> str:
    """A hash of everything in a run's frames: equal runs have equal ones, in any process."""
    given = run.given
    taken = hashlib.sha256(repr((run.starts_at, run.ends_at, sorted(run.duplicates))).encode())
    for column in (
        given.at,
        given.priority,
        given.sender,
        given.send_at,
        given.expires_at,
        run.state,
        run.failures,
        run.ended_at,
        run.call_seq,
        run.called_at,
        run.finished_at,
        run.outcome,
    ):
        taken.update(np.ascontiguousarray(column).tobytes())
    for words in (given.senders, given.references, given.ids, run.lane_events):
        taken.update("\n".join(map(str, words or ())).encode())
    return taken.hexdigest()[:16]
