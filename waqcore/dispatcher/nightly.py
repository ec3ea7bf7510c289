"""What is done once a night beside the calls: erasing what tells of persons, after its time."""

import asyncio
import logging
import threading
from datetime import datetime, time, timedelta
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from waqcore import retention
from waqcore.settings import Settings
from waqcore.store.errors import StoreError
from waqcore.store.store import Store

log = logging.getLogger("waqcore.dispatcher")

AT = time(3)
"""Local time: when the fewest people register."""


async def purge_nightly(store: Store, settings: Settings) -> None:
    """Erase at the start and then every night what is past its days; runs until cancelled.

    At the start too: a machine that is off at night would else keep everything for ever.
    """
    if settings.retention_days is None:
        return
    cancelled = threading.Event()
    purge = partial(
        retention.purge,
        store,
        settings.retention_days,
        actor="dispatcher",
        go_on=lambda: not cancelled.is_set(),
    )
    try:
        while True:
            await _purge_once(purge)
            await asyncio.sleep(_until_night_s(datetime.now(settings.zone())))
    finally:
        cancelled.set()


async def _purge_once(purge: "partial[retention.Purged]") -> None:
    try:
        # Not on the threads of the store's turns: a year's messages take minutes to erase.
        purged = await asyncio.to_thread(purge)
        if purged.messages or purged.registrations:
            log.info(
                "erased what was past its days",
                extra={"messages": purged.messages, "registrations": purged.registrations},
            )
    except (SQLAlchemyError, StoreError) as error:
        log.error("nothing erased tonight", extra={"reason": str(error)})


def _until_night_s(local: datetime) -> float:
    night = datetime.combine(local.date(), AT, local.tzinfo)
    if night <= local:
        night += timedelta(days=1)
    return (night - local).total_seconds()
