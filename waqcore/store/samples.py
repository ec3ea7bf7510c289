"""The queue's length and its calls, minute by minute: what trends are drawn from."""

from collections import Counter
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, select

from waqcore.clock import Now
from waqcore.core.instants import DAY, MINUTE
from waqcore.core.message import Priority
from waqcore.store import exclusive, position
from waqcore.store.store import Store
from waqcore.store.tables import attempt, message, sample

KEPT_US = 8 * DAY
"""How long samples are kept: a week can be looked back on, on the same day of the week."""

SENDERS_MAX = 50
"""Senders with a row of their own in one minute, the busiest; the others share one, so that
thousands of senders do not make a million rows a day."""

OTHERS = ""
"""The sender of the row that all others share; every sampled minute has it."""


class Sample(NamedTuple):
    """What one minute was like."""

    minute: int
    """When it began, on the wall."""
    high: int
    """Queued at its end, by priority; those who bypass are counted as `high`."""
    normal: int
    low: int
    sent: int
    """Calls that ended in it and were accepted."""
    failed: int
    """Calls that ended in it otherwise."""


class LastCall(NamedTuple):
    """The newest call of a sender that has ended."""

    sender: str
    started_at: int
    """On the wall."""
    outcome: str


def take(store: Store) -> None:
    """Sample the minute that has just ended, unless somebody has; called every second or so."""
    now = store.now()
    minute = now.wall - now.wall % MINUTE - MINUTE
    if not store.read(lambda connection: _is_taken(connection, minute)):
        rows = store.read(lambda connection: _count(connection, now, minute))
        store.write(lambda connection: _keep(connection, minute, rows))


def _is_taken(connection: Connection, minute: int) -> bool:
    found = select(sample.c.minute).where(sample.c.minute == minute, sample.c.sender == OTHERS)
    return connection.scalar(found) is not None


def _count(connection: Connection, now: Now, minute: int) -> list[dict[str, object]]:
    queued: dict[str, Counter[str]] = {}
    for one in position.count(connection, now):
        word = "high" if one.priority <= Priority.HIGH else one.priority.word
        queued.setdefault(one.sender, Counter())[word] += one.queued
    for sender, outcome, n in _ended(connection, minute):
        word = "sent" if outcome == "accepted" else "failed"
        queued.setdefault(sender, Counter())[word] += n
    busiest = sorted(queued, key=lambda sender: -queued[sender].total())
    rows = {sender: queued[sender] for sender in busiest[:SENDERS_MAX]}
    rows[OTHERS] = sum((queued[sender] for sender in busiest[SENDERS_MAX:]), Counter())
    words = Sample._fields[1:]
    return [
        {"minute": minute, "sender": sender, **{word: counts[word] for word in words}}
        for sender, counts in rows.items()
    ]


def _ended(connection: Connection, minute: int) -> list[tuple[str, str, int]]:
    """The calls that ended in a minute, by sender and outcome."""
    within = attempt.c.finished_at.between(minute, minute + MINUTE - 1)
    rows = connection.execute(
        select(message.c.sender, attempt.c.outcome, func.count())
        .join_from(attempt, message, message.c.seq == attempt.c.message_seq)
        .where(attempt.c.finished_at.is_not(None), within, attempt.c.outcome != "not_called")
        .group_by(message.c.sender, attempt.c.outcome)
    )
    return [(sender, outcome, n) for sender, outcome, n in rows]


def _keep(connection: Connection, minute: int, rows: list[dict[str, object]]) -> None:
    exclusive.alone(connection, "samples")
    if _is_taken(connection, minute):  # By another dispatcher, meanwhile.
        return
    connection.execute(insert(sample), rows)
    connection.execute(delete(sample).where(sample.c.minute < minute - KEPT_US))


def since(connection: Connection, wall: int) -> list[Sample]:
    """The minutes sampled since an instant, all senders together, the oldest first."""
    sums = (func.sum(sample.c[word]) for word in Sample._fields[1:])
    rows = connection.execute(
        select(sample.c.minute, *sums)
        .where(sample.c.minute >= wall)
        .group_by(sample.c.minute)
        .order_by(sample.c.minute)
    )
    return [Sample(*(int(value) for value in row)) for row in rows]


def last_calls(connection: Connection, limit: int) -> dict[str, LastCall]:
    """The newest call of each sender, among the newest so many calls of all."""
    rows = connection.execute(
        select(message.c.sender, attempt.c.started_at, attempt.c.outcome)
        .join_from(attempt, message, message.c.seq == attempt.c.message_seq)
        .where(attempt.c.finished_at.is_not(None))
        .order_by(attempt.c.finished_at.desc())
        .limit(limit)
    )
    found: dict[str, LastCall] = {}
    for sender, started_at, outcome in rows:
        found.setdefault(sender, LastCall(sender, started_at, outcome))
    return found


def outcomes(connection: Connection, wall: int, limit: int) -> Counter[str]:
    """How the newest calls since an instant ended, at most so many of them."""
    newest = (
        select(attempt.c.outcome)
        .where(attempt.c.finished_at >= wall, attempt.c.outcome != "not_called")
        .order_by(attempt.c.finished_at.desc())
        .limit(limit)
        .subquery()
    )
    rows = connection.execute(select(newest.c.outcome, func.count()).group_by(newest.c.outcome))
    return Counter(dict(rows.all()))
