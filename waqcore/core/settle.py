"""What an outcome makes of a message and of its lane."""

from enum import StrEnum

from waqcore.core import backoff
from waqcore.core.chance import Chance
from waqcore.core.lane import CALM, Lane, Lease, Pause, PausedBy, Trouble
from waqcore.core.message import TRANSITIONS, Event, Message, OnUnknown
from waqcore.core.outcome import (
    Accepted,
    Answer,
    Healthy,
    NotCalled,
    NotSent,
    Outcome,
    ProbeResult,
    Refused,
    Rejected,
    Scope,
    SenderDown,
    Unknown,
    Unreachable,
)
from waqcore.core.policy import Policy
from waqcore.core.value import Value


class Alert(StrEnum):
    """What a person should hear of, once."""

    LANE_PAUSED = "lane paused"
    BREAKER_OPENED = "breaker opened"
    LANE_RECOVERED = "lane recovered"
    MESSAGE_FAILED = "message failed"
    MESSAGE_UNKNOWN = "message unknown"


_ACCEPT = Event.ACCEPT  # Looked up once: that takes 70 ns, and every message asks.


class Settled(Value, frozen=True):
    """The next state of a message and its lane."""

    lane: Lane
    message: Message
    alerts: tuple[Alert, ...] = ()


def settle(
    lane: Lane,
    message: Message,
    outcome: Outcome,
    *,
    called_at: int | None,
    now: int,
    u: Chance,
    policy: Policy,
) -> Settled:
    """Turn the outcome of a leased message's call into what comes next.

    `called_at` is when the request was handed to the socket, or when the call was begun where it
    never got that far; None if no call was made, which costs neither pace nor failure.

    Raises:
        IllegalTransition: the message is not being sent.
    """
    if called_at is None or isinstance(outcome, NotCalled):
        return Settled(lane._replace(lease=None), _released(message, message.reason))
    lane = lane.paced_from(called_at, answered_at=now, u=u.jitter, policy=policy)
    return _with_alerts(lane, _effect(lane, message, outcome, now, u.backoff, policy))


def _effect(
    lane: Lane, message: Message, outcome: Answer, now: int, u: float, policy: Policy
) -> Settled:
    match outcome:
        case Accepted():
            lane = _answered(lane)
            return Settled(lane, _delivered(message))
        case Refused():
            return _refused(lane, message, outcome, now, u, policy)
        case NotSent(reason):
            lane = _troubled(lane, message.seq, now, policy)
            return Settled(lane, _failed_once(message, reason, now, u, policy))
        case Unreachable(reason, scope):
            return Settled(_broken(lane, scope, now, policy), _released(message, reason))
        case Unknown(reason):
            lane = _troubled(lane, message.seq, now, policy)
            return Settled(lane, _unknown(message, reason, now, u, policy))
        case Rejected(reason):
            return Settled(_answered(lane), _ended(message, reason))
        case SenderDown(reason):
            return Settled(_paused(lane, outcome, now, policy), _released(message, reason))


def take_over(
    lane: Lane, message: Message, lease: Lease, *, called: bool, now: int, u: Chance, policy: Policy
) -> Settled:
    """Settle what a dead dispatcher left in flight.

    Without an attempt row the call was never made, and the pace stands as it was; with one it may
    have begun as late as `call_by`, from which the pace is then counted.
    """
    if not called:
        return Settled(lane._replace(lease=None), _released(message, message.reason))
    reason = "its dispatcher died during the call"
    answered_at = lease.call_by + policy.guard_us
    lane = lane.paced_from(lease.call_by, answered_at=answered_at, u=u.jitter, policy=policy)
    return _with_alerts(lane, Settled(lane, _unknown(message, reason, now, u.backoff, policy)))


def expire(message: Message) -> Message:
    """End a queued message whose `expires_at` has passed; one in doubt is a person's to resolve."""
    if message.unresolved:
        return message.after(Event.LOSE, reason="expired after a call that may have been delivered")
    return message.after(Event.EXPIRE, reason="its expiry passed before it could be sent")


def expired(lane: Lane, message: Message) -> Settled:
    """As `expire`, for the lane whose decision it was."""
    return _with_alerts(lane, Settled(lane, expire(message)))


