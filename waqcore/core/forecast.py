"""When a queued message will be called for: an instant, a range, or why there is none."""

from typing import NamedTuple

from waqcore.core import backoff
from waqcore.core.course import Place, course
from waqcore.core.instants import DAY, NEVER
from waqcore.core.known import Span
from waqcore.core.lane import Lane
from waqcore.core.law import Law
from waqcore.core.message import Priority
from waqcore.core.outlook import Outlook
from waqcore.core.policy import Policy, Quiet

LOW, MEDIAN, HIGH = 0.05, 0.5, 0.95
"""The levels of a range's ends, between which 90 % of messages are called, and its middle."""
CROWDED = "not while this lasts: more comes before it than leaves"
OPEN_ENDED = "it may take longer than can be told: about as much comes before it as leaves"
BROKEN = "the gateway fails; that it recovers is guessed from how long it has"


class Eta(NamedTuple):
    """A predicted instant and its range, or why there is none."""

    at: int | None
    """The median; None: unknown, `reason` says why."""
    low_at: int | None = None
    """Called by then with a probability of 5 %; None: as `at`."""
    high_at: int | None = None
    """Called by then with a probability of 95 %; None: nobody can say, `reason` says why."""
    reason: str = ""


def eta(
    lane: Lane, place: Place, now: int, policy: Policy, outlook: Outlook, quiet: Span | None = None
) -> Eta:
    """Predict a message's call; `quiet` is the span that `quiet_span` finds."""
    pause = lane.paused(now)
    if pause is not None and (pause.by == "gateway" or pause.until >= NEVER):
        return Eta(None, reason=f"paused: {pause.reason}")
    broken = lane.trouble.open
    laws = {
        level: law(lane, place, now, policy, outlook, quiet, recovered=level)
        for level in ((LOW, MEDIAN, HIGH) if broken else (MEDIAN,))
    }
    low_at, at, high_at = (
        laws.get(level, laws[MEDIAN]).quantile(level) for level in (LOW, MEDIAN, HIGH)
    )
    if at is None:
        return Eta(None, low_at, None, CROWDED)
    if high_at is None:
        return Eta(at, low_at, None, OPEN_ENDED)
    return Eta(at, low_at, high_at, BROKEN if broken else "")


def law(
    lane: Lane,
    place: Place,
    now: int,
    policy: Policy,
    outlook: Outlook,
    quiet: Span | None = None,
    *,
    recovered: float = MEDIAN,
) -> Law:
    """The law of a message's call; of a failing gateway, if it recovers at that level."""
    loud = place.priority <= Priority.HIGH
    first_at = _first_slot(lane, place.due_at, now, policy, outlook)
    if lane.trouble.open:
        first_at = max(first_at, _recovers_at(lane, now, policy, recovered))
    return course(first_at, lane, place, now, policy, outlook, None if loud else quiet)


def quiet_span(quiet: Quiet | None, now: int, midnight: int) -> Span | None:
    """The quiet hours in force or the next; None: there are none.

    `midnight` is the instant, on the same axis as `now`, at which the present local day began.
    """
    if quiet is None or quiet.starts_us == quiet.ends_us:
        return None
    over_night = DAY if quiet.ends_us < quiet.starts_us else 0
    spans = (
        Span(day + quiet.starts_us, day + over_night + quiet.ends_us)
        for day in (midnight - DAY, midnight, midnight + DAY)
    )
    return next(span for span in spans if span.ends_at > now)


def _first_slot(lane: Lane, due_at: int, now: int, policy: Policy, outlook: Outlook) -> int:
    """The lane's next slot, as far as it is known."""
    first_at = max(now, lane.ready_at(policy))
    if policy.gather_us and lane.lease is None and lane.idle_since is not None:
        # Nobody has driven the lane since it came: it will open the gather of a lane it found idle.
        first_at = max(first_at, max(lane.idle_since, due_at) + policy.gather_us)
    pause = lane.paused(now)
    if pause is not None:
        first_at = max(first_at, pause.until)
    if lane.lease is not None:
        first_at = max(first_at, lane.lease.claimed_at + round(outlook.slot.us))
    return first_at


def _recovers_at(lane: Lane, now: int, policy: Policy, level: float) -> int:
    """When a gateway that fails will answer again, with a probability.

    Seen at no special moment of its trouble, it is past a share of it that is as likely large as
    small: the rest is at most a·q/(1-q) with probability q, a what has passed. Never before the
    next probe.
    Source: J. R. Gott, "Implications of the Copernican principle for our future prospects", Nature
    363, 1993.
    """
    trouble = lane.trouble
    probing = range(1, trouble.probes + 2)
    base_us, cap_us = policy.probe_base_us, policy.probe_cap_us
    passed_us = now - trouble.probe_at
    passed_us += sum(backoff.ceiling(n, base_us=base_us, cap_us=cap_us) for n in probing)
    left_us = passed_us * level / (1 - level)
    return max(trouble.probe_at, now + round(left_us))
