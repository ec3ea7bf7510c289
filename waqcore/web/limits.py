"""How often the holder of a token may come: a bucket for each, refilled as time goes by."""

import math
import time
from collections.abc import Callable

from litestar.exceptions import TooManyRequestsException

AT_ONCE_S = 5.0
"""Seconds' worth of requests that may come at once."""


class Limits:
    """Buckets by name; there are as many as there are tokens, so that nothing is ever forgotten."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._per_second = per_second
        self._full = max(1.0, per_second * AT_ONCE_S)
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, name: str) -> None:
        """Let one request through.

        Raises:
            TooManyRequestsException: it came too soon; its header says when to come again.
        """
        now = self._clock()
        left, at = self._buckets.get(name, (self._full, now))
        left = min(self._full, left + (now - at) * self._per_second)
        if left < 1:
            self._buckets[name] = (left, now)
            wait_s = math.ceil((1 - left) / self._per_second)
            raise TooManyRequestsException(
                f"the token {name!r} comes more often than {self._per_second:g} times a second "
                f"(WAQ_API_PER_SECOND): come again in {wait_s} s",
                headers={"Retry-After": str(wait_s)},
            )
        self._buckets[name] = (left - 1, now)
