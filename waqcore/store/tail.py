"""What is new in a table whose numbers are given out in one order and committed in another.

A server gives a row its number when it is inserted, and shows it when its transaction commits: one
with a lower number may appear later. So whatever lies above a floor is counted anew at each look,
and whoever has more rows there than before has news. The floor follows the newest row as soon as no
transaction is left that was under way when that row was seen.
"""

import time
from typing import NamedTuple

from sqlalchemy import BigInteger, Column, ColumnElement, Connection, func, literal_column, select

SETTLED_S = 1.0
"""How long a floor is waited for at least: between taking its number and appearing among those
under way a transaction has a moment in which it cannot be seen."""

PATIENCE_S = 30.0
"""How long for one that stays under way: what it commits later is found when its lanes are looked
at for another reason, at the latest by the dispatcher's sweep. Else a transaction of hours would
have everything that came since counted at each look."""

JUST_BEFORE = 1_000
"""Numbers before the first mark that transactions under way by then may have."""

_under_way = select(
    literal_column("pg_snapshot_xmin(pg_current_snapshot())::text::bigint", BigInteger),
    literal_column("pg_snapshot_xmax(pg_current_snapshot())::text::bigint", BigInteger),
)

_Counts = dict[tuple[str | None, bool], int]


class Tail(NamedTuple):
    """The end of a table, as far as it was seen."""

    mark: int
    """The newest number at some look."""
    floor: int | None = None
    """All that has a number up to this one has been seen; None: nothing was counted yet."""
    next_xid: int = 0
    """Transactions from this one on began after the look that set the mark."""
    marked_at: float = 0.0
    """When that was, in seconds of this process."""
    counts: _Counts = {}  # noqa: RUF012  # Never changed, only replaced.
    """Rows above the floor, by owner, and whether above the mark too."""


def read(
    connection: Connection,
    number: Column[int],
    owner: Column[str],
    tail: Tail,
    *conditions: ColumnElement[bool],
) -> tuple[set[str | None], Tail]:
    """Whose rows have appeared since a tail was read, and the tail as it is now.

    To be read in one snapshot.
    """
    oldest, following = connection.execute(_under_way).one()
    floor = max(0, tail.mark - JUST_BEFORE) if tail.floor is None else tail.floor
    above = number > tail.mark
    rows = connection.execute(
        select(owner, above, func.count(), func.max(number))
        .where(number > floor, *conditions)
        .group_by(owner, above)
    ).all()
    counts: _Counts = {(who, new): n for who, new, n, _ in rows}
    news = {key[0] for key, n in counts.items() if n > tail.counts.get(key, 0)}
    if tail.floor is None:
        return news, Tail(tail.mark, floor, following, time.monotonic(), counts)
    waited_s = time.monotonic() - tail.marked_at
    settled = oldest >= tail.next_xid and waited_s >= SETTLED_S
    if not (settled or waited_s >= PATIENCE_S):
        return news, tail._replace(counts=counts)
    # What lies above the mark is what lies above the next floor, and below the next mark.
    kept: _Counts = {(who, False): n for (who, new), n in counts.items() if new}
    newest = max((top for *_, top in rows), default=tail.mark)
    return news, Tail(max(newest, tail.mark), tail.mark, following, time.monotonic(), kept)
