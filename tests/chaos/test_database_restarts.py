"""The database server is restarted, and crashes, while two dispatchers work on it."""

import signal
import threading
import time
from collections import Counter
from pathlib import Path

from tests.chaos.evidence import Witness
from tests.chaos.judge import Handed, judge
from tests.chaos.stage import Stage, now_us, staged
from tests.postgres import server
from waqcore import Queue
from waqcore.store.errors import DoubtfulCommitError, StoreError

PACE_S = 0.3
EACH = 25
"""Messages of each sender: some eight seconds' worth."""
RESTARTS = (signal.SIGINT, signal.SIGQUIT, signal.SIGINT)
"""A fast shutdown cuts everybody off; SIGQUIT is a crash, and what is on disk is all there is."""


def test_nothing_is_lost_or_hurried_when_the_server_restarts(tmp_path: Path) -> None:
    with (
        server() as postgres,
        postgres.database() as url,
        staged(
            tmp_path, pace_s=PACE_S, senders=3, latency_ms="20-120", seed=5, database_url=url
        ) as stage,
    ):
        witness = Witness(stage.url, url)
        handed: list[Handed] = []
        pair = [stage.dispatching(), stage.dispatching()]
        pair[1].wait_for("both at work", lambda: witness.dispatchers() == 2, within_s=30)
        handing = threading.Thread(target=_hand_over, args=(stage, handed))
        handing.start()

        for how in RESTARTS:
            time.sleep(2)
            postgres.restart(how)
        handing.join()
        pair[0].wait_for("the rest sent", lambda: witness.unended() == 0, within_s=60)

        found = judge(
            handed, witness.rows(), witness.calls(), Counter(), pace_us=stage.pace_us, ended=True
        )
        assert len(handed) > EACH
        assert found.problems == []
        assert witness.torn() == []


def _hand_over(stage: Stage, handed: list[Handed]) -> None:
    """Hand messages over, each again where it was refused for want of the server."""
    with Queue.from_env(stage.environ) as queue:
        for n in range(EACH * len(stage.senders)):
            sender = stage.senders[n % len(stage.senders)]
            body = f"restart {n}"
            while True:
                try:
                    message = queue.enqueue(
                        f"08123{n:07d}", body, sender=sender, idempotency_key=f"{n}"
                    )
                except (DoubtfulCommitError, StoreError):
                    time.sleep(0.1)
                else:
                    handed.append(Handed(message.id, body, now_us()))
                    break
            time.sleep(0.08)
