"""How sure a share is that was counted."""

from scipy.special import betaincinv

OUTSIDE = 0.05
"""The chance that the true share lies outside, at most."""


def interval(hits: int, of: int) -> tuple[float, float]:
    """The exact 95 % interval of a share, from `hits` among independent trials.

    Source: C. Clopper and E. Pearson, "The use of confidence or fiducial limits", Biometrika 26,
    1934, by the beta function's inverse.
    """
    low = float(betaincinv(hits, of - hits + 1, OUTSIDE / 2)) if hits else 0.0
    high = float(betaincinv(hits + 1, of - hits, 1 - OUTSIDE / 2)) if hits < of else 1.0
    return low, high
