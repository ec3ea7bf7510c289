"""The store as the dispatcher and the queue hold it: a database, its clock, and the senders."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from typing import Protocol

from sqlalchemy import Connection

from waqcore.clock import Clock, Now
from waqcore.core.instants import HOUR, MINUTE, SECOND
from waqcore.core.policy import Policy, Sender
from waqcore.store import lanes, schema, steady
from waqcore.store.commit import Item, JointWork, T, Work
from waqcore.store.database import Database, open_database
from waqcore.store.file import File
from waqcore.store.joining import joined


class Axis(Protocol):
    """Steady time, on which our own instants lie."""

    @property
    def offset_us(self) -> int:
        """What it is ahead of this machine's boot clock."""
        ...

    def earliest(self) -> int:
        """The present; never later than it is."""
        ...

    def latest(self) -> int:
        """The present; never earlier than it is."""
        ...

    def wall(self) -> int:
        """What the wall shows, to all who use the database."""
        ...

    def keep(self, database: Database) -> bool:
        """Keep what must be known of the clocks; whether somebody has set the wall."""
        ...


class Store:
    """An open database whose instants hold for this machine's clock."""

    def __init__(
        self, url: str, senders: Mapping[str, Sender], *, clock: Clock, timezone: tzinfo = UTC
    ) -> None:
        """Open the database, bring its schema and clock up to date, and give every sender a lane.

        Raises:
            StoreError: the database cannot be used; the text says why and what to do.
        """
        self.senders = senders
        self.clock = clock
        self.timezone = timezone
        self.database: Database = open_database(url)
        try:
            schema.ensure(self.database)
            self._axis = self._adopt_clock()
            self._find_lanes()
        except BaseException:
            self.database.close()
            raise

    def now(self) -> Now:
        """The present instant."""
        steady_us, wall = self._axis.earliest(), self._axis.wall()
        local = datetime.fromtimestamp(wall / SECOND, self.timezone)
        into_day = local.hour * HOUR + local.minute * MINUTE + local.second * SECOND
        return Now(steady_us, wall, steady_us - into_day - local.microsecond)

    def steady(self) -> int:
        """The present instant on the steady axis, in microseconds since the epoch."""
        return self._axis.earliest()

    def latest(self) -> int:
        """As `steady`, but never too early: for when something was done. On a server's axis, which
        a process knows to some milliseconds, a gap between the two is never shorter than told."""
        return self._axis.latest()

    def wall_us(self) -> int:
        """What the wall shows, to all who use the database, in microseconds since the epoch."""
        return self._axis.wall()

    @property
    def offset_us(self) -> int:
        """What the steady axis is ahead of this machine's boot clock."""
        return self._axis.offset_us

    def keep_clock(self) -> bool:
        """Keep what must be known of the clocks; whether somebody has set the wall."""
        return self._axis.keep(self.database)

    def write(self, work: Work[T]) -> T:
        """Run work in a write transaction; see `Database.write`."""
        return self.database.write(work)

    def write_jointly(self, work: JointWork[Item, T], item: Item) -> T:
        """As `write`, together with whoever waits with the same work; see `Database`."""
        return self.database.write_jointly(work, item)

    def autocommit(self, work: Work[T]) -> T:
        """Run work that is whole after each of its statements; see `Database.autocommit`."""
        return self.database.autocommit(work)

    def read(self, work: Work[T]) -> T:
        """Run work that only reads."""
        return self.database.read(work)

    @contextmanager
    def joined(self, theirs: object) -> Iterator[Connection]:
        """A caller's own transaction on this database, to be written in; see `joining`.

        Raises:
            StoreError: it is none, or of another engine.
        """
        with joined(theirs, self.database.engine) as connection:
            yield connection

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def _adopt_clock(self) -> Axis:
        if not isinstance(self.database, File):
            # Imported here: whoever works with a file needs no client of a server.
            from waqcore.store import remote

            return remote.adopted(self.database, self.clock, self._pace_us)
        setting = self.read(steady.known)
        if setting is not None and steady.agrees(setting, self.clock):
            return steady.BootAxis(self.clock, setting.offset_us)
        offset = self.write(lambda connection: steady.adopt(connection, self.clock, self._pace_us))
        return steady.BootAxis(self.clock, offset)

    def _pace_us(self, number: str) -> int:
        sender = self.senders.get(number)
        return (sender.policy if sender else Policy()).pace_us

    def _find_lanes(self) -> None:
        missing = set(self.senders) - self.read(lanes.known)
        if missing:
            self.write(lambda connection: lanes.add(connection, missing))
