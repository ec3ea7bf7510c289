"""Did anything go before what should have gone first? P3, by what was known when a call was made.

A message has to go before a call if it was acknowledged and due some time before it, has not been
called yet, and its place is before the called one's: its priority is higher, or the same and it was
due first. Of two that were handed over at the same time, one may be stamped and the other numbered
first; either may go. One that has been called waits for its backoff; nobody outside knows it.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from loadtests.verdict.evidence import Evidence, message_of
from loadtests.verdict.finding import Finding, counted, finding
from loadtests.verdict.owners import EARLY_US
from loadtests.verdict.records import PRIORITIES, Call, Message

Place = tuple[int, int]  # First-due instant, sequence: the order inside a priority.


class Overtaken(NamedTuple):
    """A call, and a message that should have had its turn."""

    call: Call
    called: Message
    waiting: Message


def check(evidence: Evidence) -> Finding:
    """Replay every lane from outside."""
    overtaken = [
        one for sender, lane in evidence.lanes.items() for one in _in_lane(evidence, sender, lane)
    ]
    kinds = Counter(
        "of a higher priority" if one.waiting.rank < one.called.rank else "of the same priority"
        for one in overtaken
    )
    problems = [
        f"call {one.call.call}, of {evidence.described(one.called.id)}, went before "
        f"{evidence.described(one.waiting.id)}, which had been waiting"
        for one in overtaken
    ]
    slack_ms = evidence.run.limits.order_slack_ms
    return finding(
        "order",
        "Was the order kept?",
        f"{counted(len(problems), 'inversion')} in {counted(len(evidence.calls), 'call')}",
        problems,
        {
            "inversions": len(problems),
            "slack, ms": slack_ms,
            **{f"before one {kind}": number for kind, number in kinds.items()},
        },
    )


def _in_lane(evidence: Evidence, sender: str, lane: Sequence[Call]) -> Iterator[Overtaken]:
    waiting = _Waiting(_known(evidence, sender))
    seen: set[str] = set()
    for call in lane:
        called = message_of(evidence, call)
        if called is None:
            continue
        at = _claimed_at(evidence, called.id, call)
        if called.id not in seen:
            seen.add(called.id)
            waiting.take(called.id)
        first = waiting.first_before(called, at)
        if first is not None:
            yield Overtaken(call, called, first)


def _known(evidence: Evidence, sender: str) -> list[tuple[int, Message]]:
    """The sender's messages by when a call had to know of them: acknowledged and due, and slack."""
    slack_us = round(evidence.run.limits.order_slack_ms * 1_000)
    return sorted(
        (
            (max(one.acknowledged_at, evidence.messages[id_].due_at) + slack_us, message)
            for id_, one in evidence.acknowledged.items()
            if (message := evidence.messages.get(id_)) is not None and message.sender == sender
        ),
        key=lambda entry: entry[0],
    )


def _claimed_at(evidence: Evidence, id_: str, call: Call) -> int:
    """When a call's message was chosen, as nearly as the database tells; else its arrival."""
    begun = [
        attempt.claimed_at or attempt.called_at
        for attempt in evidence.attempts.get(id_, ())
        if attempt.called_at is not None and attempt.called_at <= call.arrived_at + EARLY_US
    ]
    return min(call.arrived_at, max(begun, default=call.arrived_at))


class _Waiting:
    """The messages of a lane that have not been called yet, by priority."""

    def __init__(self, known: list[tuple[int, Message]]) -> None:
        self._coming = known[::-1]
        self._heaps: dict[int, list[tuple[Place, str, Message]]] = defaultdict(list)
        self._taken: set[str] = set()

    def take(self, id_: str) -> None:
        """A message has its first call."""
        self._taken.add(id_)

    def first_before(self, called: Message, at: int) -> Message | None:
        """A message that was waiting at an instant and had to go before the called one."""
        while self._coming and self._coming[-1][0] <= at:
            message = self._coming.pop()[1]
            heapq.heappush(self._heaps[message.rank], (_place(message), message.id, message))
        for rank in range(min(called.rank + 1, len(PRIORITIES))):
            head = self._head(rank, at)
            if head is None:
                continue
            if rank < called.rank or _is_before(head, called):
                return head
            if _place(head) < _place(called):  # It came at the same time: perhaps others did not.
                return next(self._all_before(called, at), None)
        return None

    def _all_before(self, called: Message, at: int) -> Iterator[Message]:
        for _, _, message in self._heaps[called.rank]:
            if self._waits(message, at) and _is_before(message, called):
                yield message

    def _head(self, rank: int, at: int) -> Message | None:
        heap = self._heaps[rank]
        while heap:
            if self._waits(heap[0][2], at):
                return heap[0][2]
            heapq.heappop(heap)
        return None

    def _waits(self, message: Message, at: int) -> bool:
        # Cancelled, expired or resolved by hand meanwhile: it waits no more.
        gone = message.ended_at is not None and message.ended_at <= at
        return not gone and message.id not in self._taken


def _is_before(waiting: Message, called: Message) -> bool:
    """Whether of two of one priority one was plainly due first."""
    scheduled = waiting.send_at is not None or called.send_at is not None
    return _place(waiting) < _place(called) and (scheduled or waiting.seq < called.seq)


def _place(message: Message) -> Place:
    return (message.due_at, message.seq)
