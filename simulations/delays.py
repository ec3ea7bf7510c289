"""What a dispatcher took for itself, as a recorded run has it: to hear, to decide and to connect.

It looks at its database ten times a second for what others have committed; its turns wait for the
write lock; and between a claim and its call lie two commits and a connection. The core knows none
of this. What is pressed in between hits another call than it would have hit without.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from heapq import heapify, heappop
from operator import itemgetter
from typing import NamedTuple

import numpy as np
import pandas as pd

from waqcore.core.message import State
from waqcore.core.policy import Sender

TURN_MAX_US = 1_000_000
"""A dispatcher that gets to a lane later than this was gone, or the lane waited for something that
is not recorded."""
RETRY_TURN_MAX_US = 100_000
"""The same where a retry is called for, or after a call that failed: when a backoff or a gateway's
`Retry-After` was over is not recorded."""


CUT_US = 5_000
"""How much longer a turn is taken to have been than until the pause that came before its end: that
it was longer is all that is known."""


class Measured(NamedTuple):
    """A run's delays, by the index of a sender, call by call in their order."""

    turns_us: Mapping[int, Sequence[tuple[int, ...]]]
    """From each instant the lane would let something go to the dispatcher's decision; more than
    one for a call where a pause came before it."""
    starts_us: Mapping[int, Sequence[int]]
    """From the decision to the call's start."""

    def before(self, sender: int, nth: int, cut: int) -> tuple[int, int]:
        """A lane's nth call's own; the medians where the run had no such call."""
        turns, starts = self.turns_us[sender], self.starts_us[sender]
        if nth >= len(turns):
            return self.usual
        return turns[nth][min(cut, len(turns[nth]) - 1)], starts[nth]

    @property
    def usual(self) -> "Same":
        """The medians of all calls."""
        last = [turns[-1] for its in self.turns_us.values() for turns in its]
        return Same(_median(last), _median([one for its in self.starts_us.values() for one in its]))


class Same(NamedTuple):
    """The same delays for all calls, in microseconds."""

    turn_us: int
    start_us: int

    def before(self, sender: int, nth: int, cut: int) -> tuple[int, int]:
        """Any call's."""
        return self


def measured(
    messages: pd.DataFrame,
    attempts: pd.DataFrame,
    senders: Sequence[Sender],
    *,
    lanes: pd.DataFrame | None = None,
) -> Measured:
    """Measure them; `lanes` tells when somebody paused and resumed, None: nobody did.

    By the dispatcher's own instants alone: when it held a lane to be free, when it decided, when
    the call left. Where it says nothing of the first two, as a simulation, it took no time. A turn
    that waited for what is not recorded is taken to have been as long as the median of the others.
    """
    calls = attempts[attempts["called_at"].notna() & attempts["finished_at"].notna()]
    calls = calls[calls["claimed_at"].notna()]
    turns: dict[int, list[tuple[int, ...]]] = {}
    starts: dict[int, list[int]] = {}
    for index, sender in enumerate(senders):
        its = calls[calls["sender"] == sender.number].sort_values("claimed_at")
        waiting = _waiting(messages[messages["sender"] == sender.number], its)
        turns[index] = list(_turns(_Lane(waiting, _pauses(lanes, sender.number)), its))
        starts[index] = (its["called_at"] - its["claimed_at"]).clip(lower=0).astype(int).tolist()
    usual = _median([one[-1] for its in turns.values() for one in its if one[-1] >= 0])
    known = {
        index: [tuple(usual if turn < 0 else turn for turn in one) for one in its]
        for index, its in turns.items()
    }
    return Measured(known, starts)


class _Lane(NamedTuple):
    waiting: list[tuple[int, int]]
    """A heap: when each message fell due, and when it was called or taken out."""
    pauses: Sequence[tuple[int, int]]
    """Those that ended, in their order: from when until when."""


def _turns(lane: _Lane, calls: pd.DataFrame) -> Iterator[tuple[int, ...]]:
    """Each call's turns, in microseconds; -1: it waited for what is not recorded."""
    finished_at, settled = 0, True
    columns = ["number", "ready_at", "claimed_at", "finished_at", "outcome"]
    rows = calls[columns].fillna({"ready_at": 0}).itertuples(index=False)
    for number, ready_at, claimed_at, then_finished_at, outcome in rows:
        while lane.waiting and lane.waiting[0][1] < claimed_at:
            heappop(lane.waiting)
        due_at = lane.waiting[0][0] if lane.waiting else 0
        *cut, turn = _cut(lane.pauses, max(ready_at, finished_at, due_at), claimed_at)
        most = TURN_MAX_US if settled and number == 1 else RETRY_TURN_MAX_US
        yield (*cut, turn if 0 <= turn <= most else -1)
        finished_at = then_finished_at
        settled = outcome == "accepted"


def _cut(pauses: Sequence[tuple[int, int]], asked_at: int, claimed_at: int) -> Iterator[int]:
    """The turns between a lane's being free and a claim: a pause cuts one off, its end begins one.

    A resume is heard of as an arrival is: what that takes is part of the turn it begins.
    """
    first = bisect_right(pauses, asked_at, key=itemgetter(1))
    last = bisect_right(pauses, claimed_at, key=itemgetter(1))
    for began_at, ended_at in pauses[first:last]:
        if began_at > asked_at:
            yield began_at - asked_at + CUT_US
        asked_at = ended_at
    yield claimed_at - asked_at


def _waiting(messages: pd.DataFrame, calls: pd.DataFrame) -> list[tuple[int, int]]:
    first = calls[calls["number"] == 1].set_index("seq")["claimed_at"]
    out = messages["ended_at"].where(messages["state"].isin([State.CANCELLED, State.EXPIRED]))
    called = messages["seq"].map(first).astype("Int64")
    gone = called.fillna(out.astype("Int64")).fillna(0).astype("int64")
    due = messages[["enqueued_at", "send_at"]].max(axis=1).astype("int64")
    waiting = list(zip(due.tolist(), gone.tolist(), strict=True))
    heapify(waiting)
    return waiting


def _pauses(lanes: pd.DataFrame | None, sender: str) -> list[tuple[int, int]]:
    pauses: list[tuple[int, int]] = []
    if lanes is None:
        return pauses
    began_at = None
    its = lanes[(lanes["sender"] == sender) & lanes["event"].isin(["pause", "resume"])]
    for at, event in zip(its["at"].tolist(), its["event"], strict=True):
        if event == "pause":
            began_at = at if began_at is None else began_at
        elif began_at is not None:
            pauses.append((began_at, at))
            began_at = None
    return pauses


def _median(values: Sequence[int]) -> int:
    return int(np.median(values)) if values else 0
