"""The known course of a lane before a message's turn, and the law of its call that follows from it.

What is known to happen splits the future into stages: a message not called before another falls due
that goes first, before quiet hours begin or before the cap is full, waits for that as well.
"""

from math import sqrt
from operator import itemgetter
from typing import NamedTuple

from waqcore.core.cumulants import Cumulants
from waqcore.core.extra import Extra
from waqcore.core.known import (
    Event,
    Kind,
    Span,
    Window,
    events,
    slots_before,
    whole_slots,
    window,
)
from waqcore.core.lane import Lane
from waqcore.core.law import Case, Law, Stage
from waqcore.core.message import Priority
from waqcore.core.outlook import Outlook
from waqcore.core.policy import Policy
from waqcore.core.standing import Rest, backlog, standing
from waqcore.core.surprise import Surprise

RETURNS_MIN = 0.5
"""Slots by which failures must be unsure before it is worth spoiling where slots lie."""
LOOK_BACK = 30
"""Slots over which the load of what is known to fall due is averaged."""
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


class _Turn(NamedTuple):
    """When a message's turn comes, if nothing happens after what has been walked through."""

    at: int
    ahead: int
    """Messages that go before it."""
    behind: int
    """Messages that go after it, and keep the lane at work while it is not due."""
    loud_until: int
    """When those before it that quiet hours do not hold are through, and no cap is full."""
    waits: bool
    """It is not due itself yet."""
    since: int
    """The lane works without a rest from here to its turn."""
    window: Window | None
    """None: there is no cap."""
    rested: float = 0.0
    """Slots of rest before that; 0: none."""
    quiet: bool = False
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
    walk = _Walk(place, policy, outlook)
    slot_us = outlook.slot.us
    turn = _Turn(
        at=walk.after(first_at, place.ahead),
        ahead=place.ahead,
        behind=place.behind,
        loud_until=walk.after(first_at, place.loud),
        waits=place.due_at > now,
        since=now,
        window=window(first_at, lane, policy),
    )
    # Where slots vary, a turn might else be told before what is known to hold it.
    earliest = max(now, place.due_at, lane.ready_at(policy))
    own = place.due_at if turn.waits else None
    known = events(place.later, own, quiet)
    by_clock = next(known, None)
    stages: list[Stage] = []
    for _ in range(EVENTS_MAX):
        event = walk.first(by_clock, turn)
        if event is None:
            break
        if event is by_clock:
            by_clock = next(known, None)
        if event.at > turn.at and not turn.waits:
            stage = walk.stage(turn)
            if len(stages) == STAGES_MAX or stage.reached(event.at - 1, slot_us) >= CERTAIN:
                return Law([*stages, stage], slot_us, earliest)
            stages.append(stage._replace(until=event.at))
        turn = walk.past(event, turn)
    return Law([*stages, walk.stage(turn)], slot_us, earliest)