def settle_late(message: Message, attempt: int, outcome: Outcome) -> Message | None:
    """What an outcome that comes after its lease was lost still changes; None if nothing.

    An acceptance of a message that has not been called again must not be thrown away and doubled.
    """
    known = isinstance(outcome, Accepted) and message.attempts == attempt
    if not known or (message.state, Event.ACCEPT) not in TRANSITIONS:
        return None
    return _delivered(message)


def share(
    lane: Lane, outcome: Outcome | ProbeResult, now: int, policy: Policy, *, source: Lane
) -> Lane:
    """What an outcome whose scope is the gateway account does to the account's other lanes.

    `source` is the lane it came to, as the outcome has left it.
    """
    match outcome:
        case Refused():
            return lane._replace(closed_until=max(lane.closed_until, source.closed_until))
        case Unreachable(_, scope):
            return _broken(lane, scope, now, policy)
        case SenderDown():
            return _paused(lane, outcome, now, policy)
        case Healthy() if lane.trouble.scope is Scope.ACCOUNT:
            return probed(lane, outcome, now, policy)
        case _:
            return lane


def probed(lane: Lane, result: ProbeResult, now: int, policy: Policy) -> Lane:
    """What a probe's answer makes of a lane; a good one leaves it on trial, not yet proven."""
    match result:
        case Healthy():
            pause = lane.paused(now)
            by_person = pause is not None and pause.by is PausedBy.PERSON
            trial = Trouble(probes=lane.trouble.probes)
            return lane._replace(pause=pause if by_person else None, trouble=trial)
        case SenderDown():
            return _paused(lane, result, now, policy)
        case Unreachable():
            return lane


def probed_for(lane: Lane, result: ProbeResult, now: int, policy: Policy) -> Lane:
    """What the answer to another lane's probe, made for the whole account, makes of a lane.

    Where only that other sender is down, the account answers: this lane asks for itself, now.
    """
    if isinstance(result, SenderDown) and result.scope is not Scope.ACCOUNT:
        return lane._replace(trouble=lane.trouble._replace(scope=Scope.LANE, probe_at=now))
    return probed(lane, result, now, policy)


def held_alert(before: Lane, after: Lane) -> Alert | None:
    """What a person should hear of a lane that was held or released; None if it was neither."""
    if after.pause is not None and after.pause != before.pause:
        return Alert.LANE_PAUSED
    if after.trouble.open and not before.trouble.open:
        return Alert.BREAKER_OPENED
    held_before = before.pause is not None or before.trouble.open
    held_after = after.pause is not None or after.trouble.open
    return Alert.LANE_RECOVERED if held_before and not held_after else None


def _delivered(message: Message) -> Message:
    if message.unresolved or message.reason:
        message = message._replace(unresolved=False, reason="")
    return message.after(_ACCEPT)


def draws(outcome: Outcome, policy: Policy) -> bool:
    """Whether settling an outcome draws on chance, so that no hash is made for nothing."""
    return policy.jitter_us > 0 or not isinstance(outcome, Accepted)


def _with_alerts(before: Lane, settled: Settled) -> Settled:
    alerts: list[Alert] = []
    if settled.lane.pause is not before.pause or settled.lane.trouble is not before.trouble:
        held = held_alert(before, settled.lane)
        if held is not None:
            alerts.append(held)
    if settled.message.state == "failed":
        alerts.append(Alert.MESSAGE_FAILED)
    elif settled.message.state == "unknown":
        alerts.append(Alert.MESSAGE_UNKNOWN)
    return settled._replace(alerts=tuple(alerts)) if alerts else settled


def _answered(lane: Lane) -> Lane:
    """A clear answer proves the gateway well; a pause of its own making is its probe's to end."""
    if lane.pause is not None and lane.pause.by is PausedBy.GATEWAY:
        return lane._replace(refusals=0)
    if (lane.trouble is CALM or lane.trouble == CALM) and lane.refusals == 0:
        return lane
    return lane._replace(trouble=CALM, refusals=0)


