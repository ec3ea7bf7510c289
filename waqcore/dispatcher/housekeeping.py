"""What a dispatcher does beside its calls: hears of writes, ends what has expired, counts."""

import asyncio
import logging
import time
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from waqcore.dispatcher.dispatcher import Dispatcher, Execute
from waqcore.dispatcher.watch import CALLS, look
from waqcore.grid import Grids
from waqcore.store import controls, position, rates, samples
from waqcore.store.errors import StoreError
from waqcore.store.file import File
from waqcore.store.step import Heard
from waqcore.store.store import Store

log = logging.getLogger("waqcore.dispatcher")

POLL_S = 0.1
"""How often the database's version is looked at: a call of some microseconds, and an enqueue by
another process must be heard of within 250 ms."""

BUSY_S = 0.01
"""How soon it is looked at again where the connection was in use."""

TIDY_S = 1.0
"""How often expiries and counters are looked after."""

WATCH_S = 2.0
"""How often arrivals and calls are taken in: a forecast hears of what came two seconds ago."""

SPREAD_S = 0.05
"""How soon again where more calls are over than one look takes in."""

COUNT_SHARE = 0.01
"""The share of time that counting the queue may take: a long queue is counted less often."""


async def listen(store: Store, dispatcher: Dispatcher, execute: Execute) -> None:
    """Wake the dispatcher whenever another connection has committed; runs until cancelled."""
    if isinstance(store.database, File):
        await _look_at_the_file(store.database, dispatcher)
    else:
        from waqcore.dispatcher.listening import listen_to_the_server

        await listen_to_the_server(store.database, dispatcher, execute)


async def _look_at_the_file(database: File, dispatcher: Dispatcher) -> None:
    seen: int | None = None
    while True:
        try:
            version = database.data_version()
        except StoreError as error:
            log.error("the database's version is not read", extra={"reason": str(error)})
            version = -1  # As good as another: look for what there may be.
        if version is not None and version != seen:
            seen = version
            dispatcher.wake()
        await asyncio.sleep(BUSY_S if version is None else POLL_S)


async def tidy(store: Store, execute: Execute) -> None:
    """Expire, count, sample each minute, note a stepped wall clock; runs until cancelled."""
    count_at = 0.0
    counted: list[position.Tally] | None = None
    while True:
        try:
            await execute(lambda: _expire(store))
            await execute(lambda: _keep_clock(store))
            await execute(lambda: samples.take(store))
            if time.monotonic() >= count_at:
                began = time.monotonic()
                counted = await execute(partial(_count, store, counted))
                count_at = time.monotonic() + (time.monotonic() - began) / COUNT_SHARE
        except (SQLAlchemyError, StoreError) as error:
            log.error("housekeeping not stored", extra={"reason": str(error)})
        await asyncio.sleep(TIDY_S)


async def watch(store: Store, dispatcher: Dispatcher, execute: Execute) -> None:
    """Keep what forecasts are made of; runs until cancelled."""
    loop = asyncio.get_running_loop()
    grids = Grids()
    foretell_at = loop.time()
    while True:
        rest_s, heard = WATCH_S, dispatcher.heard(CALLS)
        # Not at every look: of a flood, forecasts were measured to be two thirds of the work.
        foretells = loop.time() >= foretell_at
        if foretells:
            foretell_at = loop.time() + WATCH_S
        try:
            rest_s = await execute(partial(_watch, store, heard, grids, foretells=foretells))
        except (SQLAlchemyError, StoreError) as error:
            log.error("arrivals not counted", extra={"reason": str(error)})
        await asyncio.sleep(rest_s)


def _watch(store: Store, heard: list[Heard], grids: Grids, *, foretells: bool) -> float:
    """Take in what there is; returns for how many seconds to rest."""
    # Read first: an idle dispatcher must not write every other second.
    if not heard and not store.read(rates.any_uncounted):
        return WATCH_S
    if look(store, heard, grids, foretells=foretells):
        return BUSY_S
    return SPREAD_S if len(heard) == CALLS else WATCH_S


def _expire(store: Store) -> None:
    # Read first: an idle dispatcher must not write once a second.
    while store.read(lambda connection: controls.any_expired(connection, store.now())):
        store.write(lambda connection: controls.expire_due(connection, store.now()))


def _keep_clock(store: Store) -> None:
    if store.keep_clock():
        log.warning("the wall clock was set: pace and order are unaffected")


def _count(store: Store, known: list[position.Tally] | None) -> list[position.Tally]:
    now = store.now()
    counted = store.read(lambda connection: position.count_long_lanes(connection, now))
    if counted != known:
        store.write(lambda connection: position.store_tally(connection, counted, now))
    return counted
