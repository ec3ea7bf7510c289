"""When a lane's calls start, exactly and for any arrivals, by another road than the core's.

It holds where no call fails, each is answered within the pace, and nothing but the pace makes a
message wait: no guard, jitter, pause, quiet hours or cap. All instants are whole microseconds.
"""

from collections.abc import Sequence
from heapq import heappop, heappush

import numpy as np

from simulations.workload import Ints


def send_instants(due: Ints, pace_us: int) -> Ints:
    """The instants at which calls start, in order, whatever rule says whose they are.

    Each is the later of the next first-due instant and the last call plus the pace, which unrolls
    to k + max-so-far(sorted due - k), k = pace·(0, 1, 2, …).
    Source: D. V. Lindley, "The theory of queues with a single server", Proc. Camb. Phil. Soc. 48,
    1952, its recursion unrolled.
    """
    slots = pace_us * np.arange(len(due), dtype=np.int64)
    return slots + np.maximum.accumulate(np.sort(due) - slots)


def fifo_waits_us(due: Ints, pace_us: int) -> Ints:
    """What each message waits where the first due goes first; `due` must not fall."""
    return send_instants(due, pace_us) - due


def total_wait_us(due: Ints, pace_us: int) -> int:
    """What all messages together wait: a rule can hand waiting over, never create or remove it.

    Source: the conservation law path by path, L. Kleinrock, Naval Res. Logist. Quart. 12, 1965.
    """
    return int(send_instants(due, pace_us).sum() - due.sum())


def timeline(due: Ints, places: Sequence[tuple[int, ...]], pace_us: int) -> Ints:
    """By message, when its call starts: each slot goes to the smallest place then due.

    A message that falls due at the very instant of a slot takes part in it.
    """
    starts = np.empty_like(due)
    coming = sorted(range(len(due)), key=lambda n: int(due[n]), reverse=True)
    waiting: list[tuple[tuple[int, ...], int]] = []
    for slot in send_instants(due, pace_us).tolist():
        while coming and due[coming[-1]] <= slot:
            n = coming.pop()
            heappush(waiting, (places[n], n))
        starts[heappop(waiting)[1]] = slot
    return starts
