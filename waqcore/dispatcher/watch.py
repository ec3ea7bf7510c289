"""Watches the queue for its forecasts: how messages come, how calls fare, and how good it told."""

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

from sqlalchemy import Connection

from waqcore.core.instants import MINUTE, SECOND
from waqcore.core.message import State
from waqcore.core.rates import Rates
from waqcore.estimate import Estimator
from waqcore.grid import Grids
from waqcore.message import wall_us
from waqcore.store import forecasts, rates, review
from waqcore.store.forecasts import Forecast
from waqcore.store.rates import Arrival
from waqcore.store.step import Heard
from waqcore.store.store import Store

PORTION = 500
"""Arrivals taken in by one transaction: some 5 ms, so that no call is held up."""

CALLS = 100
"""Calls taken in by one transaction, as long: each may be of a lane of its own, to be read and
written. 500 of them every other second were measured to hold up the calls of 5,000 lanes, of which
the last hundredth came 44 ms later meanwhile than otherwise."""

FORECASTS_MAX = 10
"""Forecasts made and kept at one look: enough to judge them by, whatever comes in."""

QUIET_US = 10 * MINUTE
"""A lane that nobody has watched before is taken to have been quiet for so long: else the first
burst of a new installation would pass for its everyday rate."""

TOLD_US = SECOND
"""A range is told to the second: a call some milliseconds late is not outside of it."""


def look(
    store: Store, heard: Sequence[Heard], grids: Grids | None = None, *, foretells: bool = True
) -> bool:
    """Take in what has come and been heard; True if more has come than one look takes in.

    Forecasts are worked out between two transactions: they would hold up whoever writes.
    """
    come = store.write(lambda connection: _take_in(connection, store, heard))
    if come and foretells:
        told = store.read(lambda connection: _told(connection, store, come, grids))
        store.write(lambda connection: forecasts.keep(connection, told))
    return len(come) == PORTION


def _take_in(connection: Connection, store: Store, heard: Sequence[Heard]) -> list[Arrival]:
    now = store.now()
    come = rates.uncounted(connection, now, PORTION)
    senders = {one.sender for one in come} | {one.sender for one in heard}
    senders &= set(store.senders)
    known = {sender: Rates.since(now.steady - QUIET_US) for sender in senders}
    known |= rates.load(connection, senders)
    # One after the other as they came; what came in one commit has one instant.
    for (sender, priority, at), together in groupby(come, attrgetter("sender", "priority", "at")):
        if sender in known:
            policy, messages = store.senders[sender].policy, len(list(together))
            known[sender] = known[sender].arrived(priority, at, policy, messages)
    for call in heard:
        if call.sender in known:
            policy = store.senders[call.sender].policy
            after = known[call.sender].called(call.held_us, policy, failed=call.failed)
            known[call.sender] = after
    rates.save(connection, known)
    if come:
        rates.note_counted(connection, come[-1].seq)
    return come


def _told(
    connection: Connection, store: Store, come: Sequence[Arrival], grids: Grids | None
) -> list[Forecast]:
    """The forecasts of some of those that came, spread over all of them."""
    step = max(1, len(come) // FORECASTS_MAX)
    some = tuple(one.id for one in come[::step][:FORECASTS_MAX])
    estimator = Estimator(connection, store, grids)
    found = review.by_ids(connection, some).values()
    rows = [row for row in found if row.state == State.QUEUED and not row.attempts]
    etas = estimator.etas(rows)
    made: list[Forecast] = []
    for row in rows:
        eta = etas[row.id]
        if eta is None or eta.at is None or eta.low_at is None:
            continue
        high_at = None if eta.high_at is None else wall_us(eta.high_at) + TOLD_US
        low_at = wall_us(eta.low_at) - TOLD_US
        made.append(Forecast(row.seq, estimator.now.wall, wall_us(eta.at), low_at, high_at))
    return made
