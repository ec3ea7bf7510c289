"""Processes that end: a dispatcher that is asked to, and an application that is killed."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.chaos.evidence import Witness
from tests.chaos.judge import Handed, judge
from tests.chaos.stage import PROJECT, now_us, staged
from waqcore import Queue

LATENCY_S = 0.5
LATE_S = 4.0
"""For the last turn, and for Python to end, on a busy machine."""

ENQUEUE_FOR_EVER = """
import os, threading
from waqcore import Queue

queue = Queue.from_env(os.environ)

def hand_over(thread):
    for n in range(10**6):
        message = queue.enqueue(f"0812{thread}{n:07d}", f"text {thread} {n}")
        os.write(1, f"{message.id}\\n".encode())  # In one piece, whatever the others write.

for thread in range(4):
    threading.Thread(target=hand_over, args=(thread,)).start()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_calls_in_flight_end_and_leaves_nothing_behind(
    tmp_path: Path, number: signal.Signals
) -> None:
    with staged(tmp_path, pace_s=0.2, senders=3, latency_ms="400-500") as stage:
        with Queue.from_env(stage.environ) as queue:
            handed = [
                Handed(queue.enqueue(f"08123{n:07d}", f"end {n}", sender=sender).id, f"end {n}", 0)
                for n, sender in enumerate(stage.senders * 5)
            ]
        witness = Witness(stage.url, stage.database)
        process = stage.dispatching()
        process.wait_for(
            "calls in flight",
            lambda: sum(one.begun for one in witness.in_flight()) == len(stage.senders),
            within_s=30,
        )

        signalled_us = now_us()
        process.signal(number)
        code = process.ends(within_s=30)
        took_s = (now_us() - signalled_us) / 1e6

        found = judge(
            handed,
            witness.rows(),
            witness.calls(),
            {},
            pace_us=stage.pace_us,
            ended=False,
        )
        assert code == 0, process.complaints()
        assert took_s < LATENCY_S + LATE_S
        assert found.problems == []
        assert found.delivered >= len(stage.senders)
        assert witness.in_flight() == []
        assert witness.dispatchers() == 0
        assert stage.errors() == 0


@pytest.mark.parametrize("after_s", [0.1, 0.25, 0.4])
def test_killing_a_process_that_enqueues_loses_nothing_it_was_told_is_queued(
    tmp_path: Path, after_s: float
) -> None:
    with staged(tmp_path, pace_s=0.2) as stage:
        with subprocess.Popen(
            [sys.executable, "-c", ENQUEUE_FOR_EVER],
            cwd=PROJECT,
            env=stage.inherited(),
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            first = process.stdout.readline()
            time.sleep(after_s)
            process.kill()
            acknowledged = [first, *process.stdout]

        stored = [row.id for row in Witness(stage.url, stage.database).rows()]
        complete = [line.strip() for line in acknowledged if line.endswith("\n")]
        assert len(complete) > 10
        assert len(stored) == len(set(stored))
        assert set(complete) <= set(stored)
