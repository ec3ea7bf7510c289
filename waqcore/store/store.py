"""The store as the dispatcher and the queue hold it: a database, its clock, and the senders."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

from waqcore.clock import Clock, Now
from waqcore.core.instants import HOUR, MINUTE, SECOND
from waqcore.core.policy import Policy, Sender
from waqcore.store import lanes, schema, steady
from waqcore.store.commit import Item, JointWork, T, Work
from waqcore.store.database import Database


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
        self._timezone = timezone
        self.database = Database(url)
        try:
            schema.ensure(self.database)
            self.offset_us = self._adopt_clock()
            self._find_lanes()
        except BaseException:
            self.database.close()
            raise

    def now(self) -> Now:
        """The present instant."""
        wall = self.clock.wall_us()
        steady_us = self.clock.boot_us() + self.offset_us
        local = datetime.fromtimestamp(wall / SECOND, self._timezone)
        into_day = local.hour * HOUR + local.minute * MINUTE + local.second * SECOND
        return Now(steady_us, wall, steady_us - into_day - local.microsecond)

    def steady(self) -> int:
        """The present instant on the steady axis, in microseconds since the epoch."""
        return self.clock.boot_us() + self.offset_us

    def write(self, work: Work[T]) -> T:
        """Run work in a write transaction; see `Database.write`."""
        return self.database.write(work)

    def write_jointly(self, work: JointWork[Item, T], item: Item) -> T:
        """As `write`, together with whoever waits with the same work; see `Database`."""
        return self.database.write_jointly(work, item)

    def read(self, work: Work[T]) -> T:
        """Run work that only reads."""
        return self.database.read(work)

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def _adopt_clock(self) -> int:
        setting = self.read(steady.known)
        if setting is not None and steady.agrees(setting, self.clock):
            return setting.offset_us
        return self.write(lambda connection: steady.adopt(connection, self.clock, self._pace_us))

    def _pace_us(self, number: str) -> int:
        sender = self.senders.get(number)
        return (sender.policy if sender else Policy()).pace_us

    def _find_lanes(self) -> None:
        missing = set(self.senders) - self.read(lanes.known)
        if missing:
            self.write(lambda connection: lanes.add(connection, missing))
