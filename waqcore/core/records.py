"""What is told about messages, attempts and lanes, in one shape for every source.

A simulation, `waq export` of a live queue and a load test's database give the same columns, so that
they can be laid over each other. Instants are wall, in whole microseconds since the epoch.
"""

from typing import NamedTuple


class MessageRecord(NamedTuple):
    """One message as it stands at the end."""

    seq: int
    """Its sequence number: the order of enqueuing."""
    id: str
    sender: str
    priority: str
    """`bypass`, `high`, `normal` or `low`."""
    reference: str | None
    """Groups messages, such as the two of one registration; None: none."""
    enqueued_at: int
    send_at: int | None
    """Not before this; None: at once."""
    expires_at: int | None
    """Not after this; None: whenever its turn comes."""
    state: str
    attempts: int
    failures: int
    maybe_duplicate: bool
    first_called_at: int | None
    """When its first call started; None: it was never called."""
    called_at: int | None
    """When its last call started: for a sent message, its send time. None: never called."""
    ended_at: int | None
    """None: it has not ended."""
    eta_at: int | None
    """The median of the forecast made for its first call as it came; None: none was made."""
    eta_low_at: int | None
    """The lower end of that forecast's 90 % range."""
    eta_high_at: int | None
    """The upper end of that forecast's 90 % range."""


class AttemptRecord(NamedTuple):
    """One call."""

    seq: int
    """Of its message."""
    message_id: str
    sender: str
    priority: str
    number: int
    """1 for the message's first call."""
    ready_at: int | None
    """When its lane was free, by the pace or by what else had closed it; None: it always was, or
    it is not known, as in a simulation."""
    claimed_at: int | None
    """When its dispatcher decided to make it; None: not known, as in a simulation."""
    called_at: int | None
    """When the call started; None: not known to have left."""
    finished_at: int | None
    """None: still in flight, or its dispatcher died."""
    outcome: str | None
    """`accepted`, `refused`, `not_sent`, `unreachable`, `unknown`, `rejected`, `sender_down` or
    `not_called`; None: as `finished_at`."""
    detail: str


class LaneRecord(NamedTuple):
    """One thing that happened to a lane."""

    at: int
    sender: str | None
    """None: every lane."""
    event: str
    """`lane paused`, `breaker opened`, `lane recovered`, `pause`, `resume`, and so on."""
    detail: str
