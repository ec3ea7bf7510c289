"""Calls added up since the service began, whichever dispatcher made them: read off their rows."""

import bisect
from collections import Counter
from collections.abc import Sequence

from waqcore.core.instants import SECOND, seconds
from waqcore.core.message import Priority
from waqcore.store.measures import PORTION, Ended

LATE_US = 30 * SECOND
"""How long after its end a call's row may still come: its dispatcher settles when it can write."""

WAITS_S = (1, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 86_400)
CALLS_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

Outcomes = Counter[tuple[str, str]]


class Histogram:
    """How often a duration fell where."""

    def __init__(self, bounds_s: Sequence[float]) -> None:
        self._bounds_s = bounds_s
        self._counts = [0] * (len(bounds_s) + 1)
        self.sum_s = 0.0

    def add(self, duration_s: float) -> None:
        """Count one."""
        self._counts[bisect.bisect_left(self._bounds_s, duration_s)] += 1
        self.sum_s += duration_s

    def buckets(self) -> list[tuple[str, float]]:
        """How many were at most so long, by bound, as Prometheus has it."""
        total, result = 0, list[tuple[str, float]]()
        for bound, count in zip((*self._bounds_s, float("inf")), self._counts, strict=True):
            total += count
            result.append(("+Inf" if bound == float("inf") else f"{bound:g}", float(total)))
        return result


class Tally:
    """What has come of calls since it began."""

    def __init__(self, since: int) -> None:
        """`since` is on the wall: calls that ended before it are others' to count."""
        self._from = since
        self._taken: dict[tuple[int, int], int] = {}
        """The calls of the last moments, which are read again, and when they ended."""
        self._last_called: dict[str, int] = {}
        self.outcomes: Outcomes = Counter()
        """Calls by sender and outcome."""
        self.waits = {priority: Histogram(WAITS_S) for priority in Priority}
        """From the instant a message was first due to the start of its first call."""
        self.calls = Histogram(CALLS_S)
        self.gaps_s: dict[str, float] = {}
        """The smallest between the starts of two calls of each sender."""

    @property
    def reads_from(self) -> int:
        """From when on calls are to be read."""
        return self._from

    def take(self, found: Sequence[Ended]) -> bool:
        """Take in calls as they were read, some of them again; True if there are more to read."""
        fresh = [one for one in found if (one.message_seq, one.number) not in self._taken]
        for one in sorted(fresh, key=lambda one: one.called_at or 0):
            self._add(one)
        self._taken |= {(one.message_seq, one.number): one.finished_at for one in fresh}
        full, before = len(found) == PORTION, self._from
        if found:
            self._from = max(before, found[-1].finished_at - (0 if full else LATE_US))
        for key in [key for key, at in self._taken.items() if at < self._from]:
            del self._taken[key]
        return full and (bool(fresh) or self._from > before)

    def _add(self, one: Ended) -> None:
        self.outcomes[one.sender, one.outcome] += 1
        if one.number == 1:
            waited_s = seconds(max(0, one.started_at - one.due_at))
            self.waits[Priority(one.priority)].add(waited_s)
        if one.called_at is None:
            return
        self.calls.add(seconds(max(0, one.finished_at - one.started_at)))
        before = self._last_called.get(one.sender)
        self._last_called[one.sender] = max(one.called_at, before or 0)
        if before is not None:
            gap_s = seconds(abs(one.called_at - before))
            self.gaps_s[one.sender] = min(gap_s, self.gaps_s.get(one.sender, gap_s))
