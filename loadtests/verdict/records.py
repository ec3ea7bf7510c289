"""The lines of a run's files. Instants (`_at`) are wall microseconds since the epoch.

Where the service's wall was stepped, what it wrote and told is by its own (`wall` has the true).
"""

from enum import StrEnum
from typing import Annotated

import msgspec

PRIORITIES = ("bypass", "high", "normal", "low")
"""In the order they go."""

US = 1_000_000
"""Microseconds in a second."""

Positive = Annotated[float, msgspec.Meta(gt=0.0)]
NotNegative = Annotated[float, msgspec.Meta(ge=0.0)]


class Delivered(msgspec.Struct, frozen=True):
    """A text on a phone."""

    recipient: str
    text: str


class Call(msgspec.Struct, frozen=True):
    """A send call as the gateway received it: a line of `calls.jsonl`."""

    call: int
    arrived_us: int
    """On the gateway's steady clock: gaps are judged by it."""
    arrived_at: int
    sender: str
    recipients: tuple[str, ...]
    text: str
    deliveries: tuple[Delivered, ...]
    status: int
    """Of the HTTP answer; 0: there was none."""
    fault: str
    """`ok`, or what went wrong on order."""


class Message(msgspec.Struct, frozen=True):
    """A message as the database holds it: a line of `messages.jsonl`, from `waq export`."""

    seq: int
    id: str
    sender: str
    priority: str
    enqueued_at: int
    state: str
    attempts: int
    failures: int
    maybe_duplicate: bool
    reference: str | None = None
    send_at: int | None = None
    ended_at: int | None = None

    @property
    def rank(self) -> int:
        """Its priority as a number; 0 goes first."""
        return PRIORITIES.index(self.priority)

    @property
    def due_at(self) -> int:
        """When it could first have been called."""
        return max(self.enqueued_at, self.send_at or 0)


class Attempt(msgspec.Struct, frozen=True):
    """A call as the database holds it: a line of `attempts.jsonl`, from `waq export`."""

    message_id: str
    sender: str
    number: int
    called_at: int | None = None
    """None: not known to have left."""
    finished_at: int | None = None
    outcome: str | None = None
    claimed_at: int | None = None
    """When the call was decided on."""


class Acknowledged(msgspec.Struct, frozen=True, kw_only=True):
    """A message that a 202 promised: a line of `acknowledged.jsonl`, Locust's own record."""

    id: str
    kind: str
    acknowledged_at: int
    priority: str | None = None
    recipient: str | None = None
    """Digits, as the gateway has them; None: not known to whoever kept the record."""
    sender: str | None = None
    mark: str | None = None
    """What its text alone holds, of those to this recipient; None: it is the one without."""
    took_us: int | None = None
    """From the request to its 202."""
    eta_at: int | None = None
    eta_low_at: int | None = None
    eta_high_at: int | None = None


class Disturbance(StrEnum):
    """What chaos does."""

    KILL = "kill"
    DROP = "drop"
    FULL = "full disk"
    STEP = "clock step"


class Chaos(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done to the system while it worked."""

    what: Disturbance
    at: int
    restored_at: int
    """When it was started anew, or there again; a clock: when it had surely been stepped."""
    ahead_us: int = 0
    """A step: how far the service's wall was ahead of the true one from then on."""
    detail: str = ""


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a measure becomes a problem; None: it is told and not judged."""

    failed_share: NotNegative | None = 0.01
    failed_share_shown: Positive | None = None
    """What the whole 95 % interval of that share must be below, which takes thousands of messages:
    three attempts at 10 % of failures, 0.1 %, can then be told from two, 1 %."""
    recovery_s: Positive | None = 15.0
    memory_growth_mb: NotNegative | None = 3.0
    """The end above minute five, of one life or of many (`lives`); shorter runs are not judged."""
    handle_growth: NotNegative | None = 20.0
    order_slack_ms: NotNegative = 50.0
    """How long before a call a message must have been acknowledged and due to go before it."""
    eta_coverage: NotNegative | None = None
    acknowledge_p99_ms: Positive | None = None


class End(StrEnum):
    """How a run ended."""

    DRAINED = "drained"  # Nothing was left to send.
    INTERRUPTED = "interrupted"  # By a person: what is queued may be.
    STUCK = "stuck"  # The queue did not drain in the time it was given.


class Run(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was run: `run.json`."""

    scenario: str
    seed: int
    pace_s: Positive
    guard_s: NotNegative = 0.0
    started_at: int
    ended_at: int
    end: End = End.DRAINED
    max_attempts: Annotated[int, msgspec.Meta(ge=1)] = 3
    call_timeout_s: Positive = 30.0
    parameters: dict[str, str | int | float | bool | None] = {}
    versions: dict[str, str] = {}
    chaos: tuple[Chaos, ...] = ()
    limits: Limits = Limits()
    remarks: tuple[str, ...] = ()
    """What whoever ran it has to say, such as why it ended early."""


class Sample(msgspec.Struct, frozen=True):
    """What a process held at an instant: a line of `samples.jsonl`."""

    at: int
    process: str
    pid: int
    rss_bytes: int
    handles: int
