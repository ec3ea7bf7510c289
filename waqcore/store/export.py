"""The store as records, read in portions by key, so that no read lasts and no memory grows.

Bodies and recipients are not even read here.
"""

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, bindparam, func, or_, select

from waqcore.clock import Clock
from waqcore.core.message import Priority
from waqcore.core.records import AttemptRecord, LaneRecord, MessageRecord
from waqcore.store import exclusive, steady
from waqcore.store.attempts import leased
from waqcore.store.tables import attempt, event, forecast, message

PORTION = 5_000
"""Messages, or lane events, read in one transaction: some 30 ms."""

NOISE_US = 10_000
"""Two clocks that are read one after the other may differ by this without either being set."""

BEGUN_WITHIN_US = 60_000_000
"""A claim whose row is written later than this has long lost its call: the wall was set since."""

_WORDS = {priority.value: priority.word for priority in Priority}

R = TypeVar("R")


class Which(NamedTuple):
    """Which rows; every condition that is set must hold."""

    since: int | None = None
    """Wall microseconds: messages enqueued, calls begun and events from this instant on; None: from
    the first."""
    until: int | None = None
    """Those before this instant; None: up to the newest."""
    sender: str | None = None
    """Events of every lane are each sender's too."""

    def conditions(
        self, at: Column[int], sender: ColumnElement[bool] | None
    ) -> list[ColumnElement[bool]]:
        """The WHERE clause, condition by condition; `sender` is its own."""
        wanted = (
            None if self.since is None else at >= self.since,
            None if self.until is None else at < self.until,
            None if self.sender is None else sender,
        )
        return [condition for condition in wanted if condition is not None]


class Portion(NamedTuple, Generic[R]):
    """The records of one read."""

    records: list[R]
    through: int
    """The key up to which everything has been read."""


def skew_us(connection: Connection, clock: Clock) -> int:
    """What the wall is ahead of the steady axis; of another boot, or machine, as it was then."""
    known = steady.known(connection)
    if known is None:
        return 0
    if exclusive.several_write(connection):
        return -known.offset_us  # The server's own clock, of which both are told.
    if known.boot_id == clock.boot_id:
        now = clock.wall_us() - clock.boot_us() - known.offset_us
        if abs(now - known.skew_us) > NOISE_US:
            return now
    return known.skew_us  # Exactly, so that a database read twice gives the same instants.


def newest(connection: Connection) -> tuple[int, int]:
    """The keys of the newest message and of the newest event; 0: there is none."""
    of_message = connection.scalar(select(func.max(message.c.seq)))
    return of_message or 0, connection.scalar(select(func.max(event.c.id))) or 0


_messages = (
    select(
        message.c.seq,
        message.c.id,
        message.c.sender,
        message.c.priority,
        message.c.reference,
        message.c.enqueued_at,
        message.c.send_at,
        message.c.expires_at,
        message.c.state,
        message.c.attempts,
        message.c.failures,
        message.c.maybe_duplicate,
        message.c.ended_at,
        forecast.c.at,
        forecast.c.low_at,
        forecast.c.high_at,
    )
    .join_from(message, forecast, forecast.c.message_seq == message.c.seq, isouter=True)
    .order_by(message.c.seq)
)

_calls = (
    select(
        attempt.c.message_seq,
        attempt.c.started_at,
        attempt.c.called_at,
        attempt.c.finished_at,
    )
    .where(attempt.c.called_at.is_not(None))
    .where(attempt.c.message_seq.between(bindparam("first"), bindparam("last")))
    .order_by(attempt.c.message_seq, attempt.c.number)
)

_attempts = (
    select(
        attempt.c.message_seq,
        message.c.id,
        message.c.sender,
        message.c.priority,
        attempt.c.number,
        attempt.c.token,
        attempt.c.started_at,
        attempt.c.called_at,
        attempt.c.finished_at,
        attempt.c.outcome,
        attempt.c.detail,
    )
    .join_from(attempt, message, message.c.seq == attempt.c.message_seq)
    .order_by(attempt.c.message_seq, attempt.c.number)
)

_events = select(event.c.at, event.c.sender, event.c.action, event.c.detail).order_by(event.c.id)


