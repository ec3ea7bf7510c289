"""What people pressed and what became of lanes: the audit, and how dispatchers hear of it."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select

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


class News(NamedTuple):
    """What has come in since."""

    seen: Seen
    senders: frozenset[str]
    everywhere: bool
    """Something touched every lane."""


def record(connection: Connection, happenings: Sequence[Happening], wall: int) -> None:
    """Write audit lines in the transaction of what they tell of."""
    if happenings:
        connection.execute(insert(event), [{"at": wall, **one._asdict()} for one in happenings])


def latest(connection: Connection) -> Seen:
    """The newest message and event there are."""
    newest_message = connection.scalar(select(func.max(message.c.seq))) or 0
    newest_event = connection.scalar(select(func.max(event.c.id))) or 0
    return Seen(newest_message, newest_event)


def news(connection: Connection, seen: Seen, me: str) -> News:
    """Which lanes have new messages, or were touched by somebody else, since `seen`."""
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
