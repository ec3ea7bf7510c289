"""Two dispatchers on one database; one dies in the middle of a call."""

import signal
from collections import Counter
from pathlib import Path

from tests.chaos.evidence import InFlight, Witness
from tests.chaos.judge import Handed, judge
from tests.chaos.stage import Process, Stage, now_us, staged
from waqcore import Queue

LEASE_S = 15.0
PACE_S = 0.2
LATE_S = 1.0
"""For a call at its pace on a busy machine."""
EACH = 20
"""Messages of each sender: about five seconds' worth."""


def test_two_dispatchers_share_a_database_and_one_takes_over_when_the_other_is_killed(
    tmp_path: Path,
) -> None:
    with staged(tmp_path, pace_s=PACE_S, senders=4, latency_ms="50-150", seed=2) as stage:
        witness = Witness(stage.url, stage.database)
        pair = [stage.dispatching(), stage.dispatching()]
        pair[1].wait_for("both at work", lambda: witness.dispatchers() == 2, within_s=30)
        handed = _hand_over(stage)

        cut, killed_us = _kill_mid_call(pair[0], witness)
        pair[1].wait_for("the rest sent", lambda: witness.unended() == 0, within_s=60)

        found = judge(
            handed,
            witness.rows(),
            witness.calls(),
            Counter(one.id for one in cut if one.begun),
            pace_us=stage.pace_us,
            ended=True,
        )
        assert any(one.begun for one in cut)
        assert found.problems == []
        assert witness.torn() == []
        waits_s = _waits_s(witness, killed_us)
        held_up = {one.sender for one in cut}
        assert max(waits_s.values()) <= LEASE_S + PACE_S + LATE_S
        assert {sender for sender, wait_s in waits_s.items() if wait_s > LATE_S} <= held_up


def _hand_over(stage: Stage) -> list[Handed]:
    handed: list[Handed] = []
    with Queue.from_env(stage.environ) as queue:
        for n in range(EACH * len(stage.senders)):
            body = f"pair {n}"
            message = queue.enqueue(
                f"08123{n:07d}",
                body,
                sender=stage.senders[n % len(stage.senders)],
                priority=("high", "normal", "low")[n % 3],
            )
            handed.append(Handed(message.id, body, now_us()))
    return handed


def _kill_mid_call(process: Process, witness: Witness) -> tuple[list[InFlight], int]:
    """Kill a dispatcher in a call, once both have called; returns what that cut, and when."""
    callers: set[int] = set()

    def calling() -> bool:
        callers.update(one.pid for one in witness.in_flight() if one.begun)
        return len(callers) == 2 and any(one.begun for one in _of(process, witness))

    def frozen_in_a_call() -> bool:
        if not calling():
            return False
        process.signal(signal.SIGSTOP)  # Else the call might end between the look and the kill.
        if calling():
            return True
        process.signal(signal.SIGCONT)
        return False

    process.wait_for("a call, after calls by both", frozen_in_a_call, within_s=30)
    process.kill()
    return _of(process, witness), now_us()


def _of(process: Process, witness: Witness) -> list[InFlight]:
    return [one for one in witness.in_flight() if one.pid == process.pid]


def _waits_s(witness: Witness, since_us: int) -> dict[str, float]:
    """How long each sender waited for its next call."""
    waits_s: dict[str, float] = {}
    for call in witness.calls():
        if call.arrived_us > since_us:
            waits_s.setdefault(call.sender, (call.arrived_us - since_us) / 1_000_000)
    return waits_s
