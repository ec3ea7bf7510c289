"""What a simulation recorded, and its frames: the columns of `waqcore.core.records`."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulations.frames import typed
from simulations.workload import Ints, Workload
from waqcore.core.instants import NEVER
from waqcore.core.message import Message, Priority, State
from waqcore.core.outcome import (
    Accepted,
    NotCalled,
    NotSent,
    Outcome,
    Refused,
    Rejected,
    SenderDown,
    Unknown,
    Unreachable,
    word,
)
from waqcore.core.records import AttemptRecord, LaneRecord, MessageRecord

_KINDS: tuple[type[Outcome], ...] = (
    Accepted,
    Refused,
    NotSent,
    Unreachable,
    Unknown,
    Rejected,
    SenderDown,
    NotCalled,
)
_KIND = {kind: n for n, kind in enumerate(_KINDS)}
_OUTCOMES = np.array(
    [
        "accepted",
        "refused",
        "not_sent",
        "unreachable",
        "unknown",
        "rejected",
        "sender_down",
        "not_called",
    ],
    dtype=object,
)
_STATES = tuple(State)
_UNKNOWN = State.UNKNOWN
_STATE = {state: n for n, state in enumerate(_STATES)}
_PRIORITIES = np.array([priority.word for priority in Priority], dtype=object)


class Recorder:
    """Collects what happens, a column a fact: a million messages fit in some hundred megabytes."""

    def __init__(self, given: Workload, starts_at: int) -> None:
        self._given = given
        self._starts_at = starts_at
        n = len(given)
        self._state = bytearray([_STATE[State.QUEUED]]) * n
        self._failures = bytearray(n)
        self._ended_at = array("q", bytes(8 * n))
        self._duplicates: set[int] = set()
        self._seq = array("q")
        self._called_at = array("q")
        self._finished_at = array("q")
        self._outcome = bytearray()
        self._lane_events: list[LaneRecord] = []

    def attempt(
        self, message: Message, sender: int, called_at: int, finished_at: int, outcome: Outcome
    ) -> None:
        """One call is over."""
        self._seq.append(message.seq)
        self._called_at.append(called_at)
        self._finished_at.append(finished_at)
        self._outcome.append(_KIND[type(outcome)])

    def ended(self, message: Message, now: int) -> None:
        """A message has come to the end of its life, or to a person."""
        seq = message.seq
        self._state[seq] = _STATE[message.state]
        self._failures[seq] = message.failures
        if message.state is not _UNKNOWN:  # A person has yet to end that.
            self._ended_at[seq] = now
        if message.maybe_duplicate:
            self._duplicates.add(seq)

    def lane_event(self, at: int, sender: str | None, event: str, detail: str) -> None:
        """Something happened to a lane."""
        self._lane_events.append(LaneRecord(at, sender, str(event), detail))

    def finished(self, ends_at: int) -> "Run":
        """Everything recorded."""
        return Run(
            given=self._given,
            starts_at=self._starts_at,
            ends_at=ends_at,
            state=np.frombuffer(self._state, dtype=np.uint8),
            failures=np.frombuffer(self._failures, dtype=np.uint8),
            ended_at=np.frombuffer(self._ended_at, dtype=np.int64),
            duplicates=frozenset(self._duplicates),
            call_seq=np.frombuffer(self._seq, dtype=np.int64),
            called_at=np.frombuffer(self._called_at, dtype=np.int64),
            finished_at=np.frombuffer(self._finished_at, dtype=np.int64),
            outcome=np.frombuffer(self._outcome, dtype=np.uint8),
            lane_events=tuple(self._lane_events),
        )


@dataclass(frozen=True, slots=True)
class Run:
    """One simulation's record. Calls are in the order they ended; instants in microseconds."""

    given: Workload
    starts_at: int
    ends_at: int
    state: NDArray[np.uint8]
    """By message: index into `State`."""
    failures: NDArray[np.uint8]
    ended_at: Ints
    """By message; 0: it has not ended."""
    duplicates: frozenset[int]
    """Messages marked `maybe_duplicate`."""
    call_seq: Ints
    """By call: its message."""
    called_at: Ints
    finished_at: Ints
    outcome: NDArray[np.uint8]
    """By call: index into the outcomes."""
    lane_events: tuple[LaneRecord, ...]

    @property
    def attempts(self) -> Ints:
        """By message: how many calls it had."""
        return np.bincount(self.call_seq, minlength=len(self.given))

    def first_called_at(self) -> Ints:
        """By message: when its first call started; -1: it was never called."""
        first = np.full(len(self.given), NEVER, dtype=np.int64)
        np.minimum.at(first, self.call_seq, self.called_at)
        first[first == NEVER] = -1
        return first

    def last_called_at(self) -> Ints:
        """By message: when its last call started; -1: it was never called."""
        last = np.full(len(self.given), -1, dtype=np.int64)
        np.maximum.at(last, self.call_seq, self.called_at)
        return last

    def wait_us(self) -> Ints:
        """By message: from its first-due instant to its first call; calls that never came are left
        out."""
        due = np.maximum(self.given.at, self.given.send_at)
        first = self.first_called_at()
        called = first >= 0
        return first[called] - due[called]

    def messages(self) -> pd.DataFrame:
        """One row a message, the columns of `MessageRecord`."""
        given, n = self.given, len(self.given)
        none = pd.array([pd.NA] * n, dtype="Int64")
        columns = {
            "seq": np.arange(n),
            "id": [given.id_of(seq) for seq in range(n)],
            "sender": np.array(given.senders, dtype=object)[given.sender],
            "priority": _PRIORITIES[given.priority],
            "reference": [None] * n if given.references is None else list(given.references),
            "enqueued_at": given.at,
            "send_at": _nullable(given.send_at, given.send_at > given.at),
            "expires_at": _nullable(given.expires_at, given.expires_at < NEVER),
            "state": np.array([str(s) for s in _STATES], dtype=object)[self.state],
            "attempts": self.attempts,
            "failures": self.failures.astype(np.int64),
            "maybe_duplicate": np.isin(np.arange(n), list(self.duplicates)),
            "first_called_at": _nullable(self.first_called_at()),
            "called_at": _nullable(self.last_called_at()),
            "ended_at": _nullable(self.ended_at, self.ended_at > 0),
            "eta_at": none,
            "eta_low_at": none,
            "eta_high_at": none,
        }
        return typed(pd.DataFrame(columns)[list(MessageRecord._fields)], MessageRecord)

    def attempt_rows(self) -> pd.DataFrame:
        """One row a call in the order they started, the columns of `AttemptRecord`."""
        given = self.given
        order = np.argsort(self.called_at, kind="stable")
        seq = self.call_seq[order]
        none = pd.array([pd.NA] * len(seq), dtype="Int64")
        frame = pd.DataFrame(
            {
                "seq": seq,
                "message_id": [given.id_of(one) for one in seq.tolist()],
                "sender": np.array(given.senders, dtype=object)[given.sender[seq]],
                "priority": _PRIORITIES[given.priority[seq]],
                "ready_at": none,
                "claimed_at": none,
                "called_at": _nullable(self.called_at[order]),
                "finished_at": _nullable(self.finished_at[order]),
                "outcome": _OUTCOMES[self.outcome[order]],
                "detail": "",
            }
        )
        frame["number"] = frame.groupby("seq").cumcount() + 1
        return typed(frame[list(AttemptRecord._fields)], AttemptRecord)

    def lane_rows(self) -> pd.DataFrame:
        """One row for each thing that happened to a lane, the columns of `LaneRecord`."""
        frame = pd.DataFrame(list(self.lane_events), columns=list(LaneRecord._fields))
        return typed(frame, LaneRecord)


def _nullable(values: Ints, known: NDArray[np.bool_] | None = None) -> pd.arrays.IntegerArray:
    """Whole numbers with gaps; unless said otherwise, negative ones are gaps."""
    missing = values < 0 if known is None else ~known
    return pd.arrays.IntegerArray(values.astype(np.int64), missing)


def outcome_words(kinds: Sequence[Outcome]) -> list[str]:
    """The names of outcomes, as frames have them."""
    return [word(kind) for kind in kinds]
