"""The queue as it stands at one instant, everything on the wall axis: where a simulation starts."""

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from waqcore.clock import Clock, Now
from waqcore.core.instants import NEVER
from waqcore.core.lane import Lane
from waqcore.core.message import Message, OnUnknown, Priority, State
from waqcore.store import export, lanes, steady
from waqcore.store.messages import QUEUED, REVIEWED, SCHEDULED_BY
from waqcore.store.tables import message


class Standing(NamedTuple):
    """A message that waits or is being sent."""

    message: Message
    """Its instants on the wall."""
    sender: str
    enqueued_at: int
    send_at: int | None
    """Not before this; None: at once."""
    reference: str | None
    """Groups messages; None: none."""


class Snapshot(NamedTuple):
    """Lanes and messages at one instant."""

    at: int
    """When, on the wall, in microseconds since the epoch, as is everything here."""
    lanes: dict[str, Lane]
    """By sender. A lane with a lease has a call in flight, for a message that is `sending`."""
    messages: list[Standing]
    """In the order of enqueuing."""


_waiting = select(*SCHEDULED_BY, message.c.sender, message.c.reference)
_states = (QUEUED, REVIEWED & (message.c.state == State.SENDING.value))  # An index serves each.


def look(connection: Connection, of: Collection[str] | None, clock: Clock) -> Snapshot:
    """Look at the lanes of some senders, None: of all, and at what they have to send."""
    skew = export.skew_us(connection, clock)
    wall = steady.wall_us(connection, clock)
    named = lanes.known(connection)
    wanted = sorted(named if of is None else named & set(of))
    found = lanes.load(connection, wanted, Now(wall - skew, wall, 0))
    return Snapshot(
        at=wall,
        lanes={sender: on_the_wall(lane, skew) for sender, lane in found.items()},
        messages=sorted(_messages(connection, wanted, skew), key=lambda one: one.message.seq),
    )


def on_the_wall(lane: Lane, skew: int) -> Lane:
    """A lane with every instant on the wall, which is `skew` microseconds ahead of steady time."""

    def moved(at: int) -> int:
        return at + skew if 0 < at < NEVER else at  # 0 and NEVER stand for themselves.

    pause, lease = lane.pause, lane.lease
    if pause is not None:
        pause = pause._replace(at=moved(pause.at), until=moved(pause.until))
    if lease is not None:
        lease = lease._replace(
            claimed_at=moved(lease.claimed_at),
            call_by=moved(lease.call_by),
            until=moved(lease.until),
        )
    return lane._replace(
        paced_until=moved(lane.paced_until),
        closed_until=moved(lane.closed_until),
        opens_at=moved(lane.opens_at),
        idle_since=None if lane.idle_since is None else moved(lane.idle_since),
        cap_since=moved(lane.cap_since),
        pause=pause,
        trouble=lane.trouble._replace(probe_at=moved(lane.trouble.probe_at)),
        lease=lease,
    )


def _messages(connection: Connection, senders: list[str], skew: int) -> Iterator[Standing]:
    for state in _states:
        for some in lanes.chunks(senders):
            for row in connection.execute(_waiting.where(state, message.c.sender.in_(some))):
                yield _standing(row, skew)


def _standing(row: Any, skew: int) -> Standing:
    core = Message(
        seq=row.seq,
        id=row.id,
        priority=Priority(row.priority),
        due_at=max(row.enqueued_at, row.send_at or 0),
        retry_at=row.retry_at + skew if row.retry_at else 0,
        expires_at=NEVER if row.expires_at is None else row.expires_at,
        state=State(row.state),
        attempts=row.attempts,
        failures=row.failures,
        on_unknown=OnUnknown(row.on_unknown),
        unresolved=bool(row.unresolved),
        maybe_duplicate=bool(row.maybe_duplicate),
        cancel_requested=bool(row.cancel_requested),
        reason=row.reason,
    )
    return Standing(core, row.sender, row.enqueued_at, row.send_at, row.reference)
