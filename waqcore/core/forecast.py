"""When a queued message will be called for, as far as what is known tells."""

from typing import NamedTuple

from waqcore.core.instants import NEVER
from waqcore.core.lane import Lane
from waqcore.core.policy import Policy


class Eta(NamedTuple):
    """A predicted instant, or why there is none."""

    at: int | None
    """None: unknown, `reason` says why."""
    reason: str = ""


def slot_us(policy: Policy) -> int:
    """The expected gap between two calls of a busy lane: the pace and half the jitter."""
    return policy.pace_us + policy.jitter_us // 2


def eta(lane: Lane, ahead: int, now: int, policy: Policy, *, due_at: int, quiet_until: int) -> Eta:
    """Predict the call of a message with `ahead` messages before it that will be due in time.

    If nothing else happens it starts at r + k·D, with r the lane's next slot, k = `ahead` and D the
    gap between calls; never before `due_at`, its own first-due instant or its backoff's end. Pass
    `quiet_until` = 0 for a message that quiet hours do not hold.
    """
    pause = lane.paused(now)
    if pause is not None and (pause.by == "gateway" or pause.until >= NEVER):
        return Eta(None, f"paused: {pause.reason}")
    first = max(now, quiet_until, lane.ready_at(policy))
    if policy.gather_us and lane.lease is None and lane.idle_since is not None:
        # Nobody has driven the lane since it came: it will open the gather of a lane it found idle.
        first = max(first, max(lane.idle_since, due_at) + policy.gather_us)
    if pause is not None:
        first = max(first, pause.until)
    if lane.lease is not None:
        first = max(first, lane.lease.claimed_at + policy.pace_us)
    if lane.trouble.open:
        first = max(first, lane.trouble.probe_at)
    return Eta(max(first + ahead * slot_us(policy), due_at))
