"""A PostgreSQL database: many write at once, each its own transaction; lanes are locked by row."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    NullPool,
    Pool,
    QueuePool,
    Text,
    create_engine,
    event,
    literal_column,
    select,
)
from sqlalchemy.exc import SQLAlchemyError

from waqcore.store.address import server_of, shown
from waqcore.store.commit import GroupCommit, Item, JointWork, T, Work
from waqcore.store.errors import DoubtfulCommitError, PassingError, StoreError
from waqcore.store.explained import broke, explained

CONNECT_S = 5
"""How long a connection may take to be made."""

SILENCE_MS = 10_000
"""How long either end waits for a silent other. Well within a lease: the locks of a host that was
cut off, or of a process that was frozen, must be gone before its lanes are taken over."""

CONNECTIONS = 5
MORE_CONNECTIONS = 20
"""Connections kept, and those beyond while many threads of one process come at once."""

TRIES = 3
"""Times that work is begun: a deadlock, or a server that has restarted, ends a transaction once."""

_SETTINGS = {
    "idle_in_transaction_session_timeout": SILENCE_MS,
    "lock_timeout": SILENCE_MS,
    "tcp_user_timeout": SILENCE_MS,
    "tcp_keepalives_idle": SILENCE_MS // 2_000,
    "tcp_keepalives_interval": 2,
    "tcp_keepalives_count": 3,
}
"""Of each of our sessions, at the server's end."""

_LIBPQ = {
    "connect_timeout": CONNECT_S,
    "tcp_user_timeout": SILENCE_MS,
    "keepalives_idle": SILENCE_MS // 2_000,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "application_name": "waqcore",
}
"""The same at ours."""

# Every transaction under way or over shows in it, so that none that commits late is missed.
_version = select(literal_column("pg_current_snapshot()::text", Text))


