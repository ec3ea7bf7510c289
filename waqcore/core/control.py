"""What a person's buttons do to a lane and to a message."""

from enum import StrEnum

from waqcore.core.instants import NEVER
from waqcore.core.lane import CALM, Lane, Pause, PausedBy
from waqcore.core.message import Event, Message, Priority


def pause(lane: Lane, reason: str, now: int, until: int = NEVER) -> Lane:
    """Stop a lane until it is resumed or `until` passes; a call in flight ends as it would."""
    return lane._replace(pause=Pause(PausedBy.PERSON, reason, now, until))


def resume(lane: Lane) -> Lane:
    """End every pause, a person's or the gateway's, and close the breaker."""
    return lane._replace(pause=None, trouble=CALM)


def force(lane: Lane) -> Lane:
    """Close the breaker and end a pause that is not a person's.

    Never shortens the pace, a refusal's wait, quiet hours, a cap or a backoff.
    """
    by_person = lane.pause is not None and lane.pause.by is PausedBy.PERSON
    return lane._replace(pause=lane.pause if by_person else None, trouble=CALM)


def override_pace(lane: Lane, now: int) -> Lane:
    """Let the next call leave now and the pace restart from it: the one exception to the pace."""
    return lane._replace(paced_until=min(lane.paced_until, now), opens_at=min(lane.opens_at, now))


def restart_pace(lane: Lane, now: int, pace_us: int, *, rebooted: bool) -> Lane:
    """What a change of clock makes of a lane: one full pace from now, and no longer wait.

    After another boot, or when the clocks disagree, stored steady instants mean nothing; the wait
    that replaces them is as long as it can be without being longer than one pace. In the same boot
    steady time has not moved: there nothing is shortened, and a lease's holder may be alive.
    """
    lease, trouble = lane.lease, lane.trouble
    if lease is not None:
        claimed_at, call_by = min(lease.claimed_at, now), min(lease.call_by, now)
        lease = lease._replace(claimed_at=claimed_at, call_by=call_by)
    if not rebooted:
        return lane._replace(paced_until=max(lane.paced_until, now + pace_us))
    return lane._replace(
        paced_until=now + pace_us,
        closed_until=min(lane.closed_until, now + pace_us),
        opens_at=0,
        idle_since=None if lane.idle_since is None else 0,
        cap_since=min(lane.cap_since, now),
        trouble=trouble if trouble.probe_at == NEVER else trouble._replace(probe_at=now),
        lease=lease,
    )


def cancel(message: Message, reason: str) -> Message:
    """Cancel a queued message, or ask it of one whose call is in flight.

    Raises:
        IllegalTransition: it has already ended.
    """
    if message.state == "sending":
        return message._replace(cancel_requested=True, reason=reason)
    event = Event.LOSE if message.unresolved and message.state == "queued" else Event.CANCEL
    return message.after(event, reason=reason)


def clear(message: Message, reason: str) -> Message:
    """Cancel a queued message so that it can be restored; one in doubt is left as it is.

    Raises:
        IllegalTransition: it is not queued, nor being sent.
    """
    return message if message.unresolved else cancel(message, reason)


def retry(message: Message, now: int) -> Message:
    """Queue an ended message again in its old place; an expiry that has passed is dropped.

    Raises:
        IllegalTransition: it did not fail or expire.
    """
    expires_at = message.expires_at if message.expires_at > now else NEVER
    return message.after(
        Event.RETRY_BY_HAND,
        failures=0,
        retry_at=0,
        cancel_requested=False,
        reason="",
        expires_at=expires_at,
    )


def prioritise(message: Message, priority: Priority) -> Message:
    """Give a queued message another priority; inside it, it keeps its first-due instant."""
    assert message.state == "queued"
    return message._replace(priority=priority)


def restore(message: Message) -> Message:
    """Queue a cancelled message again, in its old place.

    Raises:
        IllegalTransition: it is not cancelled.
    """
    return message.after(Event.RESTORE, retry_at=0, cancel_requested=False, reason="")


class Resolution(StrEnum):
    """What a person found out about, or decides for, a message whose outcome is unknown."""

    SENT = "sent"
    RESEND = "resend"
    DROP = "drop"


def resolve(message: Message, resolution: Resolution) -> Message:
    """End the doubt about a message that is `unknown`.

    Raises:
        IllegalTransition: it is not unknown.
    """
    match resolution:
        case Resolution.SENT:
            return message.after(Event.RESOLVE_SENT, unresolved=False, reason="resolved: sent")
        case Resolution.RESEND:
            return message.after(
                Event.RESOLVE_RESEND,
                unresolved=False,
                maybe_duplicate=True,
                failures=0,
                retry_at=0,
                cancel_requested=False,
                reason="",
            )
        case Resolution.DROP:
            return message.after(Event.RESOLVE_DROP, unresolved=False, reason="resolved: dropped")
