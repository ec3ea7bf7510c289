"""Forecasts as they were made, beside what then happened."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from waqcore.store.tables import attempt, forecast

KEPT = 10_000
"""Forecasts kept, the newest: more tell no more of how good they are."""


class Forecast(NamedTuple):
    """What was said of a message's first call as it came; instants on the wall."""

    message_seq: int
    made_at: int
    at: int
    low_at: int
    high_at: int | None
    """None: nobody could say."""


class Fared(NamedTuple):
    """A forecast, and when the call then started; instants on the wall."""

    at: int
    low_at: int
    high_at: int | None
    called_at: int


def keep(connection: Connection, made: Sequence[Forecast]) -> None:
    """Keep forecasts, and let go of the oldest beyond those that are kept."""
    if not made:
        return
    connection.execute(insert(forecast), [one._asdict() for one in made])
    newest = select(forecast.c.made_at).order_by(forecast.c.made_at.desc())
    oldest = connection.scalar(newest.offset(KEPT).limit(1))
    if oldest is not None:
        connection.execute(delete(forecast).where(forecast.c.made_at <= oldest))


def fared(connection: Connection, since: int) -> Iterator[Fared]:
    """The forecasts made since an instant whose messages have been called; one after the other,
    for whoever looks at many of them each second."""
    rows = connection.execute(
        select(forecast.c.at, forecast.c.low_at, forecast.c.high_at, attempt.c.started_at)
        .join_from(
            forecast,
            attempt,
            (attempt.c.message_seq == forecast.c.message_seq) & (attempt.c.number == 1),
        )
        .where(forecast.c.made_at >= since)
    )
    return (Fared(*row) for row in rows)
