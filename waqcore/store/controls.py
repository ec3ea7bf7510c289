"""What people do to messages and lanes: in portions, each a transaction with its audit lines."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, select

from waqcore.clock import Now
from waqcore.core import settle
from waqcore.core.lane import Lane
from waqcore.core.message import Message, Priority, State
from waqcore.store import events, exclusive, lanes, messages
from waqcore.store.events import Happening
from waqcore.store.messages import QUEUED, REVIEWED, Change, Stored
from waqcore.store.tables import REVIEWED_STATES, message, suppression

PORTION = 1_000
"""Messages changed in one transaction, so that a large clear never holds up a call for long."""


class Filter(NamedTuple):
    """Which messages; every condition that is set must hold. One that is empty names none."""

    ids: tuple[str, ...] | None = None
    """None, as with all but the states: whichever."""
    states: tuple[State, ...] = ()
    """Empty: whichever."""
    sender: str | None = None
    priority: Priority | None = None
    reference: str | None = None
    recipient: str | None = None
    batch: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The WHERE clause, condition by condition."""
        wanted: list[tuple[bool, ColumnElement[bool]]] = [
            (self.ids is not None, message.c.id.in_(self.ids or ())),
            (bool(self.states), _in_states(self.states)),
            (self.sender is not None, message.c.sender == self.sender),
            (self.priority is not None, message.c.priority == self.priority),
            (self.reference is not None, message.c.reference == self.reference),
            (self.recipient is not None, message.c.recipient == self.recipient),
            (self.batch is not None, message.c.batch == self.batch),
        ]
        return [condition for given, condition in wanted if given]


def _in_states(states: Sequence[State]) -> ColumnElement[bool]:
    # A partial index serves where its own condition stands in the query, word for word.
    if states == (State.QUEUED,):
        return QUEUED
    among = message.c.state.in_(states)
    return REVIEWED & among if set(states) <= set(REVIEWED_STATES) else among


class Portion(NamedTuple):
    """What one transaction of a larger change did."""

    changed: int
    next_seq: int | None
    """Where the next one begins; None: there is none."""


def change(
    connection: Connection,
    which: Filter,
    how: Callable[[Message, Now], Message],
    now: Now,
    *,
    said: Happening,
    from_seq: int = 0,
    to_seq: int,
    batch: str | None = None,
    opted_in: bool = False,
) -> Portion:
    """Apply a control of the core to a portion of the messages a filter names.

    `which.states` must be those the control takes; a message it returns as it was is passed over.
    `to_seq` is the newest message when the button was pressed: what came later is not meant. With
    `opted_in`, messages to numbers on the suppression list are passed over.
    """
    between = message.c.seq.between(from_seq, to_seq)
    query = select(message.c.seq).where(between, *which.conditions())
    if opted_in:
        query = query.where(message.c.recipient.not_in(select(suppression.c.recipient)))
        query = query.where(message.c.recipient != "")  # Erased: there is nobody to send it to.
    seqs = list(connection.scalars(query.order_by(message.c.seq).limit(PORTION)))
    changes: list[Change] = []
    for stored in _ours(connection, query, seqs, now):
        after = how(stored.message, now)
        if after is not stored.message:
            sending = stored.message.state is State.SENDING
            token = stored.lease_token if sending else None
            changes.append(Change(stored, after, lease_token=token, batch=batch))
    messages.save(connection, changes, now)
    _tell(connection, said, [one.before.sender for one in changes], now)
    return Portion(len(changes), seqs[-1] + 1 if len(seqs) == PORTION else None)


def _ours(
    connection: Connection, query: Select[int], seqs: Sequence[int], now: Now
) -> Iterable[Stored]:
    """Messages that a query has found, to ourselves until the transaction's end."""
    if not exclusive.several_write(connection):
        return messages.by_seq(connection, seqs, now).values()
    found = messages.by_seq(connection, seqs, now)
    lanes.lock(connection, {stored.sender for stored in found.values()})
    found = messages.lock_by_seq(connection, seqs, now)
    # What has moved on while we waited for them is not what was meant.
    still = {
        seq
        for chunk in lanes.chunks(seqs)
        for seq in connection.scalars(query.where(message.c.seq.in_(chunk)))
    }
    return (stored for seq, stored in found.items() if seq in still)


def _tell(connection: Connection, said: Happening, senders: Collection[str], now: Now) -> None:
    counts = dict.fromkeys(senders, 0)
    for sender in senders:
        counts[sender] += 1
    lines = [said._replace(sender=sender, messages=n) for sender, n in counts.items()]
    events.record(connection, lines, now.wall)


def change_lanes(
    connection: Connection,
    senders: Collection[str],
    how: Callable[[Lane, Now], Lane],
    now: Now,
    said: Happening,
) -> list[Lane]:
    """Apply a control of the core to lanes; returns them as they are now."""
    lanes.lock(connection, senders)
    changed = [how(lane, now) for lane in lanes.load(connection, senders, now).values()]
    lanes.save(connection, changed, now)
    events.record(connection, [said._replace(sender=lane.sender) for lane in changed], now.wall)
    return changed


def any_expired(connection: Connection, now: Now) -> bool:
    """Whether a queued message's expiry has passed."""
    return connection.scalar(_expired(now).limit(1)) is not None


def expire_due(connection: Connection, now: Now) -> int:
    """End a portion of the queued messages whose expiry has passed; returns how many.

    A lane that is asked ends its own; this makes it visible for those that are paused or busy.
    """
    query = _expired(now)
    found = _ours(connection, query, list(connection.scalars(query)), now)
    changes = [Change(stored, settle.expire(stored.message)) for stored in found]
    messages.save(connection, changes, now)
    doubtful = [one for one in changes if one.after.state is State.UNKNOWN]
    lines = [
        Happening("dispatcher", settle.Alert.MESSAGE_UNKNOWN, one.before.sender, one.after.id)
        for one in doubtful
    ]
    events.record(connection, lines, now.wall)
    return len(changes)


def _expired(now: Now) -> Select[int]:
    return (
        select(message.c.seq)
        .where(QUEUED, message.c.expires_at.is_not(None), message.c.expires_at <= now.wall)
        .order_by(message.c.expires_at)
        .limit(PORTION)
    )


def suppress(
    connection: Connection, recipient: str, reason: str, said: Happening, now: Now
) -> None:
    """Put a number on the suppression list; one that is there keeps its first reason."""
    exclusive.alone(connection, "suppression")
    events.record(connection, [said], now.wall)
    known = select(suppression.c.recipient).where(suppression.c.recipient == recipient)
    if connection.scalar(known) is None:
        connection.execute(
            suppression.insert().values(recipient=recipient, reason=reason, added_at=now.wall)
        )


def unsuppress(connection: Connection, recipient: str, said: Happening, now: Now) -> bool:
    """Take a number off the suppression list; False if it was not on it."""
    events.record(connection, [said], now.wall)
    gone = connection.execute(suppression.delete().where(suppression.c.recipient == recipient))
    return gone.rowcount == 1


class Suppressed(NamedTuple):
    """A number that has opted out."""

    recipient: str
    reason: str
    added_at: int


def suppressed(connection: Connection) -> list[Suppressed]:
    """The suppression list, oldest first."""
    columns = (suppression.c.recipient, suppression.c.reason, suppression.c.added_at)
    return [Suppressed(*row) for row in connection.execute(select(*columns).order_by(columns[2]))]
