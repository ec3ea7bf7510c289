"""Single arrivals, one priority, no failures: the queue M/D/1."""

from math import exp, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.signal import lfilter
from scipy.special import gammainc
from scipy.stats import poisson

Floats = NDArray[np.float64]

TERMS = 64
"""Arrivals counted in one pace: with fewer than one expected, more come once in 10^89 paces."""
SHARE_MAX = 1 - 1e-9
"""The distribution is a sum of rounded numbers, exact to some 10^-13."""


def mean_wait(load: float, pace: float) -> float:
    """The mean wait: D·rho / (2(1-rho)), in the unit of `pace`.

    Source: F. Pollaczek, "Über eine Aufgabe der Wahrscheinlichkeitstheorie", Math. Z. 32, 1930;
    L. Kleinrock, Queueing Systems I, 1975, chapter 5.
    """
    _below_one(load)
    return pace * load / (2 * (1 - load))


def sd_wait(load: float, pace: float) -> float:
    """The standard deviation of the wait, in the unit of `pace`.

    Its square is E[W]² + D²·rho / (3(1-rho)), from E[W²] = 2E[W]² + λE[S³] / (3(1-rho)).
    Source: L. Takács, Introduction to the Theory of Queues, 1962; Kleinrock I, chapter 5.
    """
    return sqrt(mean_wait(load, pace) ** 2 + pace**2 * load / (3 * (1 - load)))


def waiting_probability(load: float) -> float:
    """The share of messages that wait at all: rho.

    Source: Poisson arrivals see time averages; R. W. Wolff, Oper. Res. 30(2), 1982.
    """
    _below_one(load)
    return load


def cdf(wait: ArrayLike, load: float, pace: float) -> Floats:
    """The probability that a message waits no longer than `wait`, in the unit of `pace`.

    With k = ⌊w/D⌋ + 1, W ≤ w if and only if those in queue kD - w before an arrival, and those that
    came since, are fewer than k. Every term is positive; Erlang's sum of 1909 alternates and has
    lost all its digits at a wait of 30 paces and a load of 0.95.
    Source: G. J. Franx, "A simple solution for the M/D/c waiting time distribution", Oper. Res.
    Letters 29(5), 2001, with c = 1.
    """
    paces = np.atleast_1d(np.asarray(wait, dtype=np.float64)) / pace
    k = np.floor(np.maximum(paces, 0)).astype(np.int64) + 1
    expected = load * (k - np.maximum(paces, 0))
    at_most = np.cumsum(in_lane(load, int(k.max(initial=1)) + 1))[1:]  # By number in the queue.
    total = np.zeros_like(paces)
    for came in range(min(TERMS, int(k.max(initial=1)))):
        left = k - 1 - came
        chance = poisson.pmf(came, expected) * at_most[np.maximum(left, 0)]
        total += np.where(left >= 0, chance, 0.0)
    return np.where(paces < 0, 0.0, np.minimum(total, 1.0)).reshape(np.shape(wait))


def quantile(share: float, load: float, pace: float) -> float:
    """The wait that `share` of the messages do not exceed, in the unit of `pace`.

    Raises:
        ValueError: `share` is not in [0, 1), or so near 1 that rounding would decide.
    """
    if not 0 <= share <= SHARE_MAX:
        raise ValueError(f"{share} is not between 0 and {SHARE_MAX}")
    if share <= 1 - waiting_probability(load):
        return 0.0
    high = pace
    while float(cdf(high, load, pace)) < share:
        high *= 2
    return float(brentq(lambda wait: float(cdf(wait, load, pace)) - share, 0, high, xtol=1e-12))


def in_lane(load: float, up_to: int) -> Floats:
    """The probabilities of 0 … `up_to` messages queued or holding the pace, at any instant.

    p₀ = 1-rho and p_j = t_{j-1}·p₀ + Σ_{k=1..j} t_{j-k}·p_k, where t_n is the chance of more than n
    arrivals in a pace: upward and downward crossings of a level balance. No term is negative, so
    no digits are lost, at any load.
    Source: H. C. Tijms, A First Course in Stochastic Models, 2003, section 9.2, for M/G/1.
    """
    _below_one(load)
    tails = gammainc(np.arange(1, TERMS + 1), load)
    ratio = np.concatenate([[exp(-load)], -tails[1:]])
    start = np.zeros(max(1, up_to))
    start[0] = 1 - load
    return np.concatenate([[1 - load], lfilter(tails, ratio, start)])[: up_to + 1]


def _below_one(load: float) -> None:
    if not 0 <= load < 1:
        raise ValueError(f"a lane keeps up with a load below 1, not with {load}")