class _Walk:
    """What each known event makes of a turn, and the stage that a turn is."""

    def __init__(self, place: Place, policy: Policy, outlook: Outlook) -> None:
        self._place = place
        self._policy = policy
        self._outlook = outlook
        self._slot_us = outlook.slot.us

    def after(self, at: int, slots: float) -> int:
        return at + round(slots * self._slot_us)

    def past(self, event: Event, turn: _Turn) -> _Turn:
        match event.kind:
            case Kind.DUE:
                return self._behind(self._until(event.at, turn), event.messages)
            case Kind.OWN:
                return self._until(event.at, turn)._replace(waits=False)
            case Kind.QUIET:
                return self._quieten(event, turn)
            case Kind.CAP:
                return self._close(event, turn)

    def first(self, by_clock: Event | None, turn: _Turn) -> Event | None:
        """What happens next: what the clock says, or that the lane has filled the cap.

        A night does not begin for those before it that it does not hold: they may fill the cap.
        """
        full = None if turn.window is None else turn.window.full(self._slot_us)
        if full is None or (turn.waits and full.at >= self.after(turn.at, turn.behind)):
            return by_clock
        if by_clock is None:
            return full
        begins = by_clock.at
        if by_clock.kind is Kind.QUIET:
            begins = max(begins, turn.loud_until)
        return full if full.at < begins else by_clock

    def _until(self, at: int, turn: _Turn) -> _Turn:
        """While it is not due, enough that go after it keep the lane's slots where they are."""
        if not turn.waits or at <= turn.at:
            return turn
        slots = whole_slots(at - turn.at, self._slot_us)
        if turn.behind < slots:
            idle_at = self.after(turn.at, turn.behind)
            rested = 0.0 if turn.quiet else turn.rested
            turn = turn._replace(behind=0, rested=rested, quiet=False)
            return self._rest(turn, idle_at, at)
        next_at = self.after(turn.at, slots)
        since = self.after(next_at, -1)
        return turn._replace(at=next_at, behind=turn.behind - slots, since=since, crowded=True)

    def _rest(self, turn: _Turn, begins: int, ends: int) -> _Turn:
        rested = turn.rested + (ends - begins) / self._slot_us
        window = turn.window
        if window is not None:
            window = window.rested(begins, ends, self._slot_us)
        return turn._replace(at=ends, ahead=0, since=ends, rested=rested, window=window)

    def _behind(self, turn: _Turn, messages: int) -> _Turn:
        return turn._replace(at=self.after(turn.at, messages), ahead=turn.ahead + messages)

    def _quieten(self, event: Event, turn: _Turn) -> _Turn:
        """What is left of the others when quiet hours begin waits with it for their end."""
        begins = max(event.at, turn.loud_until)
        if begins >= event.until:
            return turn
        turn = self._until(begins, turn)
        if not turn.quiet:
            turn = turn._replace(rested=0.0, quiet=True)
        left = max(0, slots_before(turn.at - begins, self._slot_us))
        return self._behind(self._rest(turn, begins, event.until), left)

    def _close(self, event: Event, turn: _Turn) -> _Turn:
        """While a cap is full nobody is called: not those that quiet hours do not hold, either."""
        assert turn.window is not None, "only a cap closes a lane"
        closed_us = event.until - event.at
        closed = turn._replace(
            at=turn.at + closed_us,
            loud_until=max(event.until, turn.loud_until + closed_us),
            window=Window.opened(turn.window.cap, event.until),
        )
        if not turn.waits or event.at <= turn.at:
            return closed
        slots = whole_slots(event.at - turn.at, self._slot_us)
        behind = turn.behind - slots
        return closed._replace(at=event.until, ahead=0, behind=behind, since=event.at)

    def stage(self, turn: _Turn) -> Stage:
        slots = (turn.at - turn.since) / self._slot_us
        ahead = self._returning(turn)
        before = self._outlook.before(self._place.priority)
        cases = [Case(weight, self._extra(turn, higher, slots, ahead)) for weight, higher in before]
        return Stage(turn.at, cases, self._noise(slots, ahead))

    def _extra(self, turn: _Turn, higher: Surprise, slots: float, ahead: float) -> Extra:
        if turn.rested:
            return standing(higher, self._resting(turn, higher), slots=slots, ahead=ahead)
        return higher.extra(slots + backlog(higher) if turn.crowded else slots, ahead)

    def _resting(self, turn: _Turn, higher: Surprise) -> Rest:
        """In quiet hours those wait like it that are not loud, and what comes of them is held."""
        priority = self._place.priority
        if not turn.quiet:
            front = self._likeliest(priority + 1)
            load = self._likeliest(len(Priority)).slot.mean
            return Rest(turn.rested, front, load, due=load * self._due_before(turn.since))
        loud = self._likeliest(Priority.NORMAL)
        held = [
            max(0.0, all_of_it - part)
            for all_of_it, part in zip(higher.slot, loud.slot, strict=True)
        ]
        held_back = Cumulants(*held).times(turn.rested)
        return Rest(turn.rested, loud, loud.slot.mean, held=held_back)

    def _due_before(self, until: int) -> float:
        """Slots that messages known beforehand take, of the last ones before an instant."""
        since = self.after(until, -LOOK_BACK)
        return sum(n for at, n in self._place.later if since < at < until) / LOOK_BACK

    def _likeliest(self, priority: int) -> Surprise:
        return max(self._outlook.before(priority), key=itemgetter(0))[1]

    def _returning(self, turn: _Turn) -> float:
        """Messages before it that come back in time if their calls fail.

        One that is called i slots before it does so if its backoff, uniform, ends by then.
        """
        failing = turn.ahead + self._place.returning
        slots = self._policy.backoff_base_us / self._slot_us
        if slots <= 1:
            return failing
        late = min(failing, whole_slots(self._policy.backoff_base_us, self._slot_us) - 1)
        return failing - late + late * (late + 1) / (2 * slots)

    def _noise(self, slots: float, ahead: float) -> float:
        """The standard deviation, in slots, of where its slot will lie.

        Gaps vary, and are estimated; so is the share of calls that fail, which only matters where
        it adds up to slots.
        """
        slot = self._outlook.slot
        gaps = (slots * slot.sd_us**2 + (slots * slot.unsure_us) ** 2) / slot.us**2
        returns = ahead * self._outlook.unsure_failure
        return sqrt(gaps + (returns**2 if returns > RETURNS_MIN else 0.0))
