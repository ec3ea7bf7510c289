"""A message as the scheduler sees it, and the whole life it can have, as one table."""

from enum import IntEnum, StrEnum

from msgspec.structs import replace

from waqcore.core.errors import IllegalTransition
from waqcore.core.instants import NEVER
from waqcore.core.value import Value


class Priority(IntEnum):
    """Which message of a lane goes first; the smaller number wins."""

    BYPASS = 0  # Set by `send_now` alone: before everything queued, still at the pace.
    HIGH = 1  # Payment links, payment results, urgent notices.
    NORMAL = 2  # Registration confirmations.
    LOW = 3  # Marketing.

    @property
    def word(self) -> str:
        """The name people and interfaces use."""
        return self.name.lower()


class State(StrEnum):
    """Where a message is in its life."""

    __hash__ = str.__hash__  # An enum's own is a Python function, and every transition asks twice.

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"  # A call nobody knows the end of; a person resolves it.
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Event(StrEnum):
    """What can happen to a message."""

    __hash__ = str.__hash__

    LEASE = "lease"
    ACCEPT = "accept"
    RETRY = "retry"  # A call failed, or may have; the message is due again after a backoff.
    RELEASE = "release"  # Back unharmed: refused, unreachable, paused, or never called.
    FAIL = "fail"
    LOSE = "lose"  # The outcome is unknown and stays so until a person decides.
    CANCEL = "cancel"
    EXPIRE = "expire"
    RESTORE = "restore"
    RETRY_BY_HAND = "retry by hand"
    RESOLVE_SENT = "resolve sent"
    RESOLVE_RESEND = "resolve resend"
    RESOLVE_DROP = "resolve drop"


TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.QUEUED, Event.LEASE): State.SENDING,
    (State.QUEUED, Event.CANCEL): State.CANCELLED,
    (State.QUEUED, Event.EXPIRE): State.EXPIRED,
    (State.QUEUED, Event.LOSE): State.UNKNOWN,
    (State.SENDING, Event.ACCEPT): State.SENT,
    (State.SENDING, Event.RETRY): State.QUEUED,
    (State.SENDING, Event.RELEASE): State.QUEUED,
    (State.SENDING, Event.FAIL): State.FAILED,
    (State.SENDING, Event.LOSE): State.UNKNOWN,
    (State.SENDING, Event.CANCEL): State.CANCELLED,
    (State.CANCELLED, Event.RESTORE): State.QUEUED,
    (State.FAILED, Event.RETRY_BY_HAND): State.QUEUED,
    (State.EXPIRED, Event.RETRY_BY_HAND): State.QUEUED,
    (State.UNKNOWN, Event.RESOLVE_SENT): State.SENT,
    (State.UNKNOWN, Event.RESOLVE_RESEND): State.QUEUED,
    (State.UNKNOWN, Event.RESOLVE_DROP): State.CANCELLED,
    # A call given up as unknown turns out, late, to have been accepted.
    (State.QUEUED, Event.ACCEPT): State.SENT,
    (State.UNKNOWN, Event.ACCEPT): State.SENT,
    (State.CANCELLED, Event.ACCEPT): State.SENT,
    (State.EXPIRED, Event.ACCEPT): State.SENT,
    (State.FAILED, Event.ACCEPT): State.SENT,
}


def advance(state: State, event: Event) -> State:
    """Return the state that follows.

    Raises:
        IllegalTransition: the table has no such pair.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise IllegalTransition(state, event) from None


def states_taking(event: Event) -> tuple[State, ...]:
    """The states an event may find a message in, in the table's order: the guard of its UPDATE."""
    return tuple(state for state, taken in TRANSITIONS if taken is event)


class OnUnknown(StrEnum):
    """What to do about a call whose outcome nobody can know."""

    RESEND = "resend"  # Once, marked `maybe_duplicate`.
    HOLD = "hold"


class Message(Value, frozen=True):
    """What scheduling and settling need to know of a message, and nothing of what it says."""

    seq: int
    id: str
    priority: Priority = Priority.NORMAL
    due_at: int = 0
    """First-due instant: the later of when it was enqueued and its `send_at`."""
    retry_at: int = 0
    """Not before this instant, after a backoff; 0 when there is none."""
    expires_at: int = NEVER
    state: State = State.QUEUED
    attempts: int = 0
    """Calls made over its whole life."""
    failures: int = 0
    """Calls whose failure was its own; a retry by hand sets it back to 0."""
    on_unknown: OnUnknown = OnUnknown.RESEND
    unresolved: bool = False
    """A call of it ended unknown, and nothing since has told whether it was delivered."""
    maybe_duplicate: bool = False
    cancel_requested: bool = False
    """Cancelled while its call was in flight; honoured if the call turns out not sent."""
    reason: str = ""
    """Why it is where it is, for a person."""

    def after(self, event: Event, **changes: object) -> "Message":
        """The message after an event of the table.

        Raises:
            IllegalTransition: the table has no such pair.
        """
        state = advance(self.state, event)
        # Handing on what is not there takes longer than all the rest.
        return replace(self, state=state, **changes) if changes else replace(self, state=state)

    def begun(self) -> "Message":
        """The message with one attempt more: its row is written, and the call may begin."""
        return replace(self, attempts=self.attempts + 1)
