"""Two dispatchers on one file; one dies in the middle of a call, and only its lease tells.

On a server: `hosts`.
"""

import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.evidence import InFlight, Witness
from tests.chaos.judge import Handed, judge
from tests.chaos.stage import Process, Stage, now_us, staged
from waqcore import Queue

LEASE_S = 12.0
PACE_S = 0.2
LATE_S = 1.0
"""For a call at its pace on a busy machine."""
EACH = 8
"""Messages of each sender: about two seconds' worth."""


def test_two_dispatchers_share_a_database_and_one_takes_over_when_the_other_is_killed(
    tmp_path: Path,
) -> None:
    with staged(tmp_path, pace_s=PACE_S, senders=4, latency_ms="50-150", seed=2) as stage:
        witness = Witness(stage.url, stage.database)
        pair = [stage.dispatching(), stage.dispatching()]
        pair[1].wait_for("both at work", lambda: witness.dispatchers() == 2, within_s=30)
        handed = _hand_over(stage)

        died, cut, killed_us = _kill_one_mid_call(pair, witness)
        (survivor,) = (process for process in pair if process is not died)
        survivor.wait_for("the rest sent", lambda: witness.unended() == 0, within_s=60)

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
        assert max(_waits_s(witness, killed_us)) <= LEASE_S + PACE_S + LATE_S


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


def _kill_one_mid_call(
    pair: Sequence[Process], witness: Witness
) -> tuple[Process, list[InFlight], int]:
    """Kill whichever is seen in a call first; returns it, what that cut, and when."""

    frozen: list[Process] = []

    def calling() -> list[Process]:
        pids = {one.pid for one in witness.in_flight() if one.begun}
        return [process for process in pair if process.pid in pids]

    def frozen_in_a_call() -> bool:
        for process in calling()[:1]:
            process.signal(signal.SIGSTOP)  # Else the call might end between the look and the kill.
            if process in calling():
                frozen.append(process)
            else:
                process.signal(signal.SIGCONT)
        return bool(frozen)

    pair[0].wait_for("a call", frozen_in_a_call, within_s=30)
    (process,) = frozen
    process.kill()
    killed_us = now_us()
    return process, [one for one in witness.in_flight() if one.pid == process.pid], killed_us


def _waits_s(witness: Witness, since_us: int) -> list[float]:
    """How long each sender waited for its next call."""
    waits_s: dict[str, float] = {}
    for call in witness.calls():
        if call.arrived_us > since_us:
            waits_s.setdefault(call.sender, (call.arrived_us - since_us) / 1_000_000)
    return list(waits_s.values())
