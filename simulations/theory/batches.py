"""Arrivals in batches: the queue M^[X]/D/1. A registration is a batch of its messages."""

from collections.abc import Mapping


def mean_wait(load: float, pace: float, sizes: Mapping[int, float]) -> float:
    """The mean wait of a message, in the unit of `pace`.

    `load` counts messages, not batches; `sizes` gives the probability of each batch size. The batch
    waits as one message with the service X·D would, and a message for those of its own batch before
    it: together D·(E[X²]/E[X] - 1 + rho) / (2(1-rho)).
    Source: P. J. Burke, "Delays in single-server queues with batch input", Oper. Res. 23(4), 1975.

    Raises:
        ValueError: the lane cannot keep up, or the probabilities do not add up to 1.
    """
    if not 0 <= load < 1 or abs(sum(sizes.values()) - 1) > 1e-9:
        raise ValueError(f"no steady state for a load of {load} in batches {dict(sizes)}")
    mean = sum(size * share for size, share in sizes.items())
    mean_square = sum(size**2 * share for size, share in sizes.items())
    return pace * (mean_square / mean - 1 + load) / (2 * (1 - load))
