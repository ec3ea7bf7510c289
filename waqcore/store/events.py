"""What people pressed and what became of lanes: the audit, and how dispatchers hear of it."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, literal_column, select

from waqcore.store import exclusive, tail
from waqcore.store.tables import event, message


class Happening(NamedTuple):
    """One line of the audit."""

    actor: str
    action: str
    sender: str | None = None
    """None: it touched every lane."""
    detail: str = ""
    messages: int = 0
    """How many messages it touched."""


class Seen(NamedTuple):
    """How far a dispatcher has looked: the newest message and the newest event."""

    message_seq: int = 0
    event_id: int = 0
    arrivals: tail.Tail | None = None
    """What of the messages may be incomplete; None: nothing was looked at yet, or nothing ever
    is."""
    presses: tail.Tail | None = None
    """The same of the events."""


class News(NamedTuple):
    """What has come in since."""

    seen: Seen
    senders: frozenset[str]
    everywhere: bool
    """Something touched every lane."""


CHANNEL = "waqcore"
"""Where whoever commits something new says so, on a server."""

NOTIFY = select(func.pg_notify(literal_column(f"'{CHANNEL}'"), literal_column("''")))
"""Say so once the transaction is committed."""


def record(connection: Connection, happenings: Sequence[Happening], wall: int) -> None:
    """Write audit lines in the transaction of what they tell of."""
    if happenings:
        connection.execute(insert(event), [{"at": wall, **one._asdict()} for one in happenings])
        if exclusive.several_write(connection):
            connection.execute(NOTIFY)


def latest(connection: Connection) -> Seen:
    """The newest message and event there are."""
    newest_message = connection.scalar(select(func.max(message.c.seq))) or 0
    newest_event = connection.scalar(select(func.max(event.c.id))) or 0
    return Seen(newest_message, newest_event)


def news(connection: Connection, seen: Seen, me: str) -> News:
    """Which lanes have new messages, or were touched by somebody else, since `seen`."""
    if exclusive.several_write(connection):
        return _late_news(connection, seen, me)
    arrived = connection.execute(
        select(message.c.sender, func.max(message.c.seq))
        .where(message.c.seq > seen.message_seq)
        .group_by(message.c.sender)
    ).all()
    pressed = set(
        connection.scalars(
            select(event.c.sender).where(event.c.id > seen.event_id, event.c.actor != me).distinct()
        )
    )
    senders = {sender for sender, _ in arrived} | {sender for sender in pressed if sender}
    newest = Seen(
        max((seq for _, seq in arrived), default=seen.message_seq),
        connection.scalar(select(func.max(event.c.id))) or seen.event_id,
    )
    return News(newest, frozenset(senders), None in pressed)


def _late_news(connection: Connection, seen: Seen, me: str) -> News:
    """As `news`, where a number may be committed after a higher one."""
    arrivals = seen.arrivals or tail.Tail(seen.message_seq)
    presses = seen.presses or tail.Tail(seen.event_id)
    arrived, arrivals = tail.read(connection, message.c.seq, message.c.sender, arrivals)
    pressed, presses = tail.read(
        connection, event.c.id, event.c.sender, presses, event.c.actor != me
    )
    senders = arrived | {sender for sender in pressed if sender}
    newest = Seen(arrivals.mark, presses.mark, arrivals, presses)
    return News(newest, frozenset(sender for sender in senders if sender), None in pressed)
