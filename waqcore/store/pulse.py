"""Whether anything has moved since somebody looked: a few rows, however long the queue is."""

from sqlalchemy import ColumnElement, Connection, func, select

from waqcore.store.events import Seen, latest
from waqcore.store.tables import lane

Pulse = tuple[Seen, tuple[int | None, ...]]

_MOVING = ("paced_until", "closed_until", "opens_at", "pause_at", "lease_claimed_at", "probe_at")


def pulse(connection: Connection) -> Pulse:
    """Changes with every message that comes, every button, every claim and every settling.

    What ends by time alone (an expiry, a dispatcher that dies) does not move it.
    """
    sums = [func.sum(_short(lane.c[name])) for name in _MOVING]
    counts = (func.count(lane.c.lease_token), func.sum(lane.c.probes), func.sum(lane.c.refusals))
    row = connection.execute(select(*sums, *counts)).one()
    return latest(connection), tuple(row)


def _short(instant: ColumnElement[int]) -> ColumnElement[int]:
    # Thousands of whole instants would not fit into the 64 bits of SQLite's sum.
    return instant % (1 << 40)
