"""What the database holds at an instant, read past all of our code."""

import sqlite3
from typing import Any, NamedTuple


class Row(NamedTuple):
    """A message."""

    seq: int
    body: str
    sender: str
    priority: int
    state: str
    enqueued_at: int
    send_at: int | None
    expires_at: int | None
    retry_at: int
    attempts: int
    failures: int
    unresolved: int
    maybe_duplicate: int
    on_unknown: str
    lease_token: str | None


class Held(NamedTuple):
    """A lane's lease."""

    sender: str
    token: str
    holder: str
    claimed_at: int


class Try(NamedTuple):
    """An attempt's row."""

    seq: int
    number: int
    outcome: str | None


class Snapshot(NamedTuple):
    """All of it."""

    messages: dict[str, Row]
    """By text: every text of a story is unlike any other."""
    leases: dict[str, Held]
    """By sender; only lanes with a call in flight."""
    tries: dict[int, list[Try]]
    """By the message's sequence number, in order."""


EMPTY = Snapshot({}, {}, {})

_MESSAGES = f"SELECT {', '.join(Row._fields)} FROM waq_message ORDER BY seq"
_LEASES = (
    "SELECT sender, lease_token, lease_holder, lease_claimed_at FROM waq_lane "
    "WHERE lease_token IS NOT NULL"
)
_TRIES = "SELECT message_seq, number, outcome FROM waq_attempt ORDER BY message_seq, number"


class Camera:
    """Takes snapshots over a connection of its own."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._version = -1
        self._last = EMPTY

    def shot(self) -> Snapshot:
        """What is committed by now; the last snapshot where nothing was since."""
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self._version = version
            self._last = self._read()
        return self._last

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()

    def _read(self) -> Snapshot:
        messages = [Row(*row) for row in self._all(_MESSAGES)]
        leases = [Held(*row) for row in self._all(_LEASES)]
        tries: dict[int, list[Try]] = {}
        for row in self._all(_TRIES):
            tries.setdefault(row[0], []).append(Try(*row))
        return Snapshot(
            {row.body: row for row in messages}, {held.sender: held for held in leases}, tries
        )

    def _all(self, query: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(query).fetchall()