def _troubled(lane: Lane, seq: int, now: int, policy: Policy) -> Lane:
    """One more call that failed: over different messages in a row it is the gateway's trouble."""
    trouble = lane.trouble
    troubled = trouble.troubled if seq in trouble.troubled else (*trouble.troubled, seq)
    if len(troubled) >= policy.breaker_threshold or trouble.probes > 0:
        return _broken(lane, Scope.LANE, now, policy)
    return lane._replace(trouble=trouble._replace(troubled=troubled))


def _broken(lane: Lane, scope: Scope, now: int, policy: Policy) -> Lane:
    if lane.trouble.open:
        return lane
    return lane._replace(trouble=_probed_later(lane.trouble, now, policy, scope, broken=True))


def _paused(lane: Lane, down: SenderDown, now: int, policy: Policy) -> Lane:
    """Hold a lane for the gateway's sake; a pause that stands is not overwritten."""
    if lane.paused(now) is not None:
        return lane
    trouble = _probed_later(lane.trouble, now, policy, down.scope, broken=lane.trouble.open)
    return lane._replace(pause=Pause(PausedBy.GATEWAY, down.reason, now), trouble=trouble)


def _probed_later(
    trouble: Trouble, now: int, policy: Policy, scope: Scope, *, broken: bool
) -> Trouble:
    interval = backoff.ceiling(
        trouble.probes + 1, base_us=policy.probe_base_us, cap_us=policy.probe_cap_us
    )
    return Trouble(open=broken, probes=trouble.probes, probe_at=now + interval, scope=scope)


def _refused(
    lane: Lane, message: Message, outcome: Refused, now: int, u: float, policy: Policy
) -> Settled:
    refusals = lane.refusals + 1
    if outcome.retry_after_us is not None:
        wait = min(max(0, outcome.retry_after_us), policy.retry_after_max_us)
    else:
        wait = _backoff(refusals, u, policy)
    retry_at = now + wait
    if outcome.scope is not Scope.MESSAGE:
        lane = lane._replace(refusals=refusals, closed_until=max(lane.closed_until, retry_at))
        retry_at = 0
    too_old = now - message.due_at >= policy.refused_age_max_us
    if too_old and not message.cancel_requested:
        return Settled(lane, _ended(message, f"refused for too long: {outcome.reason}"))
    return Settled(lane, _released(message, outcome.reason, retry_at))


def _released(message: Message, reason: str, retry_at: int = 0) -> Message:
    """Back to its place unharmed, or cancelled if somebody asked for that during the call."""
    if message.cancel_requested:
        return _cancelled(message)
    return message.after(Event.RELEASE, retry_at=retry_at, reason=reason)


def _failed_once(message: Message, reason: str, now: int, u: float, policy: Policy) -> Message:
    failures = message.failures + 1
    message = message._replace(failures=failures)
    if message.cancel_requested:
        return _cancelled(message)
    if failures >= policy.max_attempts:
        return _ended(message, reason)
    return message.after(Event.RETRY, retry_at=now + _backoff(failures, u, policy), reason=reason)


def _unknown(message: Message, reason: str, now: int, u: float, policy: Policy) -> Message:
    resend = message.on_unknown is OnUnknown.RESEND and not message.unresolved
    if not resend or message.cancel_requested:
        return message.after(Event.LOSE, unresolved=True, reason=reason)
    retry_at = now + _backoff(1, u, policy)
    return message.after(
        Event.RETRY, retry_at=retry_at, unresolved=True, maybe_duplicate=True, reason=reason
    )


def _ended(message: Message, reason: str) -> Message:
    """Failed for good; but one that may have been delivered is a person's to resolve."""
    return message.after(Event.LOSE if message.unresolved else Event.FAIL, reason=reason)


def _cancelled(message: Message) -> Message:
    if message.unresolved:
        return message.after(
            Event.LOSE, reason="cancelled after a call that may have been delivered"
        )
    return message.after(Event.CANCEL)  # With the reason that was given when it was asked.


def _backoff(n: int, u: float, policy: Policy) -> int:
    return backoff.delay(n, base_us=policy.backoff_base_us, cap_us=policy.backoff_cap_us, u=u)
