"""A recorded run played again: what was enqueued, met by the answers its gateway gave.

The frames of a load test, or a production export, hold all there is to it: when each message came
and each button was pressed, and for each call its outcome, how long it took, and how long its
dispatcher. Where the model then sends at other instants than the run did, one of the two is wrong.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from simulations.delays import measured
from simulations.model import Delays, Model, Press, simulate
from simulations.run import Run
from simulations.workload import Ints, Workload
from waqcore.core import control
from waqcore.core.instants import NEVER
from waqcore.core.message import Priority, State
from waqcore.core.outcome import (
    Accepted,
    Healthy,
    NotSent,
    Outcome,
    ProbeResult,
    Refused,
    Rejected,
    SenderDown,
    Unknown,
    Unreachable,
)
from waqcore.core.policy import Sender

PROBE_US = 50_000
"""How long a probe is taken to take: exports tell of calls alone."""

_OUTCOMES: dict[str, Outcome] = {
    "accepted": Accepted(),
    "refused": Refused("as recorded"),
    "not_sent": NotSent("as recorded"),
    "unreachable": Unreachable("as recorded"),
    "unknown": Unknown("as recorded"),
    "rejected": Rejected("as recorded"),
    "sender_down": SenderDown("as recorded"),
}

_PRIORITIES = {priority.word: int(priority) for priority in Priority}


class Replayed(NamedTuple):
    """A recorded run, and the model's run of the same."""

    run: Run
    calls: pd.DataFrame
    """One row a call that both made: `message_id`, `number`, `sender`, `priority`, `called_at` as
    recorded, `modelled_at` by the model, and `off_s`, the model's less the recorded, in seconds."""
    only_recorded: int
    """Calls that the model did not make."""
    only_modelled: int
    """Calls that the run did not make."""

    @property
    def largest_off_s(self) -> float:
        """The largest deviation of a call's start, in seconds; nan where there is none."""
        return float(self.calls["off_s"].abs().max())


class Recorded:
    """A gateway that answers each message's nth call as it was answered, after as long."""

    def __init__(self, answers: dict[tuple[int, int], tuple[Outcome, int]]) -> None:
        """`answers` by message and attempt, each with its latency in microseconds."""
        self._answers = answers

    def call(self, seq: int, attempt: int, sender: int, at: int) -> tuple[Outcome, int]:
        """The recorded answer; a call that was never made is accepted after a millisecond."""
        return self._answers.get((seq, attempt), (Accepted(), 1_000))

    def probe(self, sender: int, at: int) -> tuple[ProbeResult, int]:
        """Well: exports do not tell of probes."""
        return Healthy(), PROBE_US


def replay(
    messages: pd.DataFrame,
    attempts: pd.DataFrame,
    senders: Sequence[Sender],
    *,
    lanes: pd.DataFrame | None = None,
    seed: int = 0,
    delays: Delays | None = None,
) -> Replayed:
    """Run the model on what was recorded; `senders` and `seed` as the run had them.

    `lanes` tells when somebody paused and resumed; None: nobody did.
    `delays` are the dispatcher's own; None: as measured, each lane's nth call's. With them, stalls
    of the machine are in the model and what is left is order and waiting; with the same for all
    they are not, and add up for as long as a lane is busy.
    """
    ordered = messages.sort_values("seq", ignore_index=True)
    calls = attempts[attempts["called_at"].notna() & attempts["finished_at"].notna()]
    presses = sorted([*_cancellations(ordered), *_pauses(lanes)], key=lambda press: press.at)
    row = {seq: n for n, seq in enumerate(ordered["seq"])}
    run = simulate(
        _workload(ordered, [sender.number for sender in senders]),
        Recorded(_answers(calls, row)),
        senders,
        seed=seed,
        starts_at=min([int(ordered["enqueued_at"].min()), *(press.at for press in presses)]),
        presses=presses,
        delays=measured(messages, attempts, senders, lanes=lanes) if delays is None else delays,
    )
    return _compared(run, calls)


def _workload(messages: pd.DataFrame, senders: Sequence[str]) -> Workload:
    index = {sender: n for n, sender in enumerate(senders)}
    at = _column(messages["enqueued_at"])
    n = len(messages)
    return Workload(
        at=np.maximum.accumulate(at),
        priority=_column(messages["priority"].map(_PRIORITIES)),
        sender=_column(messages["sender"].map(index)),
        send_at=_column(messages["send_at"].fillna(0)),
        expires_at=_column(messages["expires_at"].fillna(NEVER)),
        hold=np.zeros(n, dtype=np.bool_),  # Exports do not tell.
        ids=messages["id"].tolist(),
        references=messages["reference"].tolist(),
        senders=tuple(senders),
    )


def _cancellations(messages: pd.DataFrame) -> list[Press]:
    """What people, or a payment that came in, took out of the queue, when they did."""
    taken = messages[(messages["state"] == State.CANCELLED) & messages["ended_at"].notna()]
    return [
        Press(at, partial(_cancel, sender, seq))
        for at, sender, seq in sorted(
            zip(taken["ended_at"].tolist(), taken["sender"], taken.index.tolist(), strict=True)
        )
    ]


def _pauses(lanes: pd.DataFrame | None) -> list[Press]:
    """What people held, and let go."""
    if lanes is None:
        return []
    held = lanes[lanes["event"].isin(["pause", "resume"]) & lanes["sender"].notna()]
    return [
        Press(int(at), partial(_hold if event == "pause" else _let_go, sender))
        for at, event, sender in zip(held["at"], held["event"], held["sender"], strict=True)
    ]


def _hold(sender: str, model: Model) -> None:
    now = int(model.env.now)
    model.lane_of(sender).change(lambda lane: control.pause(lane, "as recorded", now), "pause")


def _let_go(sender: str, model: Model) -> None:
    model.lane_of(sender).change(control.resume, "resume")


def _cancel(sender: str, seq: int, model: Model) -> None:
    model.lane_of(sender).cancel(seq, "as recorded")


def _column(values: "pd.Series[int]") -> Ints:
    return np.array(values, dtype=np.int64)


def _answers(
    calls: pd.DataFrame, row: dict[int, int]
) -> dict[tuple[int, int], tuple[Outcome, int]]:
    took = calls["finished_at"] - calls["called_at"]
    return {
        (row[seq], number): (_OUTCOMES[outcome], max(1, int(latency)))
        for seq, number, outcome, latency in zip(
            calls["seq"], calls["number"], calls["outcome"], took, strict=True
        )
        if outcome in _OUTCOMES
    }


def _compared(run: Run, calls: pd.DataFrame) -> Replayed:
    key = ["message_id", "number"]
    theirs = run.attempt_rows()[[*key, "called_at"]].rename(columns={"called_at": "modelled_at"})
    recorded = calls[[*key, "sender", "priority", "called_at"]]
    both = recorded.merge(theirs, on=key, how="inner")
    both["off_s"] = (both["modelled_at"] - both["called_at"]) / 1e6
    return Replayed(run, both, len(recorded) - len(both), len(theirs) - len(both))
