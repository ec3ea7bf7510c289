"""The first release: its tables, a queue of thousands in every state, and its statements.

Written out in SQL: what runs while a database is upgraded is the release before, which knows the
tables of migration 0001 and no others.
"""

import fcntl
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, LiteralString, Protocol

import psycopg
from alembic import command
from alembic.config import Config

from tests.engines import address, an_engine, is_server
from waqcore.store import schema

REVISION = "0001"
SENDERS = tuple(f"62811404070{n}" for n in range(4))
ENDED = ("sent", "failed", "unknown", "cancelled", "expired")
EACH = {"queued": 50, "sending": 1, **dict.fromkeys(ENDED, 100)}
"""Messages of each sender, by state."""
WAIT_S = 30
"""For a lock, as the first release waits on SQLite."""


class Session(Protocol):
    """A connection of either driver, each statement its own transaction unless one is begun."""

    def execute(self, query: Any, values: Any = ..., /) -> Any:
        """Run a statement."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Database:
    """The database of a test's folder, as the first release speaks to it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "queue.db"

    def make(self) -> None:
        """Make the tables."""
        if not is_server(self._folder):
            with closing(self._connect()) as file:
                file.execute("PRAGMA journal_mode = WAL")
        config = Config()
        config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
        with an_engine(self._folder).begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, REVISION)

    @contextmanager
    def session(self) -> Iterator["Sql"]:
        """A connection, until the end of the block."""
        with closing(self._connect()) as made:
            if is_server(self._folder):
                yield Sql(made, mark="%s", begin="BEGIN", lock=None)
                return
            with Path(f"{self._path}.lock").open("ab") as lock:
                yield Sql(made, mark="?", begin="BEGIN IMMEDIATE", lock=lock)

    def _connect(self) -> Session:
        if is_server(self._folder):
            return psycopg.connect(address(self._folder), autocommit=True)
        return sqlite3.connect(self._path, timeout=WAIT_S, isolation_level=None)


