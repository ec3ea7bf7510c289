"""How many slots pass: each slot's calls breed others, by arrivals during it or by failing."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln, xlogy

Floats = NDArray[np.float64]


def borel_tanner(slots: ArrayLike, waiting: int, load: float) -> Floats:
    """The probability that a lane with `waiting` messages is idle after exactly `slots` calls.

    P(N=n) = k/n · e^(-μn)·(μn)^(n-k) / (n-k)!, μ = `load`; with one waiting, Borel's law of a busy
    period.
    Source: É. Borel, C. R. Acad. Sci. Paris 214, 1942; J. C. Tanner, "A derivation of the Borel
    distribution", Biometrika 48, 1961.
    """
    n = np.asarray(slots, dtype=np.float64)
    come = np.maximum(n - waiting, 0)
    at_least = np.maximum(n, 1)
    log: Floats = xlogy(come, load * at_least) - load * n - gammaln(come + 1)
    return np.where(n >= waiting, waiting / at_least * np.exp(log), 0.0)


def generalized_poisson(extra: ArrayLike, expected: float, load: float) -> Floats:
    """The probability that exactly `extra` messages of a higher rank go before one that waits.

    P(M=m) = θ(θ+mμ)^(m-1)·e^(-θ-mμ) / m!, where θ = `expected` is how many come in the time it
    would wait without them, and μ = `load` how many in each slot that they add.
    Source: P. C. Consul and G. C. Jain, "A generalization of the Poisson distribution",
    Technometrics 15(4), 1973; as the delay cycle of a queue: R. W. Conway, W. L. Maxwell and
    L. W. Miller, Theory of Scheduling, 1967, chapter 8.
    """
    m = np.asarray(extra, dtype=np.float64)
    some = np.maximum(m, 1)
    grown = expected + some * load
    log = xlogy(some - 1, grown) - grown - gammaln(some + 1)
    return np.where(m == 0, np.exp(-expected), expected * np.exp(log))


def total_progeny(offspring: ArrayLike, ancestors: int, up_to: int) -> Floats:
    """The probabilities of 0 … `up_to` individuals in all, those `ancestors` included.

    P(N=n) = k/n · P(ξ₁+…+ξ_n = n-k), where `offspring` gives P(ξ = 0), P(ξ = 1), …; the work grows
    with the square of `up_to`.
    Source: R. Otter, "The multiplicative process", Ann. Math. Statist. 20, 1949; M. Dwass, "The
    total progeny in a branching process", J. Appl. Probab. 6, 1969.
    """
    each = np.asarray(offspring, dtype=np.float64)
    result = np.zeros(up_to + 1)
    of_all = np.ones(1)
    for n in range(1, up_to + 1):
        of_all = np.convolve(of_all, each)[: up_to + 1]
        if ancestors <= n < ancestors + len(of_all):
            result[n] = ancestors / n * of_all[n - ancestors]
    return result
