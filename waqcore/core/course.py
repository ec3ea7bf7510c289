"""The known course of a lane before a message's turn, and the law of its call that follows from it.

What is known to happen splits the future into stages: a message not called before another falls due
that goes first, before quiet hours begin or before the cap is full, waits for that as well.
"""

from collections.abc import Iterator
from enum import IntEnum
from heapq import merge
from itertools import count, islice
from math import ceil, sqrt
from typing import NamedTuple

from waqcore.core.instants import DAY, NEVER
from waqcore.core.lane import Lane
from waqcore.core.law import Case, Law, Stage
from waqcore.core.message import Priority
from waqcore.core.outlook import Outlook
from waqcore.core.policy import Policy
from waqcore.core.standing import standing

CERTAIN = 0.999
"""What would befall only a message that is called later than this share is left out."""
STAGES_MAX = 12
EVENTS_MAX = 4_000
"""Nights, and windows of a cap, that are walked through: ten years of them."""


class Place(NamedTuple):
    """Where a queued message stands, as far as its forecast asks."""

    priority: Priority
    due_at: int
    """Not before this: the latest of its enqueue, its `send_at` and its backoff's end."""
    ahead: int = 0
    """Messages due now that go before it."""
    loud: int = 0
    """Those of them that quiet hours do not hold."""
    later: tuple[tuple[int, int], ...] = ()
    """Instants, rising, at which so many messages fall due that go before it then."""
    behind: int = 0
    """Messages due now that go after it: while it is not due itself, they keep the lane busy."""
    returning: bool = False
    """The message being sent goes before it, should the call fail."""


class Span(NamedTuple):
    """Quiet hours: those in force, or the next."""

    starts_at: int
    ends_at: int


class _Kind(IntEnum):
    DUE = 0
    OWN = 1
    QUIET = 2
    CAP = 3


class _Event(NamedTuple):
    """Something known to happen."""

    at: int
    kind: _Kind
    until: int = 0
    """The end of what it begins."""
    messages: int = 0


class _Turn(NamedTuple):
    """When a message's turn comes, if nothing happens after what has been walked through."""

    at: int
    ahead: int
    """Messages that go before it."""
    loud_until: int
    """When those of them that quiet hours do not hold are through."""
    waits: bool
    """It is not due itself yet."""
    since: int
    """The lane works without a rest from here to its turn."""
    rested: float = 0.0
    """Slots of rest before that; 0: none."""
    after_quiet: bool = False
    """The rest was quiet hours', when messages of its own kind wait like it."""
    crowded: bool = False
    """Messages that go after it have kept the lane at work instead."""


def course(
    first_at: int,
    lane: Lane,
    place: Place,
    now: int,
    policy: Policy,
    outlook: Outlook,
    quiet: Span | None,
) -> Law:
    """The law of a message's call in a lane whose next slot is at `first_at`.

    `quiet` is None for a message that quiet hours do not hold.
    """
    walk = _Walk(place, now, policy, outlook)
    turn = _Turn(
        at=walk.after(first_at, place.ahead),
        ahead=place.ahead,
        loud_until=walk.after(first_at, place.loud),
        waits=place.due_at > now,
        since=now,
    )
    stages: list[Stage] = []
    events = merge(_dues(place, now), _nights(quiet), _caps(first_at, lane, policy, outlook))
    for event in islice(events, EVENTS_MAX):
        if event.at > turn.at and not turn.waits:
            stage = walk.stage(turn, event.at)
            stages.append(stage)
            reached = stage.reached(event.at - 1, outlook.slot.us)
            if reached >= CERTAIN or len(stages) >= STAGES_MAX:
                break
        turn = walk.past(event, turn)
    else:
        stages.append(walk.stage(turn, NEVER))
    return Law(stages, outlook.slot.us, now)


def _dues(place: Place, now: int) -> Iterator[_Event]:
    dues = [_Event(at, _Kind.DUE, messages=n) for at, n in place.later]
    own = [_Event(place.due_at, _Kind.OWN)] if place.due_at > now else []
    return merge(dues, own)


def _nights(quiet: Span | None) -> Iterator[_Event]:
    if quiet is not None:
        for day in count():
            starts_at, ends_at = quiet.starts_at + day * DAY, quiet.ends_at + day * DAY
            yield _Event(starts_at, _Kind.QUIET, ends_at)


