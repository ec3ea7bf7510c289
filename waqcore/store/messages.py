"""Messages as rows: the heads of a lane for a decision, and what a decision made of them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Update,
    bindparam,
    func,
    literal,
    literal_column,
    select,
    union_all,
    update,
)

from waqcore.clock import Now
from waqcore.core.instants import NEVER
from waqcore.core.message import Message, OnUnknown, Priority, State
from waqcore.store import exclusive, outbox
from waqcore.store.among import among
from waqcore.store.each import UpdateEach
from waqcore.store.lanes import chunks
from waqcore.store.tables import REVIEWED_STATES, lane, message

QUEUED = message.c.state == literal_column("'queued'")
"""As a literal, never a parameter: else no partial index can serve it."""

REVIEWED = message.c.state.in_([literal_column(f"'{state.value}'") for state in REVIEWED_STATES])
"""The condition of the index of what people review, as that states it."""


class Stored(NamedTuple):
    """A message with what its call needs."""

    message: Message
    sender: str
    recipient: str
    body: str
    lease_token: str | None
    """None: not being sent."""


SCHEDULED_BY = (
    message.c.seq,
    message.c.id,
    message.c.priority,
    message.c.enqueued_at,
    message.c.send_at,
    message.c.retry_at,
    message.c.expires_at,
    message.c.state,
    message.c.attempts,
    message.c.failures,
    message.c.on_unknown,
    message.c.unresolved,
    message.c.maybe_duplicate,
    message.c.cancel_requested,
    message.c.reason,
)
"""What the core needs of a message."""
_columns = (
    *SCHEDULED_BY,
    message.c.sender,
    message.c.recipient,
    message.c.body,
    message.c.lease_token,
)
_of_senders = among(lane.c.sender, "senders")
_priorities = union_all(*(select(literal(p.value).label("priority")) for p in Priority)).cte()


def _heads() -> Select[Any]:
    """The first due message of each priority of some lanes, unscheduled and scheduled."""
    first = (
        select(message.c.seq)
        .where(
            message.c.sender == lane.c.sender,
            message.c.priority == _priorities.c.priority,
            QUEUED,
            message.c.retry_at <= bindparam("steady"),
        )
        .correlate(lane, _priorities)
        .limit(1)
    )
    # By `send_at` too, though all have none: PostgreSQL would else walk the primary key, past all
    # that has ended, where it takes a due message to be near its start.
    at_once = first.where(message.c.send_at.is_(None)).order_by(message.c.send_at, message.c.seq)
    scheduled = first.where(message.c.send_at <= bindparam("wall"))
    scheduled = scheduled.order_by(message.c.send_at, message.c.seq)
    places = [
        select(one.scalar_subquery().label("seq"))
        .select_from(lane.join(_priorities, literal_column("1") == literal_column("1")))
        .where(_of_senders)
        for one in (at_once, scheduled)
    ]
    seqs = union_all(*places).cte()
    return select(*_columns).join_from(seqs, message, message.c.seq == seqs.c.seq)


_load_heads = _heads()
_load_by_seq = select(*_columns).where(among(message.c.seq, "seqs"))
_lock_by_seq = _load_by_seq.order_by(message.c.seq).with_for_update(key_share=True)
_next_due = select(
    lane.c.sender,
    select(func.min(message.c.send_at))
    .where(message.c.sender == lane.c.sender, QUEUED, message.c.send_at > bindparam("wall"))
    .correlate(lane)
    .scalar_subquery(),
    select(func.min(message.c.retry_at))
    .where(
        message.c.sender == lane.c.sender,
        QUEUED,
        message.c.retry_at > literal_column("0"),
        message.c.retry_at > bindparam("steady"),
    )
    .correlate(lane)
    .scalar_subquery(),
).where(_of_senders)


def _saved(new: Mapping[str, ColumnElement[Any]]) -> Update:
    # Names state and token as they were read: nothing that moved on meanwhile is ever overwritten.
    return (
        update(message)
        .where(
            message.c.seq == new["of"],
            message.c.state == new["was"],
            message.c.lease_token.is_not_distinct_from(new["was_leased"]),
        )
        .values(
            {name: new[name] for name in _CHANGED}
            | {"provider_id": func.coalesce(new["provider_id"], message.c.provider_id)}
        )
    )


_CHANGED = (
    "state",
    "retry_at",
    "attempts",
    "failures",
    "unresolved",
    "maybe_duplicate",
    "cancel_requested",
    "reason",
    "lease_token",
    "priority",
    "expires_at",
    "ended_at",
    "provider_id",
    "batch",
)
_save = UpdateEach(
    _saved,
    {
        "of": message.c.seq,
        "was": message.c.state,
        "was_leased": message.c.lease_token,
        **{name: message.c[name] for name in _CHANGED},
    },
)


def heads(connection: Connection, senders: Collection[str], now: Now) -> dict[str, list[Stored]]:
    """The first due messages of each priority, by sender: at most one unscheduled and one not."""
    by_sender: dict[str, list[Stored]] = {}
    for chunk in chunks(list(senders)):
        values = {"senders": chunk, "steady": now.steady, "wall": now.wall}
        for row in connection.execute(_load_heads, values):
            stored = _stored(row, now)
            by_sender.setdefault(stored.sender, []).append(stored)
    return by_sender


def next_due(connection: Connection, senders: Collection[str], now: Now) -> dict[str, int]:
    """When, on the steady axis, the next message that is not due yet falls due, by sender."""
    due: dict[str, int] = {}
    for chunk in chunks(list(senders)):
        values = {"senders": chunk, "steady": now.steady, "wall": now.wall}
        for sender, send_at, retry_at in connection.execute(_next_due, values):
            scheduled_at = NEVER if send_at is None else now.to_steady(send_at)
            due[sender] = min(scheduled_at, NEVER if retry_at is None else retry_at)
    return due


def by_seq(connection: Connection, seqs: Sequence[int], now: Now) -> dict[int, Stored]:
    """Read messages by their sequence numbers."""
    rows = (
        row for chunk in chunks(seqs) for row in connection.execute(_load_by_seq, {"seqs": chunk})
    )
    return {row.seq: _stored(row, now) for row in rows}


def lock_by_seq(connection: Connection, seqs: Sequence[int], now: Now) -> dict[int, Stored]:
    """As `by_seq`, and have them to ourselves until the transaction's end: else a call might begin
    between this look and what it is for."""
    if not exclusive.several_write(connection):
        return by_seq(connection, seqs, now)
    rows = (
        row
        for chunk in chunks(sorted(seqs))
        for row in connection.execute(_lock_by_seq, {"seqs": chunk})
    )
    return {row.seq: _stored(row, now) for row in rows}


class Change(NamedTuple):
    """A message as it was read, and as it is now."""

    before: Stored
    after: Message
    lease_token: str | None = None
    """The token it is being sent under; None: it is not."""
    provider_id: str | None = None
    """The gateway's id of it; None leaves what is known."""
    batch: str | None = None
    """The batch it was cleared in; None: it was not."""


