"""kill -9 in the middle of a load loses nothing that was answered 202."""

import asyncio
import random
import signal
from pathlib import Path

import aiohttp
import pytest

from tests.web.api.conftest import TOKEN, environ
from tests.web.live import live
from waqcore.queue import Queue
from waqcore.store.controls import Filter

CLIENTS = 32


async def _load(url: str, kill_after: int, kill: asyncio.Event) -> list[str]:
    """Post until nobody answers any more; returns the ids that were answered."""
    answered: list[str] = []

    async def client(session: aiohttp.ClientSession, number: int) -> None:
        n = 0
        while True:
            n += 1
            body = {"to": f"0812{number:04d}{n:04d}", "body": "Halo"}
            try:
                async with session.post(f"{url}/v1/messages", json=body) as answer:
                    queued = await answer.json()
            except (aiohttp.ClientError, OSError):
                return
            assert answer.status == 202, queued
            answered.append(queued["id"])
            if len(answered) >= kill_after:
                kill.set()

    headers = {"Authorization": f"Bearer {TOKEN}"}
    connector = aiohttp.TCPConnector(limit=CLIENTS)
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        await asyncio.gather(*(client(session, number) for number in range(CLIENTS)))
    return answered


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_was_answered_is_on_disk_after_a_kill(tmp_path: Path, seed: int) -> None:
    kill_after = random.Random(seed).randint(50, 900)
    given = environ(tmp_path, WAQ_API_PER_SECOND="100000")

    async def story() -> list[str]:
        with live(tmp_path, given) as served:
            kill = asyncio.Event()
            loading = asyncio.create_task(_load(served.url, kill_after, kill))
            await asyncio.wait_for(kill.wait(), 60)
            served.process.send_signal(signal.SIGKILL)
            return await loading

    answered = asyncio.run(story())

    with Queue.from_env(given) as queue:
        lost = [id_ for id_ in answered if not queue.count(Filter(ids=(id_,)))]
    assert len(answered) >= kill_after
    assert lost == [], f"seed {seed}"
