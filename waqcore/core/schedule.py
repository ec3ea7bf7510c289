"""What a lane does next. A driver obeys: it sends, probes, expires, takes over, or waits.

**Order at equal instants**, in every driver: outcomes, then arrivals and messages that fall due,
then controls, then this decision.
"""

from waqcore.core import backoff, order
from waqcore.core.instants import DAY, NEVER
from waqcore.core.lane import Lane, Lease
from waqcore.core.message import Event, Message, Priority
from waqcore.core.policy import Policy, Quiet
from waqcore.core.value import Value


class Waiting(Value, frozen=True):
    """What waits in a lane at the instant of a decision."""

    heads: tuple[Message, ...] = ()
    """The first due message of each priority that has one."""
    next_due_at: int = NEVER
    """When the next message that is not due yet falls due (a `send_at` or a backoff)."""
    quiet_until: int = 0
    """The end of the quiet hours now in force; 0 outside them."""


class Send(Value, frozen=True):
    """Call the gateway for this message now."""

    message: Message


class Probe(Value, frozen=True):
    """Ask the gateway whether the sender is well; no call that sends."""


class Expire(Value, frozen=True):
    """These have passed their `expires_at`: end them, then ask again."""

    messages: tuple[Message, ...]


class TakeOver(Value, frozen=True):
    """The holder of this lease is dead or stuck: settle its message, then ask again."""

    lease: Lease


class Wait(Value, frozen=True):
    """Nothing to do before this instant, unless something arrives or is pressed."""

    until: int


class Idle(Value, frozen=True):
    """Nothing to do until something arrives or is pressed."""


Step = Send | Probe | Expire | TakeOver | Wait | Idle
IDLE = Idle()
_LEASE = Event.LEASE  # Looked up once: that takes 70 ns, and every message asks.


def arrive(lane: Lane, waiting: Waiting, now: int, policy: Policy) -> Lane:
    """Note what has come in: an idle lane's first arrival opens its gather; no work makes it idle.

    Driven before every decision; the opening is kept in the lane, since it is counted from the
    arrival and must not move with each later look.
    """
    if policy.gather_us == 0 or lane.lease is not None:
        return lane
    if not waiting.heads:
        return lane if lane.idle_since is not None else lane._replace(idle_since=now)
    if lane.idle_since is None:
        return lane
    arrived_at = max(lane.idle_since, min(message.due_at for message in waiting.heads))
    return lane._replace(idle_since=None, opens_at=min(arrived_at, now) + policy.gather_us)


def slot(lane: Lane, now: int, policy: Policy) -> int | None:
    """Until when a lane waits for its slot, whatever is queued; None: that has to be looked at.

    Saves a driver the look at a queue by which nothing is decided: it asks again at that instant.
    A gather is opened by what is queued, and what holds a lane besides its pace may end by itself.
    """
    if policy.gather_us or lane.lease is not None or lane.pause is not None or lane.trouble.open:
        return None
    ready_at = lane.ready_at(policy)
    return ready_at if ready_at > now else None


def next_step(lane: Lane, waiting: Waiting, now: int, policy: Policy) -> Step:
    """Decide what a lane does at `now`."""
    lease = lane.lease
    if lease is not None:
        lapses_at = min(lease.until, lease.claimed_at + policy.sending_max_us)
        return TakeOver(lease) if lapses_at <= now else Wait(lapses_at)
    for message in waiting.heads:
        if message.expires_at <= now:
            return Expire(tuple(m for m in waiting.heads if m.expires_at <= now))
    if lane.pause is not None or lane.trouble.open:
        held = _held(lane, now)
        if held is not None:
            return held
    return _first_call(lane, waiting, now, policy)


def _held(lane: Lane, now: int) -> Step | None:
    """What a paused or broken lane does; None where nothing holds it any more."""
    pause = lane.paused(now)
    if pause is not None and pause.by == "person":
        return Wait(pause.until)
    if pause is None and not lane.trouble.open:
        return None
    if lane.trouble.probe_at <= now:
        return Probe()
    return Wait(lane.trouble.probe_at if pause is None else min(lane.trouble.probe_at, pause.until))


def _first_call(lane: Lane, waiting: Waiting, now: int, policy: Policy) -> Step:
    heads = waiting.heads
    ready_at = lane.ready_at(policy)
    if waiting.quiet_until > now:
        loud = tuple(message for message in heads if message.priority <= Priority.HIGH)
        if not loud:
            end = max(ready_at, waiting.quiet_until) if heads else NEVER
            return _wait(min(end, max(ready_at, waiting.next_due_at)))
        heads = loud
    if not heads:
        return _wait(waiting.next_due_at)
    if ready_at > now:
        return Wait(ready_at)
    return Send(order.first(heads, policy.time_shift))


def _wait(until: int) -> Step:
    return IDLE if until >= NEVER else Wait(until)


def claim(
    lane: Lane, message: Message, now: int, *, token: str, holder: str, until: int, policy: Policy
) -> tuple[Lane, Message]:
    """Lease a message for its call; `until` is when the holder's own lease ends.

    The call must begin before the window, the holder's lease and the message's time end: past the
    second another dispatcher may have taken over.
    """
    call_by = min(now + policy.call_window_us, until, message.expires_at - 1)
    lease = Lease(token, message.seq, holder, now, call_by, until)
    return lane.leased(lease), message.after(_LEASE)


def probing(lane: Lane, now: int, policy: Policy) -> Lane:
    """Note that a probe begins, so that no other starts and the next, if this is lost, is later."""
    probes = lane.trouble.probes + 1
    interval = backoff.ceiling(probes + 1, base_us=policy.probe_base_us, cap_us=policy.probe_cap_us)
    return lane._replace(trouble=lane.trouble._replace(probes=probes, probe_at=now + interval))


def quiet_until(quiet: Quiet | None, now: int, midnight: int) -> int:
    """The end of the quiet hours in force at `now`, 0 outside them.

    `midnight` is the instant, on the same axis as `now`, at which the present local day began.
    """
    if quiet is None:
        return 0
    into_day = now - midnight
    if quiet.starts_us <= quiet.ends_us:
        inside = quiet.starts_us <= into_day < quiet.ends_us
        return midnight + quiet.ends_us if inside else 0
    if into_day < quiet.ends_us:
        return midnight + quiet.ends_us
    return midnight + DAY + quiet.ends_us if into_day >= quiet.starts_us else 0
