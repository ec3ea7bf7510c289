"""Conditions that no single event shows: noted as an event when they begin, and when they end."""

from collections.abc import Iterable

from sqlalchemy import Connection

from waqcore.alerts import ETA, ETA_OVER, OLDEST, OLDEST_OVER
from waqcore.clock import Now
from waqcore.core.instants import DAY, MINUTE
from waqcore.settings import Settings
from waqcore.store import alerts, forecasts, messages
from waqcore.store.events import Happening
from waqcore.store.store import Store

OVER = 0.9
"""A condition has ended when what it is about is below this share of its limit: one that hovers at
the limit must not begin again every half minute."""

FORECASTS_MIN = 20
"""Forecasts that have been proved, without which their median says nothing."""

ACTOR = "watch"

MINUTES = 1 / MINUTE


def look(store: Store, settings: Settings) -> None:
    """Note what has begun or ended; of several processes, the first does."""
    _note(
        store,
        "oldest",
        store.read(lambda connection: _oldest(connection, store)),
        settings.alert_oldest_minutes,
        (OLDEST, OLDEST_OVER),
        "a message has been due for {:.0f} minutes, the limit is {:g}",
    )
    if settings.alert_eta_minutes is not None:
        _note(
            store,
            "eta",
            store.read(lambda connection: _eta_error(connection, store.now())),
            settings.alert_eta_minutes,
            (ETA, ETA_OVER),
            "forecasts of the last day were off by {:.1f} minutes in the median, the limit is {:g}",
        )


def _note(
    store: Store,
    condition: str,
    found: tuple[float, str | None],
    limit: float,
    actions: tuple[str, str],
    told: str,
) -> None:
    """Compare minutes with their limit, and note the change if it is one."""
    minutes, sender = found
    stood = store.read(lambda connection: alerts.stands(connection, condition))
    holds = minutes > (limit * OVER if stood else limit)
    if holds == stood:
        return
    action = actions[0] if holds else actions[1]
    said = Happening(ACTOR, action, sender, told.format(minutes, limit) if holds else "")
    wall = store.now().wall
    store.write(lambda connection: alerts.note(connection, condition, said, wall, holds=holds))


def _oldest(connection: Connection, store: Store) -> tuple[float, str | None]:
    """For how long the oldest due message has waited, in minutes, and its sender."""
    now = store.now()
    heads = messages.heads(connection, store.senders, now)
    waits = ((_wait_us(found, now), sender) for sender, found in heads.items())
    longest, sender = max(waits, default=(0, ""))
    return longest * MINUTES, sender or None


def _wait_us(found: Iterable[messages.Stored], now: Now) -> int:
    return max((now.steady - one.message.due_at for one in found), default=0)


def _eta_error(connection: Connection, now: Now) -> tuple[float, str | None]:
    """How far forecasts were off, in minutes: the median of a day; 0 where too few are proved."""
    off = sorted(abs(one.called_at - one.at) for one in forecasts.fared(connection, now.wall - DAY))
    if len(off) < FORECASTS_MIN:
        return 0.0, None
    return off[len(off) // 2] * MINUTES, None
