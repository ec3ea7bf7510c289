"""One lane's queue in memory: it answers what the store's queries answer, and decides nothing."""

from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush

from waqcore.core.instants import NEVER
from waqcore.core.message import Message, Priority


class _Priority:
    """The due messages of one priority: those for at once by sequence, the others by `send_at`."""

    __slots__ = ("fresh", "returned", "scheduled")

    def __init__(self) -> None:
        self.fresh: deque[Message] = deque()
        """Never called: their sequence only grows."""
        self.returned: list[tuple[int, Message]] = []
        """Heap by sequence: back in their old places."""
        self.scheduled: list[tuple[int, int, Message]] = []
        """Heap by `send_at` and sequence."""


class LaneQueue:
    """The queued messages of a lane."""

    def __init__(self) -> None:
        self._due = [_Priority() for _ in Priority]
        self._later: list[tuple[int, int, Message]] = []
        """Heap of those whose `send_at` has not come."""
        self._backing_off: list[tuple[int, int, Message]] = []
        """Heap by `retry_at`."""
        self._send_at: dict[int, int] = {}
        """Of the scheduled, by sequence."""
        self._gone: set[int] = set()
        """Those taken out where they stood, and dropped once they come to the front."""

    def __len__(self) -> int:
        return (
            sum(len(one.fresh) + len(one.returned) + len(one.scheduled) for one in self._due)
            + len(self._later)
            + len(self._backing_off)
            - len(self._gone)
        )

    def arrive(self, message: Message, send_at: int, now: int) -> None:
        """Take in a message as it is enqueued; one whose `send_at` has passed is for at once."""
        if send_at > now:
            self._send_at[message.seq] = send_at
            heappush(self._later, (send_at, message.seq, message))
        elif message.attempts:
            self.put_back(message, now)
        else:
            self._due[message.priority].fresh.append(message)

    def put_back(self, message: Message, now: int) -> None:
        """Take back a message that was called, into its old place once its backoff has ended."""
        if message.retry_at > now:
            heappush(self._backing_off, (message.retry_at, message.seq, message))
        else:
            self._place(message)

    def _place(self, message: Message) -> None:
        one = self._due[message.priority]
        send_at = self._send_at.get(message.seq)
        if send_at is None:
            heappush(one.returned, (message.seq, message))
        else:
            heappush(one.scheduled, (send_at, message.seq, message))

    def heads(self, now: int) -> tuple[Message, ...]:
        """The first due messages of each priority: at most one for at once and one scheduled."""
        if self._later or self._backing_off or self._gone:
            self._fall_due(now)
        heads: list[Message] = []
        for one in self._due:
            if one.returned:
                first = one.returned[0][1]
                if one.fresh and one.fresh[0].seq < first.seq:
                    first = one.fresh[0]
                heads.append(first)
            elif one.fresh:
                heads.append(one.fresh[0])
            if one.scheduled:
                heads.append(one.scheduled[0][2])
        return tuple(heads)

    def _fall_due(self, now: int) -> None:
        while self._later and self._later[0][0] <= now:
            self._place(heappop(self._later)[2])
        while self._backing_off and self._backing_off[0][0] <= now:
            self._place(heappop(self._backing_off)[2])
        if self._gone:
            self._forget_the_gone()

    def next_due_at(self) -> int:
        """When the next message that is not due yet falls due; `NEVER` if none waits for that."""
        later = self._later[0][0] if self._later else NEVER
        return min(later, self._backing_off[0][0]) if self._backing_off else later

    def take(self, head: Message) -> None:
        """Take a head out."""
        one = self._due[head.priority]
        if one.fresh and one.fresh[0] is head:
            one.fresh.popleft()
        elif one.returned and one.returned[0][1] is head:
            heappop(one.returned)
        else:
            assert one.scheduled[0][2] is head
            heappop(one.scheduled)

    def remove(self, seq: int) -> Message | None:
        """Take a message out wherever it stands; None if it is not queued here."""
        for message in self:
            if message.seq == seq:
                self._gone.add(seq)
                return message
        return None

    def __iter__(self) -> Iterator[Message]:
        for one in self._due:
            yield from (m for m in one.fresh if m.seq not in self._gone)
            yield from (m for _, m in one.returned if m.seq not in self._gone)
            yield from (m for *_, m in one.scheduled if m.seq not in self._gone)
        yield from (m for *_, m in self._later if m.seq not in self._gone)
        yield from (m for *_, m in self._backing_off if m.seq not in self._gone)

    def _forget_the_gone(self) -> None:
        gone = self._gone
        for one in self._due:
            while one.fresh and one.fresh[0].seq in gone:
                gone.discard(one.fresh.popleft().seq)
            while one.returned and one.returned[0][0] in gone:
                gone.discard(heappop(one.returned)[0])
            while one.scheduled and one.scheduled[0][1] in gone:
                gone.discard(heappop(one.scheduled)[1])
