"""How long a failed message, a refused lane or a failed probe waits."""

EXPONENT_MAX = 32
"""2 ** 32 microseconds times any base is past every cap; beyond it a power is only work."""


def ceiling(n: int, *, base_us: int, cap_us: int) -> int:
    """The longest wait after the *n*-th failure in a row (1-based), in microseconds.

    min(cap, base * 2 ** (n - 1)), the exponent capped before the power is taken.
    """
    assert n >= 1
    return min(cap_us, base_us << min(n - 1, EXPONENT_MAX))


def delay(n: int, *, base_us: int, cap_us: int, u: float) -> int:
    """Microseconds to wait after the *n*-th failure in a row: full jitter, u uniform in [0, 1).

    Source: M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
    """
    return int(u * ceiling(n, base_us=base_us, cap_us=cap_us))
