"""An examination of everything this service stands on, each finding with what to do about it.

It sends no message, upgrades nothing, and never tells a key.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from waqcore.clock import Clock
from waqcore.doctor import clocks, configuration, database, gateways, work
from waqcore.doctor.finding import Finding, Grade, bad, ok
from waqcore.message import instant
from waqcore.senders import Fleet, fleet
from waqcore.settings import Settings, SettingsError
from waqcore.status import read_status
from waqcore.store import messages
from waqcore.store.errors import StoreError
from waqcore.store.store import Store

__all__ = ["Finding", "Grade", "examine"]


def examine(environ: Mapping[str, str], clock: Clock) -> Iterator[Finding]:
    """Look at settings, database, clocks, work and gateways, one after the other."""
    try:
        settings = Settings.from_env(environ)
        senders = fleet(settings, environ)
    except SettingsError as error:
        yield bad("settings", str(error), "correct it; `waq settings` shows where each is from")
        return
    yield ok("settings", "all of them may be")
    yield from configuration.secrets(settings)
    yield from configuration.senders(senders)
    yield from configuration.senders_file(settings)
    yield clocks.zone(settings, clock)
    yield clocks.kept(by_ntp=clocks.synchronised())
    found, seen = database.examine(settings.database_url)
    yield from found
    if seen is not None and seen.usable():
        # Before the queue is opened, which sets right what does not agree.
        yield from clocks.agreeing(seen.clocks, clock)
        yield from _at_work(settings, senders, clock)
    yield from gateways.examine(settings, senders, clock.boot_us)


def _at_work(settings: Settings, senders: Fleet, clock: Clock) -> Iterator[Finding]:
    try:
        store = Store(settings.database_url, senders.senders, clock=clock, timezone=settings.zone())
    except StoreError as error:
        yield bad("database", str(error), "see the runbook")
        return
    try:
        status = store.read(lambda connection: read_status(connection, store))
        yield work.dispatchers(status)
        yield from work.lanes(status)
        yield from work.waiting(status, _oldest_due(store))
        yield from work.review(status)
    finally:
        store.close()


def _oldest_due(store: Store) -> datetime | None:
    """Since when the message waits that has waited longest; None: none is due."""
    now = store.now()
    heads = store.read(lambda connection: messages.heads(connection, list(store.senders), now))
    due = [one.message.due_at for some in heads.values() for one in some]
    return instant(now.to_wall(min(due))) if due else None
