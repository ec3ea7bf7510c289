"""The rules a lane is run by: every duration in microseconds, every default with its reason."""

from functools import cache

from waqcore.core.instants import DAY, HOUR, MINUTE, SECOND
from waqcore.core.message import Priority
from waqcore.core.value import Value


class TimeShift(Value, frozen=True):
    """The head start of a priority over `low`, instead of strict priority.

    A message is ordered by its first-due instant minus its head start, so a low one waits behind at
    most those high ones that fall due within `high_us` after it: starvation has a bound.
    Source: the priority of Inngest's and Trigger.dev's queues.
    """

    high_us: int
    normal_us: int = 0

    def of(self, priority: Priority) -> int:
        """The head start in microseconds of a priority (bypass has its own rule)."""
        match priority:
            case Priority.HIGH:
                return self.high_us
            case Priority.NORMAL:
                return self.normal_us
            case _:
                return 0


class Quiet(Value, frozen=True):
    """A daily stretch in which only `high` and bypassing messages leave."""

    starts_us: int
    """Microseconds after local midnight."""
    ends_us: int
    """Microseconds after local midnight; before `starts_us` where the stretch spans midnight."""


class Cap(Value, frozen=True):
    """At most `calls` calls in a window of `window_us` that opens with its first call."""

    calls: int
    window_us: int = DAY


class Policy(Value, frozen=True):
    """How one lane is paced, ordered, retried and protected."""

    pace_us: int = 10 * SECOND
    guard_us: int = 250_000
    """Added to the pace, up to the call's own round trip, for arrivals that vary: with none, 14 %
    of gaps were short by the gateway's log. With 50 ms up to 76 of 25,000 were on a machine with no
    core to spare; whatever is no shorter than the round trip leaves none."""
    jitter_us: int = 0
    """Up to this much is added to each gap; nothing ever shortens one."""
    gather_us: int = 0
    """An idle lane waits this long before its first call, so that a burst is ordered first."""
    time_shift: TimeShift | None = None
    """None: strict priority."""
    quiet: Quiet | None = None
    """None: no quiet hours."""
    cap: Cap | None = None
    """None: no cap."""
    max_attempts: int = 3
    backoff_base_us: int = 5 * SECOND
    backoff_cap_us: int = 10 * MINUTE
    refused_age_max_us: int = DAY
    """A message refused when it has been due for longer than this fails."""
    retry_after_max_us: int = HOUR
    """A gateway's `Retry-After` is believed up to this: a typo must not close a lane for a year."""
    breaker_threshold: int = 3
    """Consecutive failing calls, over as many different messages, that open the breaker."""
    probe_base_us: int = 15 * SECOND
    probe_cap_us: int = 5 * MINUTE
    lease_us: int = 15 * SECOND
    """A dispatcher that has not been heard of for this long is dead."""
    sending_max_us: int = 30 * MINUTE
    """The longest a message may stay in `sending`, whatever its dispatcher says."""

    @property
    def call_window_us(self) -> int:
        """How long after its claim a call may still begin.

        A crash costs up to this much over the pace, so it is a fraction of it; below a quarter of a
        second a busy machine would refuse its own calls, above three a slow connection has failed.
        """
        return _call_window_us(self.pace_us)


@cache
def _call_window_us(pace_us: int) -> int:
    return min(3 * SECOND, max(250_000, pace_us * 3 // 10))


class Sender(Value, frozen=True):
    """A number we send from, and the rules and the gateway account of its lane."""

    number: str
    """Digits, as the gateway has it registered."""
    account: str
    """Names the gateway address and key it shares with others: one trouble there is one event."""
    policy: Policy