def messages(
    connection: Connection, after: int, to: int, which: Which, skew: int
) -> Portion[MessageRecord] | None:
    """The next messages after a sequence number, up to another; None: there are none."""
    through = _through(connection, message.c.seq, after, to)
    if through is None:
        return None
    conditions = which.conditions(message.c.enqueued_at, message.c.sender == which.sender)
    query = _messages.where(message.c.seq > after, message.c.seq <= through, *conditions)
    rows = connection.execute(query).all()
    called = _first_and_last(connection, rows, skew)
    return Portion([_message(row, called) for row in rows], through)


def attempts(
    connection: Connection, after: int, to: int, which: Which, skew: int
) -> Portion[AttemptRecord] | None:
    """The calls for the next messages after a sequence number, up to another; None: there are no
    such messages."""
    through = _through(connection, message.c.seq, after, to)
    if through is None:
        return None
    conditions = which.conditions(attempt.c.started_at, message.c.sender == which.sender)
    between = (attempt.c.message_seq > after, attempt.c.message_seq <= through)
    rows = connection.execute(_attempts.where(*between, *conditions))
    return Portion([_attempt(row, skew) for row in rows], through)


def lane_events(
    connection: Connection, after: int, to: int, which: Which
) -> Portion[LaneRecord] | None:
    """The next events after one, up to another; None: there are none."""
    through = _through(connection, event.c.id, after, to)
    if through is None:
        return None
    theirs = or_(event.c.sender == which.sender, event.c.sender.is_(None))
    conditions = which.conditions(event.c.at, theirs)
    query = _events.where(event.c.id > after, event.c.id <= through, *conditions)
    return Portion([LaneRecord(*row) for row in connection.execute(query)], through)


def _through(connection: Connection, key: Column[int], after: int, to: int) -> int | None:
    """The last key of the next portion, whatever of it is wanted: a filter that fits nothing must
    not make one read of a million rows."""
    some = select(key).where(key > after, key <= to).order_by(key).limit(PORTION).subquery()
    found: int | None = connection.scalar(select(func.max(some.c[key.name])))
    return found


_Called = dict[int, tuple[int, int]]


def _first_and_last(connection: Connection, rows: Sequence[Any], skew: int) -> _Called:
    """By message, when its first and its last call started; those never called are left out."""
    called: _Called = {}
    if rows:
        between = {"first": rows[0].seq, "last": rows[-1].seq}
        for seq, started_at, called_at, finished_at in connection.execute(_calls, between):
            at = _left_at(called_at + skew, started_at, finished_at)
            called[seq] = (called[seq][0] if seq in called else at, at)
    return called


def _message(row: Any, called: _Called) -> MessageRecord:
    seq, id_, sender, priority, reference, enqueued_at, send_at, expires_at, *rest = row
    state, attempts, failures, maybe_duplicate, ended_at, *eta = rest
    first, last = called.get(seq, (None, None))
    return MessageRecord(
        seq,
        id_,
        sender,
        _WORDS[priority],
        reference,
        enqueued_at,
        send_at,
        expires_at,
        state,
        attempts,
        failures,
        bool(maybe_duplicate),
        first,
        last,
        ended_at,
        *eta,
    )


def _attempt(row: Any, skew: int) -> AttemptRecord:
    seq, id_, sender, priority, number, token, started_at, called_at, finished_at, *said = row
    if called_at is not None:
        called_at = _left_at(called_at + skew, started_at, finished_at)
    ready_at, claimed_at = _claimed(token, started_at, skew)
    instants = (ready_at, claimed_at, called_at, finished_at)
    return AttemptRecord(seq, id_, sender, _WORDS[priority], number, *instants, *said)


def _claimed(token: str, started_at: int, skew: int) -> tuple[int | None, int | None]:
    """When the lane was free and the call was decided on; None where it is not known.

    As the wall showed it then: a claim is soon followed by its row, whatever the wall shows since.
    """
    told = leased(token)
    if told is None:
        return None, None
    claimed_at = told.claimed_at + skew
    if not 0 <= started_at - claimed_at <= BEGUN_WITHIN_US:
        claimed_at = started_at
    shift = claimed_at - told.claimed_at
    return told.ready_at + shift if told.ready_at else None, claimed_at


def _left_at(at: int, started_at: int, finished_at: int | None) -> int:
    """When a call left, as the wall showed it then.

    That was between the wall instants at which its row was written and at which its answer was
    there: a wall that was set since must not move it out of them.
    """
    return max(started_at, at if finished_at is None else min(at, finished_at))
