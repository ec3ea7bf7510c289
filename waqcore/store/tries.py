"""Tries at the dashboard's door, as rows: what one process counts, all of them know."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, insert, select

from waqcore.store import exclusive
from waqcore.store.tables import login_try


def free_at(connection: Connection, most: Mapping[str, int], now: int, window_us: int) -> int:
    """When the next try of all these keys may be made; `now`, or earlier: at once.

    `most` is how many each may have made within `window_us`; instants are steady.
    """
    found = [_nth_latest(connection, key, n, now - window_us) for key, n in most.items()]
    return max((at + window_us for at in found if at is not None), default=now)


def _nth_latest(connection: Connection, key: str, n: int, after: int) -> int | None:
    query = (
        select(login_try.c.tried_at)
        .where(login_try.c.key == key, login_try.c.tried_at > after)
        .order_by(login_try.c.tried_at.desc())
        .offset(n - 1)
        .limit(1)
    )
    found: int | None = connection.scalar(query)
    return found


def add(connection: Connection, most: Mapping[str, int], now: int, window_us: int) -> int:
    """As `free_at`, and where it is now, note the try. What is older than the window goes."""
    exclusive.alone(connection, *(f"login {key}" for key in most))
    at = free_at(connection, most, now, window_us)
    if at <= now:
        connection.execute(delete(login_try).where(login_try.c.tried_at <= now - window_us))
        connection.execute(insert(login_try), [{"key": key, "tried_at": now} for key in most])
    return at


def forget(connection: Connection, keys: Sequence[str]) -> None:
    """Let go of the tries of keys."""
    connection.execute(delete(login_try).where(login_try.c.key.in_(keys)))