class Sql:
    """Statements on a connection, in the words of its engine."""

    def __init__(self, session: Session, *, mark: str, begin: str, lock: IO[bytes] | None) -> None:
        self._session = session
        self._mark = mark
        self._begin = begin
        self._lock = lock

    def run(self, query: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement; `?` are its values."""
        done = self._session.execute(query.replace("?", self._mark), values)
        return list(done.fetchall()) if done.description else []

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of a block or nothing."""
        with self._turn():
            self._session.execute(self._begin)
            try:
                yield
            except BaseException:
                with suppress(psycopg.Error, sqlite3.Error):  # It may have ended it itself.
                    self._session.execute("ROLLBACK")
                raise
            self._session.execute("COMMIT")

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Writers of a file take turns by a lock beside it."""
        with ExitStack() as stack:
            if self._lock is not None:
                fcntl.flock(self._lock, fcntl.LOCK_EX)
                stack.callback(fcntl.flock, self._lock, fcntl.LOCK_UN)
            yield


def fill(sql: Sql) -> None:
    """Queue messages in every state; whoever was sending some of them is gone."""
    with sql.transaction():
        for sender in SENDERS:
            sql.run("INSERT INTO waq_lane (sender) VALUES (?)", sender)
            for state, each in EACH.items():
                for n in range(each):
                    _put(sql, sender, state, n)
        sql.run(
            "UPDATE waq_lane SET lease_token = m.lease_token, lease_message = m.seq,"
            " lease_holder = 'gone', lease_claimed_at = 1, lease_call_by = 2"
            " FROM waq_message AS m WHERE m.sender = waq_lane.sender AND m.state = 'sending'"
        )


def _put(sql: Sql, sender: str, state: str, n: int) -> None:
    id_ = f"{sender}-{state}-{n}"
    token = f"gone/{id_}" if state == "sending" else None
    called = state in ("sending", "sent", "failed", "unknown")
    ended = 3 if state in ("sent", "failed", "cancelled", "expired") else None
    enqueue(sql, id_, sender, 1 + n % 3)
    sql.run(
        "UPDATE waq_message SET state = ?, lease_token = ?, attempts = ?, failures = ?,"
        " unresolved = ?, ended_at = ?, reason = ? WHERE id = ?",
        state, token, int(called), int(state == "failed"), int(state == "unknown"), ended,
        f"{state}, it seems", id_,
    )  # fmt: skip
    if called:
        finished, outcome = (None, None) if token else (3, "accepted")
        sql.run(
            "INSERT INTO waq_attempt (message_seq, number, token, started_at, finished_at, outcome)"
            " SELECT seq, 1, ?, 1, ?, ? FROM waq_message WHERE id = ?",
            token or f"then/{id_}", finished, outcome, id_,
        )  # fmt: skip


def enqueue(sql: Sql, id_: str, sender: str, priority: int = 2) -> None:
    """Hand a message over."""
    sql.run(
        "INSERT INTO waq_message (id, sender, recipient, body, priority, state, reference,"
        " idempotency_key, content_hash, enqueued_at, send_at, expires_at, on_unknown)"
        " VALUES (?, ?, '+6281234567890', ?, ?, 'queued', ?, ?, 'h', 1, NULL, NULL, 'resend')",
        id_, sender, f"text of {id_}", priority, f"REG-{id_}", f"key-{id_}",
    )  # fmt: skip


def call(sql: Sql, sender: str, token: str) -> str | None:
    """Send a lane's next message: claimed, called, settled; returns its id, None if none waits."""
    with sql.transaction():
        head = sql.run(
            "SELECT seq, id FROM waq_message WHERE sender = ? AND state = 'queued'"
            " ORDER BY priority, seq LIMIT 1",
            sender,
        )
        if not head:
            return None
        ((seq, id_),) = head
        sql.run(
            "UPDATE waq_message SET state = 'sending', lease_token = ? WHERE seq = ?", token, seq
        )
        sql.run(
            "UPDATE waq_lane SET lease_token = ?, lease_message = ?, lease_holder = 'old',"
            " lease_claimed_at = 1, lease_call_by = 2 WHERE sender = ?",
            token, seq, sender,
        )  # fmt: skip
    with sql.transaction():
        sql.run("UPDATE waq_message SET attempts = attempts + 1 WHERE seq = ?", seq)
        sql.run(
            "INSERT INTO waq_attempt (message_seq, number, token, started_at) VALUES (?, 1, ?, 1)",
            seq, token,
        )  # fmt: skip
    with sql.transaction():
        sql.run(
            "UPDATE waq_attempt SET called_at = 1, finished_at = 2, outcome = 'accepted'"
            " WHERE token = ?",
            token,
        )
        sql.run(
            "UPDATE waq_message SET state = 'sent', lease_token = NULL, ended_at = 2 WHERE seq = ?",
            seq,
        )
        sql.run(
            "UPDATE waq_lane SET lease_token = NULL, lease_message = NULL, lease_holder = NULL,"
            " paced_until = 0 WHERE sender = ?",
            sender,
        )
    return str(id_)


class Load:
    """Applications that hand messages over and a dispatcher that sends them, until stopped."""

    def __init__(self, database: Database, applications: int = 3) -> None:
        self.enqueued: list[str] = []
        """Acknowledged, in order."""
        self.sent: list[str] = []
        self.errors: list[BaseException] = []
        self._database = database
        self._over = threading.Event()
        work = [self._hand_over] * applications + [self._dispatch]
        self._threads = [
            threading.Thread(target=self._until_over, args=(one, n)) for n, one in enumerate(work)
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _until_over(self, work: Callable[[Sql, str], None], thread: int) -> None:
        try:
            with self._database.session() as sql:
                n = 0
                while not self._over.is_set():
                    work(sql, f"load-{thread}-{n}")
                    n += 1
        except BaseException as error:
            self.errors.append(error)

    def _hand_over(self, sql: Sql, id_: str) -> None:
        with sql.transaction():
            enqueue(sql, id_, SENDERS[len(self.enqueued) % len(SENDERS)])
        self.enqueued.append(id_)
        self._over.wait(0.002)  # A pause, in which others get SQLite's one lock.

    def _dispatch(self, sql: Sql, token: str) -> None:
        sent = call(sql, SENDERS[len(self.sent) % len(SENDERS)], token)
        if sent is not None:
            self.sent.append(sent)
