"""What is known of each lane's recent past, for forecasts: how messages come, and calls fail."""

from collections.abc import Callable, Collection, Mapping
from itertools import takewhile
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from waqcore.clock import Now
from waqcore.core.instants import SECOND
from waqcore.core.message import Priority
from waqcore.core.rates import Rates
from waqcore.store import exclusive
from waqcore.store.among import among
from waqcore.store.each import UpdateEach
from waqcore.store.lanes import chunks
from waqcore.store.tables import counted, message, rates

LATE_US = 10 * SECOND
"""How long a message that is missing among those counted is waited for."""


class Arrival(NamedTuple):
    """A message that somebody enqueued."""

    seq: int
    id: str
    sender: str
    priority: Priority
    at: int
    """When it was enqueued, on the steady axis."""


Arriving = Row[int, str, str, int, int]
"""The columns of an arrival."""


_load = select(rates.c.sender, rates.c.known).where(among(rates.c.sender, "senders"))


def load(connection: Connection, senders: Collection[str]) -> dict[str, Rates]:
    """What is known, by sender; a lane that nobody has watched yet is left out."""
    rows = (
        row
        for chunk in chunks(list(senders))
        for row in connection.execute(_load, {"senders": chunk})
    )
    return {sender: msgspec.json.decode(known, type=Rates) for sender, known in rows}


_update = UpdateEach(
    lambda new: update(rates).where(rates.c.sender == new["of"]).values(known=new["known"]),
    {"of": rates.c.sender, "known": rates.c.known},
)
_delete = delete(rates).where(among(rates.c.sender, "senders"))


def save(connection: Connection, known: Mapping[str, Rates]) -> None:
    """Replace what is known of some lanes."""
    if not known:
        return
    rows = [
        {"of": sender, "known": msgspec.json.encode(one).decode()} for sender, one in known.items()
    ]
    if _update.execute(connection, rows) == len(rows):
        return
    # Some lanes have no row yet, and which is not told: all anew.
    for chunk in chunks(list(known)):
        connection.execute(_delete, {"senders": chunk})
    new = insert(rates).values(sender=bindparam("of"))
    connection.execute(new, rows)


def uncounted(connection: Connection, now: Now, limit: int) -> list[Arrival]:
    """The oldest messages that have come since somebody last counted, for the one who counts."""
    exclusive.alone(connection, "rates")
    seen = connection.scalar(select(counted.c.message_seq)) or 0
    columns = (
        message.c.seq,
        message.c.id,
        message.c.sender,
        message.c.priority,
        message.c.enqueued_at,
    )
    rows = connection.execute(
        select(*columns).where(message.c.seq > seen).order_by(message.c.seq).limit(limit)
    ).all()
    if exclusive.several_write(connection):
        rows = list(takewhile(_none_before(seen, now.wall), rows))
    return [
        Arrival(seq, id_, sender, Priority(priority), now.to_steady(at))
        for seq, id_, sender, priority, at in rows
    ]


def _none_before(seen: int, wall: int) -> Callable[[Arriving], bool]:
    """Whether no message with a lower number can still appear, asked of one after the other.

    One that is missing may be in a transaction that is under way, or never come.
    """
    last = seen

    def follows(row: Arriving) -> bool:
        nonlocal last
        before, last = last, row[0]
        return row[0] == before + 1 or row[4] < wall - LATE_US

    return follows


def any_uncounted(connection: Connection) -> bool:
    """Whether messages have come since somebody last counted."""
    newest = connection.scalar(select(func.max(message.c.seq))) or 0
    return newest > (connection.scalar(select(counted.c.message_seq)) or 0)


def note_counted(connection: Connection, seq: int) -> None:
    """Messages up to this one are counted."""
    moved = connection.execute(update(counted).values(message_seq=seq))
    if moved.rowcount == 0:
        connection.execute(insert(counted).values(only=1, message_seq=seq))
