"""How late calls were, by the attempt rows of a database."""

import itertools
from collections.abc import Iterator, Sequence

CALLS = (
    "SELECT sender, called_at, finished_at - started_at FROM waq_attempt "
    "JOIN waq_message ON seq = message_seq WHERE called_at IS NOT NULL ORDER BY sender, called_at"
)
GUARD_US = 250_000

Call = tuple[str, int, int]
"""Its sender, when it was made, and how long its message was held; both in microseconds."""


def lateness_ms(calls: Sequence[Call], pace_s: float) -> Iterator[float]:
    """How long after its lane was ready each call but a lane's first left."""
    for (sender, called_at, took_us), (next_sender, next_at, _) in itertools.pairwise(calls):
        if sender == next_sender:
            ready_at = called_at + round(pace_s * 1_000_000) + min(took_us, GUARD_US)
            yield (next_at - ready_at) / 1_000
