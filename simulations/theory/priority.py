"""Several priorities in one lane; a call that has begun is not interrupted."""

from collections.abc import Sequence
from itertools import accumulate
from math import inf


def mean_waits(loads: Sequence[float], pace: float) -> list[float]:
    """The mean wait of each priority, highest first, in the unit of `pace`.

    W_k = R / ((1-s_{k-1})(1-s_k)), where s_k is the load of the first k priorities together and R
    what is left, on average, of the pace that an arrival finds running: D·rho/2. Where all together
    are more than the lane can send, a pace always runs, R = D/2, and those with s_k ≥ 1 wait ever
    longer (`inf`).
    Source: A. Cobham, "Priority assignment in waiting line problems", Oper. Res. 2(1), 1954;
    L. Kleinrock, Queueing Systems II, 1976, chapter 3.
    """
    loads_up_to = list(accumulate(loads))
    left_of_pace = pace * min(1.0, loads_up_to[-1]) / 2
    return [
        left_of_pace / ((1 - (up_to - load)) * (1 - up_to)) if up_to < 1 else inf
        for load, up_to in zip(loads, loads_up_to, strict=True)
    ]


def load_weighted_wait(loads: Sequence[float], waits: Sequence[float]) -> float:
    """What no order can change: Σrho_k·W_k, in the unit of `waits`.

    Under every work-conserving rule it is rho times the wait of M/D/1 with the whole load rho.
    Source: L. Kleinrock, "A conservation law for a wide class of queueing disciplines", Naval Res.
    Logist. Quart. 12, 1965.
    """
    return sum(load * wait for load, wait in zip(loads, waits, strict=True))
