"""Steady time of a server: its clock, corrected whenever somebody sets it, as each host tells it.

Every process knows its own boot clock to be steady, and learns from each look at the server between
which bounds the server's clock lies against it. Between looks the bounds widen by what two clocks
may drift. Decisions go by the early bound and calls are stamped by the late one, so that whatever
the network takes only lengthens a gap.

The axis is the server's clock plus an offset that the database keeps. Whoever finds that clock
outside of its bounds knows that somebody has set it, since boot clocks cannot be: the offset is
moved back by as much, once and for all, and the axis goes on as if nothing had happened. Where
nobody watched, the processes that were there before tell by what they had noted (`waq_witness`);
those that cannot tell cost every lane one full pace.
"""

import threading
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection, insert, literal_column, select, update

from waqcore.clock import Clock, EveryonesClock, Now
from waqcore.core.instants import MINUTE, SECOND
from waqcore.store import exclusive
from waqcore.store.database import Database
from waqcore.store.server import Server
from waqcore.store.steady import SKEW_MAX_US, restart
from waqcore.store.tables import clock as clock_row
from waqcore.store.tables import dispatcher, witness

LOOK_US = 3 * SECOND
"""How often the server's clock is looked at."""

DRIFT_PPM = 1_000
"""What two clocks may drift apart, in millionths: NTP slews each by up to 500.

Source: Linux, adjtimex(2).
"""

LEASE_MAX_US = 15 * SECOND
"""No dispatcher that lives has a lease that ends later (its own are of 12 s): one that seems to is
of another time."""

WITNESS_US = 10 * MINUTE
"""How often a host notes how its clock stands."""

_look = select(
    literal_column("(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"),
    clock_row.c.offset_us,
    clock_row.c.skew_us,
)
_witnessed = select(witness.c.offset_us, witness.c.seen_at)


class Bounds(NamedTuple):
    """Between what the axis lay against our boot clock, when it was looked at."""

    low: int
    high: int
    at: int
    """When, by our boot clock."""
    ahead: int
    """What the axis was ahead of the server's clock."""
    skew: int
    """What our wall was ahead of our boot clock."""
    noted: int
    """What the wall of whoever came last was ahead of the axis."""


def look(connection: Connection, clock: Clock) -> Bounds:
    """Look at the server's clock, from ours."""
    before = clock.boot_us()
    told, ahead, noted = connection.execute(_look).one()
    after = clock.boot_us()
    if isinstance(clock, EveryonesClock):
        told = clock.server_us()
    axis = told + ahead
    return Bounds(axis - after, axis - before, after, ahead, clock.wall_us() - after, noted)


class ServerAxis:
    """Steady time as one process tells it."""

    def __init__(self, server: Server, clock: Clock, bounds: Bounds) -> None:
        self._server = server
        self._clock = clock
        self._bounds = bounds
        self._drift = 0 if isinstance(clock, EveryonesClock) else DRIFT_PPM
        self._mutex = threading.Lock()
        self._witnessed_at = bounds.at
        server.before = self.refresh

    @property
    def offset_us(self) -> int:
        """The axis less our boot clock, when it was last looked at."""
        return self._bounds.low

    def earliest(self) -> int:
        """The present; never later than it is."""
        bounds, boot = self._bounds, self._clock.boot_us()
        return boot + bounds.low - self._drifted(bounds, boot)

    def latest(self) -> int:
        """The present; never earlier than it is."""
        bounds, boot = self._bounds, self._clock.boot_us()
        return boot + bounds.high + self._drifted(bounds, boot)

    def wall(self) -> int:
        """What the wall shows, to all who use the database: the server's."""
        return self.earliest() - self._bounds.ahead

    def keep(self, _database: Database) -> bool:
        """Note, now and then, how our clock stands; a server's that was set is found anyway."""
        if self._clock.boot_us() - self._witnessed_at >= WITNESS_US:
            self._witnessed_at = self._clock.boot_us()
            bounds = self._bounds
            self._server.write(lambda connection: _note(connection, self._clock, bounds))
        return False

    def refresh(self) -> None:
        """Look at the server's clock where the last look is old, or where ours was set: the server
        may be on this very host."""
        if self._is_fresh():
            return
        with self._mutex:
            if not self._is_fresh():
                self._bounds = self._narrowed(self._look())

    def _is_fresh(self) -> bool:
        boot = self._clock.boot_us()
        skew = self._clock.wall_us() - boot
        aged = boot - self._bounds.at
        return aged < LOOK_US and abs(skew - self._bounds.skew) <= SKEW_MAX_US

    def _look(self) -> Bounds:
        return self._server.glance(lambda connection: look(connection, self._clock))

    def _narrowed(self, seen: Bounds) -> Bounds:
        """What is known from the last look and from this one."""
        known = self._bounds
        if seen.ahead != known.ahead:
            return seen  # Somebody else has found the server's clock set, and moved the offset.
        low = max(seen.low, known.low - self._drifted(known, seen.at))
        high = min(seen.high, known.high + self._drifted(known, seen.at))
        return seen._replace(low=low, high=high) if low <= high else self._mended(seen)

    def _mended(self, seen: Bounds) -> Bounds:
        """The axis goes on as we know it; unless somebody else was quicker to see to that.

        Where it was our clock that stood, as in a virtual machine that was halted, others beside us
        live by the axis as it is: theirs counts.
        """
        low = self._bounds.low - self._drifted(self._bounds, seen.at)
        moved = low - seen.low
        steady = seen.at + seen.low
        if abs(moved) > LEASE_MAX_US and self._server.glance(
            lambda connection: _somebody_lives(connection, steady)
        ):
            return seen
        values = update(clock_row).where(clock_row.c.offset_us == seen.ahead)
        self._server.glance(
            lambda connection: connection.execute(values.values(offset_us=seen.ahead + moved))
        )
        return self._look()

    def _drifted(self, bounds: Bounds, boot: int) -> int:
        return (boot - bounds.at) * self._drift // 1_000_000


