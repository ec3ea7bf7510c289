"""A token's bucket lets a burst through, and then so many a second."""

import pytest
from litestar.exceptions import TooManyRequestsException

from waqcore.web.limits import AT_ONCE_S, Limits


def test_a_burst_passes_and_then_as_many_as_time_allows() -> None:
    now = [0.0]
    limits = Limits(2.0, clock=lambda: now[0])

    for _ in range(int(2 * AT_ONCE_S)):
        limits.take("site")
    with pytest.raises(TooManyRequestsException, match="come again in 1 s"):
        limits.take("site")
    now[0] += 0.5
    limits.take("site")

    limits.take("another")  # Has a bucket of its own.