def save(connection: Connection, changes: Sequence[Change], now: Now) -> None:
    """Write what a decision made of messages, in the transaction that read them."""
    if not changes:
        return
    saved = _save.execute(connection, [_row(change, now) for change in changes])
    assert saved == len(changes), "a message changed under its transaction's lock"
    rested = [change.after.seq for change in changes if change.after.state in outbox.TOLD]
    if rested:
        outbox.write(connection, rested, now)


_ENDED = frozenset({State.SENT, State.FAILED, State.CANCELLED, State.EXPIRED})


def _row(change: Change, now: Now) -> dict[str, Any]:
    after = change.after
    never = after.expires_at >= NEVER
    return {
        "of": after.seq,
        "was": change.before.message.state.value,
        "was_leased": change.before.lease_token,
        "state": after.state.value,
        "retry_at": after.retry_at,
        "attempts": after.attempts,
        "failures": after.failures,
        "unresolved": int(after.unresolved),
        "maybe_duplicate": int(after.maybe_duplicate),
        "cancel_requested": int(after.cancel_requested),
        "reason": after.reason,
        "lease_token": change.lease_token,
        "priority": int(after.priority),
        "expires_at": None if never else now.to_wall(after.expires_at),
        "ended_at": now.wall if after.state in _ENDED else None,
        "provider_id": change.provider_id,
        "batch": change.batch,
    }


_PRIORITIES = {priority.value: priority for priority in Priority}
_STATES = {state.value: state for state in State}
_ON_UNKNOWN = {choice.value: choice for choice in OnUnknown}


def _stored(row: Row[*tuple[Any, ...]], now: Now) -> Stored:
    (
        seq,
        id_,
        priority,
        enqueued_at,
        send_at,
        retry_at,
        expires_at,
        state,
        attempts,
        failures,
        *_,
    ) = row
    due_at = enqueued_at if send_at is None or send_at < enqueued_at else send_at
    core = Message(
        seq,
        id_,
        _PRIORITIES[priority],
        now.to_steady(due_at),
        retry_at,
        NEVER if expires_at is None else now.to_steady(expires_at),
        _STATES[state],
        attempts,
        failures,
        _ON_UNKNOWN[row[10]],
        bool(row[11]),
        bool(row[12]),
        bool(row[13]),
        row[14],
    )
    return Stored(core, row[15], row[16], row[17], row[18])
