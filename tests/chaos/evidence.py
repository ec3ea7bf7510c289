"""What the gateway received and what the database holds: the only witnesses that are heard.

Both are read from outside, over HTTP and with SQL of their own, so that no fault of the program
under test can colour what it is judged by.
"""

import contextlib
import json
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.request import urlopen

import msgspec
import psycopg

T = TypeVar("T")

UP_WITHIN_S = 30.0
"""For a server that is being restarted."""
LOOK_S = 0.05


class Call(NamedTuple):
    """A send call as the gateway received it."""

    number: int
    arrived_us: int  # The host's steady clock.
    sender: str
    text: str
    delivered: int  # How many phones it reached: one or none.
    client: str  # The address it came from.


class Row(NamedTuple):
    """A message as the database holds it."""

    seq: int
    id: str
    sender: str
    body: str
    priority: int  # 1 goes first.
    state: str
    on_unknown: str
    maybe_duplicate: bool
    attempts: int  # Rows of calls that were begun, whatever became of them.


class InFlight(NamedTuple):
    """A message in `sending`."""

    id: str
    sender: str
    token: str
    begun: bool  # Whether the attempt row is there that is written just before a call.
    process: str  # Of its dispatcher: the id and the start; "0" if that has no row any more.

    @property
    def pid(self) -> int:
        """Its dispatcher's process id."""
        return int(self.process.partition("/")[0])


def moment(in_flight: Sequence[InFlight]) -> str:
    """What was going on when a dispatcher died, by what it has left in flight."""
    if any(one.begun for one in in_flight):
        return "mid-call"
    return "between claim and call" if in_flight else "idle"


_ROWS = """
SELECT seq, id, sender, body, priority, state, on_unknown, maybe_duplicate,
       (SELECT count(*) FROM waq_attempt WHERE message_seq = seq)
FROM waq_message ORDER BY seq
"""
_IN_FLIGHT = """
SELECT m.id, m.sender, m.lease_token,
       EXISTS (SELECT 1 FROM waq_attempt WHERE token = m.lease_token),
       coalesce(dispatcher.process, '0')
FROM waq_message AS m
LEFT JOIN waq_lane AS lane ON lane.lease_token = m.lease_token
LEFT JOIN waq_dispatcher AS dispatcher ON dispatcher.id = lane.lease_holder
WHERE m.state = 'sending'
"""
_TORN = """
SELECT lane.sender FROM waq_lane AS lane
LEFT JOIN waq_message AS m ON m.seq = lane.lease_message
WHERE lane.lease_token IS NOT NULL AND lane.lease_token IS DISTINCT FROM m.lease_token
UNION
SELECT m.sender FROM waq_message AS m
LEFT JOIN waq_lane AS lane ON lane.sender = m.sender
WHERE m.state = 'sending' AND lane.lease_token IS DISTINCT FROM m.lease_token
"""


_WAITING = "SELECT sender, count(*) FROM waq_message WHERE state = 'queued' GROUP BY sender"
_UNENDED = "SELECT count(*) FROM waq_message WHERE state IN ('queued', 'sending')"
_DISPATCHERS = "SELECT count(*) FROM waq_dispatcher"
_SESSIONS = "SELECT usename, count(*) FROM pg_stat_activity WHERE datname IS NOT NULL GROUP BY 1"


class Witness:
    """Reads the gateway's log and the database; a server that is away for a while is waited for."""

    def __init__(self, url: str, database: Path | str) -> None:
        """`database` is a SQLite file, or the URL of a database on a server."""
        self._url = url
        self._database = database
        self._calls: list[Call] = []
        self._server: psycopg.Connection | None = None

    def calls(self) -> list[Call]:
        """Every call the gateway has received, in the order it stamped them."""
        since = max((call.number for call in self._calls), default=0)
        with urlopen(f"{self._url}/_log?since={since}", timeout=10) as answer:
            self._calls += [
                Call(
                    call["call"],
                    call["arrived_us"],
                    call["sender"],
                    call["text"],
                    len(call["deliveries"]),
                    call["client"],
                )
                for call in json.load(answer)
            ]
        return sorted(self._calls, key=lambda call: call.arrived_us)

    def rows(self) -> list[Row]:
        """Every message, in the order they were handed over."""
        return self._select(_ROWS, list[Row])

    def in_flight(self) -> list[InFlight]:
        """The messages being sent, or left so by a dispatcher that died."""
        return self._select(_IN_FLIGHT, list[InFlight])

    def torn(self) -> list[str]:
        """The senders whose lane and messages disagree about what is being sent."""
        return [sender for (sender,) in self._select(_TORN, list[tuple[str]])]

    def waiting(self) -> dict[str, int]:
        """How many messages are queued, by sender."""
        return dict(self._select(_WAITING, list[tuple[str, int]]))

    def unended(self) -> int:
        """How many messages are queued or being sent."""
        return self._select(_UNENDED, tuple[tuple[int]])[0][0]

    def dispatchers(self) -> int:
        """How many dispatchers have a row."""
        return self._select(_DISPATCHERS, tuple[tuple[int]])[0][0]

    def sessions(self, user: str) -> int:
        """How many sessions of a user the server has."""
        return dict(self._select(_SESSIONS, list[tuple[str, int]])).get(user, 0)

    def close(self) -> None:
        """Let go of the server."""
        if self._server is not None:
            self._server.close()

    def _select(self, query: str, shape: type[T]) -> T:
        if isinstance(self._database, str):
            found = self._ask(self._database, query)
            return msgspec.convert(found, shape, strict=False)
        uri = f"file:{self._database}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=10)) as connection:
            # SQLite has no truth values: whole numbers become them where a field is one.
            return msgspec.convert(connection.execute(query).fetchall(), shape, strict=False)

    def _ask(self, url: str, query: str) -> Sequence[object]:
        until = time.monotonic() + UP_WITHIN_S
        while True:
            try:
                if self._server is None:
                    self._server = psycopg.connect(url, connect_timeout=10, autocommit=True)
                return self._server.execute(query.encode()).fetchall()
            except psycopg.OperationalError:
                self.close()
                self._server = None
                if time.monotonic() > until:
                    raise
                time.sleep(LOOK_S)
