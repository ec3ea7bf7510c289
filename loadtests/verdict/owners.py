"""Whose call is it? The gateway knows texts and recipients, the database neither.

By what Locust recorded with the 202, a call's message is the one to that recipient whose mark the
text holds; of those without a mark, the one that had an attempt at that time and no call nearer to
it, or one whose dispatcher died before it could tell. What Locust knows nothing of (a 202 lost in a
kill) is matched by time alone: a sender has one call in flight. A text that comes again is the same
message's.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from loadtests.verdict.records import US, Acknowledged, Attempt, Call

EARLY_US = 20_000
"""How long before the instant it was stamped as sent a call may have arrived: the stamp is taken
after the write."""
LATE_US = 2 * US
"""How far an attempt and its call may be apart on a machine that stalls, where the recipient says
that they belong together."""

_Text = tuple[str, tuple[str, ...], str]


def owners(
    calls: Sequence[Call],
    acknowledged: Mapping[str, Acknowledged],
    attempts: Iterable[Attempt],
) -> dict[int, str]:
    """The message of each call, by the call's number; a call that is not here is nobody's."""
    known = _Known(calls, acknowledged, attempts)
    found: dict[int, str] = {}
    of_text: dict[_Text, str] = {}
    for call in calls:
        owner = known.by_mark(call) or known.by_recipient(call) or known.by_time(call)
        if owner is not None:
            found[call.call] = of_text[_text(call)] = owner
    for call in calls:
        if call.call not in found and _text(call) in of_text:
            found[call.call] = of_text[_text(call)]
    return found


class _Known:
    """What Locust and the database know of messages, by recipient and by time."""

    def __init__(
        self,
        calls: Iterable[Call],
        acknowledged: Mapping[str, Acknowledged],
        attempts: Iterable[Attempt],
    ) -> None:
        self._calls: dict[tuple[str, str], list[int]] = defaultdict(list)
        for call in calls:
            for recipient in call.recipients:
                self._calls[call.sender, recipient].append(call.arrived_at)
        self._to: dict[str, list[Acknowledged]] = defaultdict(list)
        for one in acknowledged.values():
            if one.recipient is not None:
                self._to[one.recipient].append(one)
        self._attempts: dict[str, list[Attempt]] = defaultdict(list)
        self._lanes: dict[str, list[tuple[int, Attempt]]] = defaultdict(list)
        for attempt in attempts:
            self._attempts[attempt.message_id].append(attempt)
            promise = acknowledged.get(attempt.message_id)
            is_strange = promise is None or promise.recipient is None
            if attempt.called_at is not None and is_strange:
                self._lanes[attempt.sender].append((attempt.called_at, attempt))
        for lane in self._lanes.values():
            lane.sort(key=_instant)

    def by_mark(self, call: Call) -> str | None:
        marked = {
            one.id for one in self._sent_to(call) if one.mark is not None and one.mark in call.text
        }
        return marked.pop() if len(marked) == 1 else None

    def by_recipient(self, call: Call) -> str | None:
        plain = [one.id for one in self._sent_to(call) if one.mark is None]
        near = [
            (abs(attempt.called_at - call.arrived_at), id_)
            for id_ in plain
            for attempt in self._attempts.get(id_, ())
            if attempt.sender == call.sender
            and attempt.called_at is not None
            and self._is_nearest(call, attempt.called_at)
        ]
        if near and min(near)[0] <= LATE_US:
            return min(near)[1]
        untold = [id_ for id_ in plain if any(map(_is_untold, self._attempts.get(id_, ())))]
        return untold[0] if len(untold) == 1 else None

    def _is_nearest(self, call: Call, called_at: int) -> bool:
        """Whether no other call to the recipient was nearer: an attempt is of one call."""
        others = (at for one in call.recipients for at in self._calls[call.sender, one])
        return abs(called_at - call.arrived_at) <= min(abs(called_at - at) for at in others)

    def by_time(self, call: Call) -> str | None:
        lane = self._lanes.get(call.sender, [])
        index = bisect_right(lane, call.arrived_at + EARLY_US, key=_instant) - 1
        if index < 0:
            return None
        attempt = lane[index][1]
        over = attempt.finished_at is not None and attempt.finished_at < call.arrived_at
        return None if over else attempt.message_id

    def _sent_to(self, call: Call) -> list[Acknowledged]:
        return [one for recipient in call.recipients for one in self._to.get(recipient, ())]


def _is_untold(attempt: Attempt) -> bool:
    """Whether it may have left without anybody knowing when."""
    return attempt.called_at is None and attempt.outcome in (None, "unknown")


def _instant(entry: tuple[int, Attempt]) -> int:
    return entry[0]


def _text(call: Call) -> _Text:
    return (call.sender, call.recipients, call.text)
