"""When each lane wants the next look: a heap, so that a dispatcher sleeps exactly until then."""

import heapq

from waqcore.core.instants import NEVER

SLACK = 64
"""Forgotten entries kept beyond one for each lane, before the heap is made anew."""


class Wakes:
    """The next instant of each lane; setting one anew forgets the old."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        self._at: dict[str, int] = {}

    def set(self, sender: str, at: int) -> None:
        """Wake a lane at an instant; NEVER: only on news."""
        if self._at.get(sender) == at:
            return
        self._at[sender] = at
        if at < NEVER:
            heapq.heappush(self._heap, (at, sender))
        if len(self._heap) > 2 * len(self._at) + SLACK:
            self._heap = [(at, sender) for sender, at in self._at.items() if at < NEVER]
            heapq.heapify(self._heap)

    def earliest(self) -> int:
        """The first instant any lane waits for; NEVER if none does."""
        while self._heap and self._at.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else NEVER

    def pop_due(self, now: int, limit: int) -> list[str]:
        """Take out the lanes whose instant has come, the longest waiting first, up to a limit."""
        due: list[str] = []
        while len(due) < limit and self.earliest() <= now:
            _, sender = heapq.heappop(self._heap)
            self._at[sender] = NEVER
            due.append(sender)
        return due
