"""One sender's state: what it must remember to keep its pace, and until when it may not call."""

from enum import StrEnum

from msgspec.structs import replace

from waqcore.core.instants import NEVER
from waqcore.core.outcome import Scope
from waqcore.core.policy import Policy
from waqcore.core.value import Value


class PausedBy(StrEnum):
    """Who stopped a lane; a person's pause ends by a person or by its own end alone."""

    PERSON = "person"
    GATEWAY = "gateway"


class Pause(Value, frozen=True):
    """A stop with a reason."""

    by: PausedBy
    reason: str
    at: int
    until: int = NEVER


class Trouble(Value, frozen=True):
    """The breaker: calls that failed in a row, and the probing that follows."""

    troubled: tuple[int, ...] = ()
    """Sequence numbers of the different messages whose calls failed in a row."""
    open: bool = False
    probes: int = 0
    """Probes since the last clear answer. Above 0 with the breaker closed: on trial, one more
    failure opens it again."""
    probe_at: int = NEVER
    scope: Scope = Scope.LANE


CALM = Trouble()


class Lease(Value, frozen=True):
    """A dispatcher's right to call for one message."""

    token: str
    message_seq: int
    holder: str
    """The dispatcher's id."""
    claimed_at: int
    call_by: int
    """The call begins by this instant or not at all; whoever takes over counts the pace from it."""
    until: int
    """When the holder, unless heard of again, is dead."""


class Lane(Value, frozen=True):
    """One sender's durable state; all instants on the steady clock."""

    sender: str
    paced_until: int = 0
    """No call before this: the last one plus the pace, guard and jitter."""
    closed_until: int = 0
    """No call before this: the gateway refused, or asked for a wait."""
    refusals: int = 0
    """Refusals in a row, for their backoff where the gateway names no wait."""
    opens_at: int = 0
    """The end of the gather that a first arrival opened."""
    idle_since: int | None = 0
    """When nothing was left to send; None while something waits or is being sent."""
    cap_since: int = 0
    """When the cap's present window opened."""
    cap_calls: int = 0
    """Calls in the cap's present window."""
    pause: Pause | None = None
    """None: not paused."""
    trouble: Trouble = CALM
    lease: Lease | None = None
    """None: no call in flight."""

    def paused(self, now: int) -> Pause | None:
        """The pause in force, None once its own end has passed."""
        return self.pause if self.pause is not None and self.pause.until > now else None

    def ready_at(self, policy: Policy) -> int:
        """The earliest instant the pace, a refusal, the gather and the cap all allow a call.

        Quiet hours are not in it: they hold only some priorities.
        """
        ready_at = max(self.paced_until, self.closed_until, self.opens_at)
        cap = policy.cap
        if cap is not None and self.cap_calls >= cap.calls:
            ready_at = max(ready_at, self.cap_since + cap.window_us)
        return ready_at

    def paced_from(self, called_at: int, *, answered_at: int, u: float, policy: Policy) -> "Lane":
        """The lane after a call that left at `called_at` and was over at `answered_at`.

        The answer is the only proof of when a call had arrived, so the round trip, up to the guard,
        lengthens the gap; `u` in [0, 1) draws the jitter.
        """
        gap = policy.pace_us
        if policy.guard_us:
            gap += min(max(0, answered_at - called_at), policy.guard_us)
        if policy.jitter_us:
            gap += int(u * policy.jitter_us)
        paced_until = max(self.paced_until, called_at + gap)
        lane = replace(self, paced_until=paced_until, lease=None)
        return lane if policy.cap is None else lane._counted(called_at, policy.cap.window_us)

    def leased(self, lease: Lease) -> "Lane":
        """The lane with a call of its own in flight."""
        return replace(self, lease=lease)

    def _counted(self, called_at: int, window_us: int) -> "Lane":
        if self.cap_calls == 0 or called_at >= self.cap_since + window_us:
            return self._replace(cap_since=called_at, cap_calls=1)
        return self._replace(cap_calls=self.cap_calls + 1)
