"""The queue as a command opens it; the one place that reads the process's environment."""

import getpass
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from waqcore.words import View

if TYPE_CHECKING:
    from waqcore.queue import Queue
    from waqcore.senders import Fleet
    from waqcore.settings import Settings
    from waqcore.store.store import Store


def environment() -> Mapping[str, str]:
    """The environment that the settings are read from."""
    return os.environ


@dataclass(frozen=True)
class Session:
    """An open queue, and how to word what it holds."""

    queue: "Queue"
    view: View


@contextmanager
def opened(*, full_numbers: bool = False) -> Iterator[Session]:
    """Open the queue of the environment's settings.

    Raises:
        SettingsError: a setting is wrong.
        StoreError: the database cannot be used.
    """
    # Imported here: SQLAlchemy takes longer to load than `--help` and a completion may take.
    from waqcore.queue import Queue
    from waqcore.senders import fleet
    from waqcore.settings import Settings

    environ = environment()
    settings = Settings.from_env(environ)
    view = View(now=now(), zone=settings.zone(), full_numbers=full_numbers)
    with Queue(settings, fleet(settings, environ), actor=_actor()) as queue:
        yield Session(queue, view)


@dataclass(frozen=True)
class Keeping:
    """An open store, for what looks after the database itself."""

    store: "Store"
    settings: "Settings"
    fleet: "Fleet"
    view: View
    actor: str
    """Who the audit says did it."""


@contextmanager
def opened_store() -> Iterator[Keeping]:
    """Open the database of the environment's settings.

    Raises:
        SettingsError: a setting is wrong.
        StoreError: the database cannot be used.
    """
    from waqcore.clock import SystemClock
    from waqcore.senders import fleet
    from waqcore.settings import Settings
    from waqcore.store.store import Store

    environ = environment()
    settings = Settings.from_env(environ)
    senders, zone = fleet(settings, environ), settings.zone()
    store = Store(settings.database_url, senders.senders, clock=SystemClock(), timezone=zone)
    try:
        yield Keeping(store, settings, senders, View(now=now(), zone=zone), _actor())
    finally:
        store.close()


def now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def refreshed(view: View, at: datetime) -> View:
    """The same view at another moment."""
    return replace(view, now=at)


def _actor() -> str:
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # A container's user may have no name.
        return f"cli:{os.getuid()}"
