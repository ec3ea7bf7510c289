"""What a caller says should have been delivered, and how the log compares with it."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated, NamedTuple

import msgspec

from loadtests.mock_gateway.log import Call
from loadtests.mock_gateway.mutation import normal_number

Count = Annotated[int, msgspec.Meta(ge=0)]


class Expected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One message that should reach a phone.

    `queued_at_us` is when it could first have been called, on the host's steady clock; with it
    and `priority` (0 goes first) the verdict looks for messages that were overtaken.
    """

    sender: str
    recipient: str
    text: str
    priority: Annotated[int, msgspec.Meta(ge=0, le=3)] | None = None  # None: not judged.
    queued_at_us: int | None = None  # None: not judged.
    allowed_doubles: bool | Count = 0  # Deliveries it may have beyond its first; true is one.


class Expectation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a verdict is asked about."""

    pace: Annotated[float, msgspec.Meta(ge=0.0)]  # Seconds; 0 judges no gap.
    expect: Count | None = None  # How many different messages; None: not judged.
    expected: tuple[Expected, ...] | None = None  # None: what was delivered is not compared.
    order: tuple[Count, ...] = ()  # Indices into `expected`, as each sender should call them.

    def __post_init__(self) -> None:
        """Refuse an order that names nothing, or one thing twice."""
        messages = len(self.expected or ())
        if any(index >= messages for index in self.order):
            raise ValueError("order has an index beyond the end of expected")
        if len(set(self.order)) < len(self.order):
            raise ValueError("order has an index twice")


class Key(NamedTuple):
    """What makes two messages the same one, as far as a gateway can tell."""

    sender: str
    recipient: str
    text: str


def key_of(message: Expected) -> Key:
    """The key a message has in the log."""
    return Key(message.sender, normal_number(message.recipient), message.text.strip())


def delivered_keys(calls: Iterable[Call]) -> Counter[Key]:
    """How often each message was delivered; the text is the one received, before mutation."""
    return Counter(
        Key(call.sender, delivery.recipient, call.text.strip())
        for call in calls
        for delivery in call.deliveries
    )


def too_many(delivered: Counter[Key], expected: Sequence[Expected] | None) -> Counter[Key]:
    """How often each message was delivered beyond what is allowed.

    Without *expected*, once is allowed; with it, what is not expected at all is left out.
    """
    if expected is None:
        return Counter({key: count - 1 for key, count in delivered.items() if count > 1})
    allowed: Counter[Key] = Counter()
    for message in expected:
        allowed[key_of(message)] += 1 + int(message.allowed_doubles)
    return Counter({key: delivered[key] for key in allowed}) - allowed


class Moved(NamedTuple):
    """Two messages of one sender, called in the wrong order."""

    first_called: Key
    should_precede: Key


def first_calls(calls: Sequence[Call]) -> dict[Key, int]:
    """When each message was first called, delivered or not; *calls* in order of arrival."""
    firsts: dict[Key, int] = {}
    for call in calls:
        for number in call.recipients:
            firsts.setdefault(Key(call.sender, number, call.text.strip()), call.arrived_us)
    return firsts


def inversions(expectation: Expectation, firsts: dict[Key, int]) -> tuple[int, list[Moved]]:
    """Pairs of one sender first called the other way round than `order` says, and neighbours
    among them as examples. Messages never called are left out.
    """
    lanes: dict[str, list[Key]] = defaultdict(list)
    for index in expectation.order:
        key = key_of((expectation.expected or ())[index])
        if key in firsts:
            lanes[key.sender].append(key)
    count, examples = 0, []
    for keys in lanes.values():
        count += _inverted_pairs([firsts[key] for key in keys])
        examples += [
            Moved(first_called=later, should_precede=earlier)
            for earlier, later in pairwise(keys)
            if firsts[later] < firsts[earlier]
        ]
    return count, examples


def _inverted_pairs(instants: Sequence[int]) -> int:
    seen: list[int] = []
    count = 0
    for instant in instants:
        place = bisect_right(seen, instant)
        count += len(seen) - place
        seen.insert(place, instant)
    return count


def overtaken(expected: Iterable[Expected], firsts: dict[Key, int], *, pace_us: int) -> list[Moved]:
    """First calls made though a message of a higher priority had waited a whole pace.

    A pace, because a call nobody knew of when the last one left may well have come too late for
    the next. The message that waited is one not called until later, so no backoff excuses it.
    """
    lanes: dict[str, list[tuple[int, Expected]]] = defaultdict(list)
    for message in expected:
        called_us = firsts.get(key_of(message))
        if called_us is not None and message.queued_at_us is not None:
            lanes[message.sender].append((called_us, message))
    return [moved for lane in lanes.values() for moved in _overtaken_in_lane(lane, pace_us)]


def _overtaken_in_lane(lane: list[tuple[int, Expected]], pace_us: int) -> Iterable[Moved]:
    # Backwards in time, keeping of each priority the later-called message that was queued first.
    earliest: dict[int, tuple[int, Expected]] = {}
    for called_us, message in sorted(lane, key=lambda entry: entry[0], reverse=True):
        if message.priority is None or message.queued_at_us is None:
            continue
        for priority in range(message.priority):
            queued_us, waiting = earliest.get(priority, (called_us, message))
            if queued_us + pace_us < called_us:
                yield Moved(first_called=key_of(message), should_precede=key_of(waiting))
                break
        known_us, _ = earliest.get(message.priority, (message.queued_at_us, message))
        if message.queued_at_us <= known_us:
            earliest[message.priority] = (message.queued_at_us, message)
