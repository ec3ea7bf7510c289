"""What has been called for and may come back into its place: what backs off, and what is in flight.

Cheap whatever the queue's length: an index serves the one, the lane's lease names the other.
"""

from typing import NamedTuple

from sqlalchemy import Connection, bindparam, literal_column, select

from waqcore.clock import Now
from waqcore.core.lane import Lease
from waqcore.store.messages import QUEUED
from waqcore.store.position import Place
from waqcore.store.tables import message

BACKOFFS_MAX = 50
"""Messages that back off to which a forecast looks ahead, the first to return: a gateway that fails
more of them in a row has opened the breaker long before."""


class Return(NamedTuple):
    """A message that may come back into its place."""

    seq: int
    priority: int
    send_at: int | None
    """On the wall; None: at once."""
    retry_at: int
    """When its backoff ends, on the steady axis."""

    def goes_before(self, place: Place) -> bool:
        """Whether it goes before another once it is back, as `position` counts it."""
        if self.priority != place.priority:
            return self.priority < place.priority
        return self.seq < place.seq if self.send_at is None else self.send_at < place.due_at


_columns = (message.c.seq, message.c.priority, message.c.send_at, message.c.retry_at)
_backing_off = (
    select(*_columns)
    .where(
        message.c.sender == bindparam("sender"),
        QUEUED,
        message.c.retry_at > literal_column("0"),  # As the index states it.
        message.c.retry_at > bindparam("steady"),
        message.c.send_at.is_(None) | (message.c.send_at <= bindparam("wall")),
    )
    .order_by(message.c.retry_at)
    .limit(BACKOFFS_MAX)
)
_by_seq = select(*_columns).where(message.c.seq == bindparam("of"))


def backing_off(connection: Connection, sender: str, now: Now) -> list[Return]:
    """A lane's messages whose backoff has not ended, the first to return first."""
    values = {"sender": sender, "steady": now.steady, "wall": now.wall}
    return [Return(*row) for row in connection.execute(_backing_off, values)]


def in_flight(connection: Connection, lease: Lease) -> Return | None:
    """The message a lease is for; None: it has been deleted."""
    row = connection.execute(_by_seq, {"of": lease.message_seq}).one_or_none()
    return None if row is None else Return(*row)
