"""What the service erases by itself, and when."""

import asyncio
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from tests.store.hand import HandClock, new, open_store, put, rows
from waqcore.dispatcher.nightly import _until_night_s, purge_nightly
from waqcore.settings import Settings
from waqcore.store.tables import message

JAKARTA = ZoneInfo("Asia/Jakarta")


async def _for_a_moment(folder: Path, **environ: str) -> list[tuple[object, ...]]:
    """Run it beside a message that ended 31 days ago; returns what is left of that."""
    clock = HandClock()
    store = open_store(folder, clock)
    put(store, new(1))
    ended = update(message).values(state="sent", ended_at=clock.wall_us())
    store.write(lambda connection: connection.execute(ended).rowcount)
    clock.advance(31 * 86_400)
    keeper = asyncio.create_task(purge_nightly(store, Settings.from_env(environ)))
    for _ in range(200):
        await asyncio.sleep(0.01)
        if keeper.done() or rows(store, "SELECT 1 FROM waq_event WHERE action = 'purge'"):
            break
    keeper.cancel()
    await asyncio.gather(keeper, return_exceptions=True)
    left = rows(store, "SELECT recipient, body FROM waq_message")
    store.close()
    return left


def test_what_is_past_its_days_is_erased_at_the_start(tmp_path: Path) -> None:
    assert asyncio.run(_for_a_moment(tmp_path, WAQ_RETENTION_DAYS="30")) == [("", "")]


def test_nothing_is_erased_where_nobody_set_how_long_to_keep_it(tmp_path: Path) -> None:
    assert asyncio.run(_for_a_moment(tmp_path)) == [("+6281234000001", "body 1")]


@pytest.mark.parametrize(
    ("now", "hours"),
    [("2026-03-01T02:00", 1), ("2026-03-01T03:00", 24), ("2026-03-01T23:00", 4)],
)
def test_the_next_time_is_three_at_night(now: str, hours: int) -> None:
    local = datetime.fromisoformat(now).replace(tzinfo=JAKARTA)

    assert _until_night_s(local) == hours * 3_600