class Server:
    """A database on a server and this process's connections to it."""

    def __init__(self, url: str) -> None:
        """Open the database at a URL, such as `postgresql://user@host/queue`.

        Raises:
            StoreError: it cannot be reached or used; the text says why and what to do.
        """
        self.url = server_of(url)
        self.engine = _engine(
            self.url, pool_size=CONNECTIONS, max_overflow=MORE_CONNECTIONS, pool_use_lifo=True
        )
        self.before: Callable[[], None] = lambda: None
        """Called before every transaction; who keeps the time looks at the server's clock."""
        self._reads = self.engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._autocommits = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._commits = GroupCommit(self._joint_transaction, self._explained)
        self._joint: Connection | None = None
        """Kept between the commits of those who commit together, one after the other: to take one
        from the pool and give it back was measured to be a tenth of an enqueue."""
        self.glance(lambda connection: connection.scalar(_version))

    def write(self, work: Work[T]) -> T:
        """Run work in a transaction of its own and return once it is on disk.

        Work may run again, after a deadlock or where the server has restarted, so it must have no
        effect but through its connection.

        Raises:
            StoreError: it cannot be written to; the text says why and what to do.
        """
        return self._tried(partial(self._write, work))

    def write_jointly(self, work: JointWork[Item, T], item: Item) -> T:
        """As `write`, with the items of all callers who wait with the same work done as one.

        Raises:
            StoreError: as `write`.
        """
        return self._tried(lambda: self._commits.take_part(work, item))

    def autocommit(self, work: Work[T]) -> T:
        """Run work of which each statement commits by itself: one trip instead of three.

        Raises:
            DoubtfulCommitError: the connection broke; the last statement may be stored.
            StoreError: it cannot be written to; the text says why and what to do.
        """
        return self._tried(partial(self._autocommit, work))

    def read(self, work: Work[T]) -> T:
        """Run work that only reads, on one consistent snapshot.

        Raises:
            StoreError: it cannot be reached.
        """
        return self._tried(partial(self._on, self._reads, work))

    def glance(self, work: Work[T]) -> T:
        """Run a single statement that needs no transaction.

        Raises:
            StoreError: it cannot be reached.
        """
        return self._tried(partial(self._on, self._autocommits, work), before=False)

    def data_version(self) -> str:
        """What changes whenever anybody has committed something.

        Raises:
            StoreError: it cannot be reached.
        """
        return str(self.glance(lambda connection: connection.scalar(_version)))

    def ear(self) -> "Ear":
        """A connection that hears of what others commit.

        Raises:
            StoreError: it cannot be reached.
        """
        with self._telling():
            return Ear(self._autocommits.connect())

    def close(self) -> None:
        """Let go of every connection."""
        joint, self._joint = self._joint, None
        if joint is not None:
            joint.close()
        self.engine.dispose()

    def _tried(self, work: Callable[[], T], *, before: bool = True) -> T:
        for left in reversed(range(TRIES)):
            try:
                if before:
                    self.before()
                return work()
            except PassingError:
                if not left:
                    raise
        raise AssertionError("the last try returns or raises")

    def _write(self, work: Work[T]) -> T:
        with self._telling(), self._transaction() as connection:
            return work(connection)

    def _autocommit(self, work: Work[T]) -> T:
        with self._telling(), self._autocommits.connect() as connection, self._doubting():
            return work(connection)

    def _on(self, engine: Engine, work: Work[T]) -> T:
        with self._telling(), engine.connect() as connection:
            return work(connection)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            yield connection
            with self._doubting():
                connection.commit()

    @contextmanager
    def _joint_transaction(self) -> Iterator[Connection]:
        joint, self._joint = self._joint or self.engine.connect(), None
        try:
            yield joint
            if joint.in_transaction():  # Else it has committed by itself.
                with self._doubting():
                    joint.commit()
        except BaseException:
            joint.close()
            raise
        self._joint = joint

    @contextmanager
    def _doubting(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            if broke(error):
                raise DoubtfulCommitError(
                    f"the connection to {shown(self.url)} broke during a commit: it may or may "
                    "not be stored; to hand a message over again is safe with the same "
                    "idempotency key"
                ) from error
            raise

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            told = self._explained(error)
            if told is error:
                raise
            raise told from error

    def _explained(self, error: BaseException) -> BaseException:
        return explained(error, self.url)


class ReadServer:
    """A database on a server that is only read, over a connection for each read."""

    def __init__(self, url: str) -> None:
        """Look at the database at a URL.

        Raises:
            StoreError: it cannot be reached.
        """
        self._url = server_of(url)
        self._engine = _engine(self._url, NullPool).execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    @property
    def name(self) -> str:
        """What it is called where it is refused."""
        return shown(self._url)

    def read(self, work: Work[T]) -> T:
        """Run work that only reads, on one consistent snapshot.

        Raises:
            StoreError: it cannot be reached.
        """
        try:
            with self._engine.connect() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            told = explained(error, self._url)
            if told is error:
                raise
            raise told from error


class Ear:
    """A connection that hears of what others commit, as it arrives."""

    def __init__(self, connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        connection.detach()  # Else it would be another's, once it is closed here.
        connection.exec_driver_sql("LISTEN waqcore")
        self._connection = connection
        self._driver = driver
        self.socket: int = driver.fileno()
        """On which news comes in."""

    def hear(self) -> bool:
        """Take in what has come, without waiting; whether there was any.

        Raises:
            StoreError: the connection is gone.
        """
        try:
            return bool(list(self._driver.notifies(timeout=0)))
        except Exception as error:  # psycopg's own, which need not be installed to read this.
            raise StoreError(f"the database is no longer heard: {error}") from error

    def close(self) -> None:
        """Hear no more; never fails, whatever has become of the connection."""
        # By the driver: SQLAlchemy would roll back first, and a lost connection cannot.
        self._driver.close()
        self._connection.invalidate()


def _engine(url: URL, pool: type[Pool] = QueuePool, **options: Any) -> Engine:
    try:
        engine = create_engine(
            url,
            hide_parameters=True,
            poolclass=pool,
            connect_args=_LIBPQ,
            use_native_hstore=False,
            **options,
        )
    except ImportError as error:
        raise StoreError(
            "PostgreSQL needs psycopg, which is not installed: pip install 'waqcore[postgres]'"
        ) from error

    @event.listens_for(engine, "connect")
    def configure(driver: Any, _record: object) -> None:
        # Not as options of the connection: poolers in between refuse those.
        with driver.cursor() as cursor:
            for name, value in _SETTINGS.items():
                cursor.execute("SELECT set_config(%s, %s, false)", (name, str(value)))
            # "Acknowledged" is to mean on disk, whatever the server is set to.
            cursor.execute(
                "SELECT set_config('synchronous_commit', 'on', false) "
                "WHERE current_setting('synchronous_commit') = 'off'"
            )
        driver.commit()

    return engine