def _caps(first_at: int, lane: Lane, policy: Policy, outlook: Outlook) -> Iterator[_Event]:
    """When the cap is full if the lane works without a rest, and when it opens again."""
    cap = policy.cap
    if cap is None or cap.calls * outlook.slot.us >= cap.window_us:
        return
    opens_at, calls = lane.cap_since + cap.window_us, cap.calls - lane.cap_calls
    if first_at >= opens_at or lane.cap_calls == 0:
        opens_at, calls = first_at + cap.window_us, cap.calls
    starts_at = first_at
    for _ in count():
        full_at = starts_at + round(calls * outlook.slot.us)
        if full_at < opens_at:
            yield _Event(full_at, _Kind.CAP, opens_at)
        starts_at, calls = max(full_at, opens_at), cap.calls
        opens_at = starts_at + cap.window_us


class _Walk:
    """What each known event makes of a turn, and the stage that a turn is."""

    def __init__(self, place: Place, now: int, policy: Policy, outlook: Outlook) -> None:
        self._place = place
        self._now = now
        self._policy = policy
        self._outlook = outlook
        self._slot_us = outlook.slot.us

    def after(self, at: int, slots: float) -> int:
        return at + round(slots * self._slot_us)

    def past(self, event: _Event, turn: _Turn) -> _Turn:
        match event.kind:
            case _Kind.DUE:
                turn = turn._replace(ahead=turn.ahead + event.messages)
                if event.at > turn.at:
                    turn = self._rest(turn, turn.at, event.at)
                return turn._replace(at=self.after(turn.at, event.messages))
            case _Kind.OWN:
                turn = turn._replace(waits=False)
                return turn if event.at <= turn.at else self._wait(turn, event.at)
            case _Kind.QUIET:
                return self._quieten(event, turn)
            case _Kind.CAP:
                closed_us = event.until - event.at
                later = turn.loud_until + (closed_us if turn.loud_until > event.at else 0)
                return turn._replace(at=turn.at + closed_us, loud_until=later)

    def _rest(self, turn: _Turn, begins: int, ends: int) -> _Turn:
        rested = max(turn.rested, (ends - begins) / self._slot_us)
        return turn._replace(at=ends, since=ends, rested=rested, crowded=False)

    def _wait(self, turn: _Turn, until: int) -> _Turn:
        """Messages that go after it keep the lane's slots where they are, if there are enough."""
        slots = _whole((until - turn.at) / self._slot_us)
        if self._place.behind < slots:
            return self._rest(turn, turn.at, until)
        at = self.after(turn.at, slots)
        return turn._replace(at=at, since=self.after(at, -1), crowded=True)

    def _quieten(self, event: _Event, turn: _Turn) -> _Turn:
        """What is left of the others when quiet hours begin waits with it for their end."""
        begins = max(event.at, turn.loud_until)
        left = max(0, _whole((turn.at - begins) / self._slot_us))
        if begins >= event.until:
            return turn
        turn = self._rest(turn, begins, event.until)
        return turn._replace(at=self.after(turn.at, left), after_quiet=True)

    def stage(self, turn: _Turn, until: int) -> Stage:
        priority = self._place.priority
        ahead = self._returning(turn)
        slots = (turn.at - turn.since) / self._slot_us
        before = self._outlook.before(priority)
        if turn.rested:
            own = priority if turn.after_quiet else priority + 1
            every = own if turn.after_quiet else len(Priority)
            fronts, loads = self._outlook.before(own), self._outlook.before(every)
            cases = [
                Case(
                    weight,
                    turn.at,
                    standing(
                        higher,
                        front,
                        load.slot.mean,
                        slots=slots,
                        ahead=ahead,
                        rested=turn.rested,
                    ),
                )
                for (weight, higher), (_, front), (_, load) in zip(
                    before, fronts, loads, strict=True
                )
            ]
        else:
            cases = [
                Case(weight, turn.at, higher.extra(slots + turn.crowded * higher.backlog, ahead))
                for weight, higher in before
            ]
        return Stage(cases, self._noise(turn), until)

    def _returning(self, turn: _Turn) -> float:
        """Messages before it that come back in time if their calls fail.

        One that is called i slots before it does so if its backoff, uniform, ends by then.
        """
        failing = turn.ahead + self._place.returning
        slots = self._policy.backoff_base_us / self._slot_us
        late = min(failing, _whole(slots) - 1) if slots > 1 else 0
        return failing - late + late * (late + 1) / (2 * slots)

    def _noise(self, turn: _Turn) -> float:
        """The standard deviation, in slots, of where its slot will lie."""
        slots = max(0.0, (turn.at - self._now) / self._slot_us)
        slot = self._outlook.slot
        return sqrt(slots * slot.sd_us**2 + (slots * slot.unsure_us) ** 2) / slot.us


def _whole(slots: float) -> int:
    return ceil(slots - 1e-6)  # A slot is a float, an instant is not.
