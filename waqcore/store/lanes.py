"""Lanes as rows: loaded for a decision, saved with it."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from waqcore.clock import Now
from waqcore.core.instants import NEVER
from waqcore.core.lane import CALM, Lane, Lease, Pause, PausedBy, Trouble
from waqcore.core.outcome import Scope
from waqcore.store import exclusive
from waqcore.store.among import among
from waqcore.store.each import UpdateEach
from waqcore.store.tables import dispatcher, lane

IN_MAX = 512
"""Values in one IN list: SQLite's own bound on parameters was 999 for long."""

_load = (
    select(lane, dispatcher.c.lease_until)
    .select_from(lane.outerjoin(dispatcher, dispatcher.c.id == lane.c.lease_holder))
    .where(among(lane.c.sender, "senders"))
)
_kept = {column.name: column for column in lane.c if column.name != "sender"}
_save = UpdateEach(
    lambda new: (
        update(lane).where(lane.c.sender == new["of"]).values({name: new[name] for name in _kept})
    ),
    {"of": lane.c.sender, **_kept},
)

# Not FOR UPDATE, which would wait for whoever checks a foreign key. In one order, so that no two
# who lock several lanes wait for each other.
_lock = (
    select(lane.c.sender)
    .where(among(lane.c.sender, "senders"))
    .order_by(lane.c.sender)
    .with_for_update(key_share=True)
)
_lock_free = _lock.with_for_update(key_share=True, skip_locked=True)


def chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """Split values into runs for IN lists, each filled up to a power of two with its last value.

    So a statement has ten lengths, and a server plans each of them once: planning the look at a
    lane's heads was measured to take longer than the look.
    """
    for start in range(0, len(values), IN_MAX):
        run = list(values[start : start + IN_MAX])
        yield run + run[-1:] * ((1 << (len(run) - 1).bit_length()) - len(run))


def known(connection: Connection) -> set[str]:
    """The senders that have a lane."""
    return set(connection.scalars(select(lane.c.sender)))


def add(connection: Connection, senders: Collection[str]) -> None:
    """Give senders a lane; one that has it keeps it as it is."""
    exclusive.alone(connection, "new lanes")
    missing = [{"sender": sender} for sender in sorted(set(senders) - known(connection))]
    if missing:
        connection.execute(insert(lane), missing)


def lock(connection: Connection, senders: Collection[str]) -> None:
    """Have lanes, and the messages in them, to ourselves until the transaction's end.

    What was read of them before may have changed since: read again.
    """
    if exclusive.several_write(connection):
        for chunk in chunks(sorted(senders)):
            connection.execute(_lock, {"senders": chunk}).all()


def lock_free(connection: Connection, senders: Collection[str]) -> Collection[str]:
    """As `lock`, but only those that nobody else has, and without waiting; returns them."""
    if not exclusive.several_write(connection):
        return senders
    return [
        sender
        for chunk in chunks(sorted(senders))
        for sender in connection.scalars(_lock_free, {"senders": chunk})
    ]


def load(connection: Connection, senders: Collection[str], now: Now) -> dict[str, Lane]:
    """Read lanes by sender; one without a row is left out."""
    rows = (
        row
        for chunk in chunks(list(senders))
        for row in connection.execute(_load, {"senders": chunk})
    )
    return {row[0]: _lane(row, now) for row in rows}


def save(connection: Connection, lanes: Collection[Lane], now: Now) -> None:
    """Write lanes back whole, in the transaction that loaded them."""
    if lanes:
        _save.execute(connection, [_row(lane, now) for lane in lanes])


def _lane(row: Row[*tuple[Any, ...]], now: Now) -> Lane:
    pause = None
    if row.pause_by is not None:
        until = NEVER if row.pause_until is None else now.to_steady(row.pause_until)
        at = now.to_steady(row.pause_at)
        pause = Pause(PausedBy(row.pause_by), row.pause_reason, at, until)
    lease = None
    if row.lease_token is not None:
        lease = Lease(
            token=row.lease_token,
            message_seq=row.lease_message,
            holder=row.lease_holder,
            claimed_at=row.lease_claimed_at,
            call_by=row.lease_call_by,
            until=row.lease_until or 0,  # A holder without a row is gone.
        )
    sender, paced_until, closed_until, refusals, opens_at, idle_since, cap_since, calls, *_ = row
    return Lane(
        sender,
        paced_until,
        closed_until,
        refusals,
        opens_at,
        idle_since,
        cap_since,
        calls,
        pause,
        _trouble(row),
        lease,
    )


def _trouble(row: Row[*tuple[Any, ...]]) -> Trouble:
    if not (row.troubled or row.breaker_open or row.probes or row.probe_at is not None):
        return CALM
    return Trouble(
        troubled=tuple(int(seq) for seq in row.troubled.split(",") if seq),
        open=bool(row.breaker_open),
        probes=row.probes,
        probe_at=NEVER if row.probe_at is None else row.probe_at,
        scope=Scope(row.trouble_scope),
    )


def _row(lane: Lane, now: Now) -> dict[str, Any]:
    pause, trouble, lease = lane.pause, lane.trouble, lane.lease
    return {
        "of": lane.sender,
        "paced_until": lane.paced_until,
        "closed_until": lane.closed_until,
        "refusals": lane.refusals,
        "opens_at": lane.opens_at,
        "idle_since": lane.idle_since,
        "cap_since": lane.cap_since,
        "cap_calls": lane.cap_calls,
        "pause_by": pause and pause.by.value,
        "pause_reason": pause.reason if pause else "",
        "pause_at": now.to_wall(pause.at) if pause else 0,
        "pause_until": now.to_wall(pause.until) if pause and pause.until < NEVER else None,
        "troubled": ",".join(map(str, trouble.troubled)) if trouble.troubled else "",
        "breaker_open": int(trouble.open),
        "probes": trouble.probes,
        "probe_at": trouble.probe_at if trouble.probe_at < NEVER else None,
        "trouble_scope": trouble.scope.value,
        "lease_token": lease and lease.token,
        "lease_message": lease and lease.message_seq,
        "lease_holder": lease and lease.holder,
        "lease_claimed_at": lease and lease.claimed_at,
        "lease_call_by": lease and lease.call_by,
    }
