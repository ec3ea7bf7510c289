"""Messages as applications and people see them: instants are aware datetimes, words are words."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache

from msgspec import Struct
from msgspec.structs import asdict, astuple

from waqcore.core.instants import SECOND
from waqcore.core.message import Priority, State
from waqcore.store.review import AttemptRow, MessageRow

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_WORDS = {priority.value: priority.word for priority in Priority}
_STATES = {state.value: state for state in State}


@lru_cache(maxsize=16)  # Messages of one batch share theirs.
def instant(wall_us: int) -> datetime:
    """A wall instant in microseconds since the epoch as an aware datetime, in UTC."""
    return _EPOCH + timedelta(microseconds=wall_us)


def wall_us(at: datetime) -> int:
    """An aware datetime as microseconds since the epoch.

    Raises:
        ValueError: it has no time zone, so it names no instant.
    """
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone; add one, such as +07:00")
    return int((at - _EPOCH).total_seconds()) * SECOND + at.microsecond


@dataclass(frozen=True, slots=True, kw_only=True)
class Eta:
    """When a queued message should be called for."""

    at: datetime | None
    """The median; None: unknown, `reason` says why."""
    low_at: datetime | None = None
    """9 of 10 calls start between this and `high_at`; None: as `at`."""
    high_at: datetime | None = None
    """None: nobody can say, and `reason` says why."""
    ahead: int
    """Messages due now that go before it."""
    exact: bool
    """False: `ahead` is from counters about a second old."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One call to the gateway."""

    number: int
    started_at: datetime
    finished_at: datetime | None
    """None: still in flight."""
    outcome: str | None
    """None: not known yet."""
    http_status: int | None
    """None: no HTTP answer came."""
    detail: str


class Message(Struct, frozen=True, kw_only=True, dict=True, eq=False):
    """A message as it was when it was asked for; its ETA is worked out when first looked at.

    Two are equal that say the same, however their ETA is worked out.
    """

    id: str
    sender: str
    recipient: str
    body: str
    priority: str
    """`high`, `normal`, `low`; `bypass` after `send_now`."""
    state: State
    reference: str | None
    idempotency_key: str | None
    enqueued_at: datetime
    send_at: datetime | None
    """Not before this; None: at once."""
    expires_at: datetime | None
    """Not after this; None: whenever its turn comes."""
    retry_at: datetime | None
    """The end of its backoff; None: it has none."""
    attempts: int
    failures: int
    on_unknown: str
    maybe_duplicate: bool
    cancel_requested: bool
    reason: str
    provider_id: str | None
    delivery: str | None
    ended_at: datetime | None
    """None: it has not ended."""
    batch: str | None
    """The clear it was cancelled in; None: it was not."""
    estimate: Callable[[], Eta | None]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return astuple(self)[:-1] == astuple(other)[:-1]

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        said = list(asdict(self).items())[:-1]
        return f"Message({', '.join(f'{name}={value!r}' for name, value in said)})"

    @cached_property
    def eta(self) -> Eta | None:
        """When it should be called for; None: it is not queued."""
        return self.estimate()

    @property
    def warning(self) -> str:
        """What the caller should know at once; empty if nothing."""
        if self.expires_at is None or self.eta is None or self.eta.at is None:
            return ""
        if self.eta.at < self.expires_at:
            return ""
        return (
            f"it expires at {self.expires_at.isoformat(timespec='seconds')}, before its turn, "
            f"expected at {self.eta.at.isoformat(timespec='seconds')}"
        )


def message_of(
    row: MessageRow, to_wall: Callable[[int], int], estimate: Callable[[], Eta | None]
) -> Message:
    """A stored message for people; `to_wall` turns steady instants into wall ones."""
    backing_off = row.retry_at and row.state == State.QUEUED
    return Message(
        id=row.id,
        sender=row.sender,
        recipient=row.recipient,
        body=row.body,
        priority=_WORDS[row.priority],
        state=_STATES[row.state],
        reference=row.reference,
        idempotency_key=row.idempotency_key,
        enqueued_at=instant(row.enqueued_at),
        send_at=_instant(row.send_at),
        expires_at=_instant(row.expires_at),
        retry_at=instant(to_wall(row.retry_at)) if backing_off else None,
        attempts=row.attempts,
        failures=row.failures,
        on_unknown=row.on_unknown,
        maybe_duplicate=bool(row.maybe_duplicate),
        cancel_requested=bool(row.cancel_requested),
        reason=row.reason,
        provider_id=row.provider_id,
        delivery=row.delivery,
        ended_at=_instant(row.ended_at),
        batch=row.batch,
        estimate=estimate,
    )


def attempt_of(row: AttemptRow) -> Attempt:
    """A stored attempt for people."""
    return Attempt(
        number=row.number,
        started_at=instant(row.started_at),
        finished_at=_instant(row.finished_at),
        outcome=row.outcome,
        http_status=row.http_status,
        detail=row.detail,
    )


def _instant(wall: int | None) -> datetime | None:
    return None if wall is None else instant(wall)
