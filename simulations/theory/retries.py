"""Calls that fail independently and come back to their place at once: a geometric service."""


def mean_calls(failure: float, max_attempts: int | None) -> float:
    """The mean number of calls a message takes: (1-p^m) / (1-p); None: it is never given up.

    Source: W. Feller, An Introduction to Probability Theory I, 1968, XI.1: E[G] = ΣP(G>k).
    """
    kept = 0.0 if max_attempts is None else failure**max_attempts
    return (1 - kept) / (1 - failure)


def mean_square_calls(failure: float, max_attempts: int | None) -> float:
    """The mean square of the number of calls: Σ_{k<m}(2k+1)p^k, (1+p) / (1-p)² without a limit.

    Source: Feller I, XI.1: E[G²] = Σ(2k+1)·P(G>k).
    """
    if max_attempts is None:
        return (1 + failure) / (1 - failure) ** 2
    return sum((2 * calls + 1) * failure**calls for calls in range(max_attempts))


def mean_wait(load: float, pace: float, failure: float, max_attempts: int | None) -> float:
    """The mean wait for the first call, in the unit of `pace`.

    `load` counts messages, not their retries. A message that keeps its place holds the lane for
    D·G, G its calls, which is M/G/1: λE[S²] / (2(1-λE[S])).
    Source: L. Takács, "A single-server queue with feedback", Bell Syst. Tech. J. 42, 1963, for
    feedback as a geometric service; L. Kleinrock, Queueing Systems I, 1975, chapter 5, for
    M/G/1.

    Raises:
        ValueError: the lane cannot keep up with the calls.
    """
    used = load * mean_calls(failure, max_attempts)
    if not 0 <= used < 1:
        raise ValueError(f"a lane keeps up with less than one call a pace, not with {used}")
    return pace * load * mean_square_calls(failure, max_attempts) / (2 * (1 - used))