def adopted(database: Database, clock: Clock, pace_us: Callable[[str], int]) -> ServerAxis:
    """Make stored instants hold for the server's clock as it is now."""
    assert isinstance(database, Server)
    server = database
    bounds = server.read(lambda connection: _confirmed(connection, clock))
    if bounds is None:
        bounds = server.write(lambda connection: _adopt(connection, clock, pace_us))
    return ServerAxis(server, clock, bounds)


class _Witness(NamedTuple):
    """How the boot clock of a host stood when it was last noted."""

    offset_us: int
    """The axis less that clock."""
    seen_at: int
    """When, by that clock."""

    def agrees(self, bounds: Bounds) -> bool:
        """Whether nobody has set the server's clock since."""
        drifted = (bounds.at - self.seen_at) * DRIFT_PPM // 1_000_000
        return abs(bounds.low - self.offset_us) <= SKEW_MAX_US + drifted


def _confirmed(connection: Connection, clock: Clock) -> Bounds | None:
    """The bounds, if this host has been here before and its clock tells that none was set since."""
    if connection.scalar(select(clock_row.c.only)) is None:
        return None
    bounds, ours = look(connection, clock), _noted(connection, clock)
    return bounds if ours is not None and ours.agrees(bounds) else None


def _adopt(connection: Connection, clock: Clock, pace_us: Callable[[str], int]) -> Bounds:
    exclusive.alone(connection, "clock")
    fresh = connection.scalar(select(clock_row.c.only)) is None
    if fresh:
        values = {"only": 1, "boot_id": "", "offset_us": 0, "skew_us": 0}
        connection.execute(insert(clock_row), values)
    bounds, ours = look(connection, clock), _noted(connection, clock)
    if not (fresh or (ours is not None and ours.agrees(bounds))):
        bounds = _doubted(connection, clock, bounds, ours, pace_us)
    _note(connection, clock, bounds)
    values = {"boot_id": clock.boot_id, "skew_us": bounds.skew - bounds.low}
    connection.execute(update(clock_row).values(values))
    return bounds


def _doubted(
    connection: Connection,
    clock: Clock,
    bounds: Bounds,
    ours: _Witness | None,
    pace_us: Callable[[str], int],
) -> Bounds:
    """Deal with a clock that may have been set while nobody watched who could tell."""
    steady = bounds.at + bounds.low
    somebody = _somebody_lives(connection, steady)
    if somebody and ours is None and abs(bounds.skew - bounds.low - bounds.noted) <= SKEW_MAX_US:
        return bounds  # A new host beside others: they watch, and its wall agrees with theirs.
    if ours is not None and not somebody:
        mended = bounds.ahead + ours.offset_us - bounds.low
        connection.execute(update(clock_row).values(offset_us=mended))
        bounds = look(connection, clock)
        steady = bounds.at + bounds.low
    now = Now(steady, steady - bounds.ahead, 0)
    restart(connection, now, pace_us, rebooted=ours is None and not somebody)
    return bounds


def _somebody_lives(connection: Connection, steady: int) -> bool:
    alive = select(dispatcher.c.id).where(
        dispatcher.c.lease_until.between(steady + 1, steady + LEASE_MAX_US)
    )
    return connection.scalar(alive.limit(1)) is not None


def _noted(connection: Connection, clock: Clock) -> _Witness | None:
    row = connection.execute(_witnessed.where(witness.c.boot_id == clock.boot_id)).first()
    return None if row is None else _Witness(*row)


def _note(connection: Connection, clock: Clock, bounds: Bounds) -> None:
    exclusive.alone(connection, "clock")
    values = {"offset_us": bounds.low, "seen_at": bounds.at}
    ours = witness.c.boot_id == clock.boot_id
    if connection.execute(update(witness).where(ours).values(values)).rowcount == 0:
        connection.execute(insert(witness).values(boot_id=clock.boot_id, **values))
