"""Steady time of a file: the boot clock, set to the wall once a boot, its offset in the database.

Every process of one boot reads the same offset, so that pace, backoff and lease compare exactly
across processes and restarts, whatever happens to the wall clock meanwhile. `remote` has the
steady time of a server, which processes of several hosts share.
"""

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import BigInteger, Connection, insert, literal_column, select, update

from waqcore.clock import Clock, EveryonesClock, Now
from waqcore.core.control import restart_pace
from waqcore.core.instants import SECOND
from waqcore.store import exclusive, lanes
from waqcore.store.database import Database
from waqcore.store.tables import clock as clock_row
from waqcore.store.tables import dispatcher, lane, message

SKEW_MAX_US = SECOND
"""A wall that moved against the boot clock by more than this was stepped, not slewed."""

BACKOFF_LEFT_MAX_US = 600 * SECOND
"""What is left of a backoff after a change of clock: at most the default cap."""


class Setting(NamedTuple):
    """How the clocks stood when somebody last looked."""

    boot_id: str
    offset_us: int
    skew_us: int


def known(connection: Connection) -> Setting | None:
    """The stored setting; None in a database nobody has used yet."""
    columns = (clock_row.c.boot_id, clock_row.c.offset_us, clock_row.c.skew_us)
    row = connection.execute(select(*columns)).first()
    return Setting(*row) if row else None


_server_us = select(
    literal_column("(extract(epoch FROM clock_timestamp()) * 1000000)::bigint", BigInteger)
)


def wall_us(connection: Connection, clock: Clock) -> int:
    """What the wall shows to all who use the database: the server's, if it is one."""
    if not exclusive.several_write(connection):
        return clock.wall_us()
    if isinstance(clock, EveryonesClock):
        return clock.server_us()
    return connection.execute(_server_us).scalar_one()


def agrees(setting: Setting | None, clock: Clock) -> bool:
    """Whether boot and wall clock are as they were left, so that stored instants still hold."""
    if setting is None or setting.boot_id != clock.boot_id:
        return False
    skew = clock.wall_us() - clock.boot_us() - setting.offset_us
    return abs(skew - setting.skew_us) <= SKEW_MAX_US


def adopt(connection: Connection, clock: Clock, pace_us: Callable[[str], int]) -> int:
    """Make stored instants hold for this clock; returns the offset of steady time.

    Another boot, or clocks that disagree, cost every lane one full pace and never more: what was
    stored may lie anywhere against the present.
    """
    setting = known(connection)
    if setting is not None and agrees(setting, clock):
        return setting.offset_us
    boot_us, wall = clock.boot_us(), clock.wall_us()
    same_boot = setting is not None and setting.boot_id == clock.boot_id
    offset = setting.offset_us if setting is not None and same_boot else wall - boot_us
    steady = boot_us + offset
    values = {"boot_id": clock.boot_id, "offset_us": offset, "skew_us": wall - steady}
    if setting is None:
        connection.execute(insert(clock_row).values(only=1, **values))
        return offset
    connection.execute(update(clock_row).values(values))
    restart(connection, Now(steady, wall, 0), pace_us, rebooted=not same_boot)
    return offset


class BootAxis:
    """Steady time as the processes of one boot tell it; all tell it exactly."""

    def __init__(self, clock: Clock, offset_us: int) -> None:
        self._clock = clock
        self.offset_us = offset_us

    def earliest(self) -> int:
        """The present; never later than it is."""
        return self._clock.boot_us() + self.offset_us

    def latest(self) -> int:
        """The present; never earlier than it is."""
        return self._clock.boot_us() + self.offset_us

    def wall(self) -> int:
        """What the wall shows, to all who use the database."""
        return self._clock.wall_us()

    def keep(self, database: Database) -> bool:
        """Note a wall that somebody has set while we watched; whether it was."""
        if agrees(database.read(known), self._clock):
            return False
        database.write(lambda connection: note_skew(connection, self.offset_us, self._clock))
        return True


def note_skew(connection: Connection, offset_us: int, clock: Clock) -> None:
    """Note a wall clock that was stepped while we watched, so that it costs no pace later."""
    skew = clock.wall_us() - clock.boot_us() - offset_us
    connection.execute(update(clock_row).values(skew_us=skew))


def restart(
    connection: Connection, now: Now, pace_us: Callable[[str], int], *, rebooted: bool
) -> None:
    """Have every lane wait one full pace, since stored instants may lie anywhere."""
    if rebooted:
        # Nobody who held a lease in another boot is alive.
        connection.execute(update(dispatcher).values(lease_until=0))
    senders = list(connection.scalars(select(lane.c.sender)))
    lanes.lock(connection, senders)
    loaded = lanes.load(connection, senders, now).values()
    restarted = [
        restart_pace(one, now.steady, pace_us(one.sender), rebooted=rebooted) for one in loaded
    ]
    lanes.save(connection, restarted, now)
    latest = now.steady + BACKOFF_LEFT_MAX_US
    connection.execute(
        update(message)
        .where(message.c.state == "queued", message.c.retry_at > latest)
        .values(retry_at=latest)
    )
