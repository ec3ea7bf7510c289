"""The stream: one look for all pages, sent only when something has changed, ended when told."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from tests.web.admin.site import environ
from waqcore import Queue
from waqcore.senders import fleet
from waqcore.settings import Settings
from waqcore.web.admin.live import Live, Variant
from waqcore.web.admin.look import Look, Snapshot
from waqcore.web.backend import Backend

VARIANT = Variant(can_act=True, texts=False)


class Counting(Look):
    """Counts the snapshots that were taken."""

    taken = 0

    def snapshot(self) -> Snapshot:
        """One more."""
        self.taken += 1
        return super().snapshot()


def drawn(snapshot: Snapshot, _variant: Variant) -> Mapping[str, str]:
    """A page of one part that can change, and one that never does."""
    return {"length": f"<b>{snapshot.status.queue_length}</b>", "same": "as ever"}


async def always() -> bool:
    """Everybody may look."""
    return True


async def news(stream: AsyncIterator[bytes]) -> str:
    """What is sent next, but for the beginning of a stream."""
    while True:
        sent = (await asyncio.wait_for(anext(stream), 10)).decode()
        if not sent.startswith("retry"):
            return sent


def with_live(folder: Path, body: Any) -> None:
    """Run a test with pages over a queue."""
    given = environ(folder)
    settings = Settings.from_env(given)

    async def run() -> None:
        with Queue(settings, fleet(settings, given)) as queue:
            backend = Backend(queue, settings)
            look = Counting(queue)
            try:
                await body(queue, backend, look, Live(look, drawn, backend))
            finally:
                backend.closing.set()
                await asyncio.sleep(0)
                backend.close()

    asyncio.run(run())


def test_a_page_hears_of_a_change_and_of_nothing_else(tmp_path: Path) -> None:
    async def body(queue: Queue, _backend: Backend, _look: Counting, live: Live) -> None:
        await live.current()
        stream = live.follow(VARIANT, live.version, always)
        begun = await anext(stream)
        heard = asyncio.create_task(news(stream))
        await asyncio.sleep(0.1)
        queue.enqueue("081234567890", "Halo")

        assert begun.startswith(b"retry")
        assert await heard == "event: length\ndata: <b>1</b>\n\n"

    with_live(tmp_path, body)


def test_a_page_of_another_process_is_sent_everything(tmp_path: Path) -> None:
    async def body(_queue: Queue, _backend: Backend, _look: Counting, live: Live) -> None:
        sent = await news(live.follow(VARIANT, "older-7", always))

        assert "event: length\ndata: <b>0</b>\n\n" in sent
        assert "event: same\ndata: as ever\n\n" in sent

    with_live(tmp_path, body)


def test_many_pages_cost_one_look(tmp_path: Path) -> None:
    async def body(queue: Queue, _backend: Backend, look: Counting, live: Live) -> None:
        await live.current()
        streams = [live.follow(VARIANT, live.version, always) for _ in range(50)]
        heard = [asyncio.create_task(news(stream)) for stream in streams]
        await asyncio.sleep(0.2)
        queue.enqueue("081234567890", "Halo")
        before = look.taken

        assert set(await asyncio.gather(*heard)) == {"event: length\ndata: <b>1</b>\n\n"}
        assert look.taken - before <= 2
        assert live.followers == 50

    with_live(tmp_path, body)


def test_streams_end_at_once_when_the_service_does(tmp_path: Path) -> None:
    async def body(_queue: Queue, backend: Backend, _look: Counting, live: Live) -> None:
        await live.current()
        stream = live.follow(VARIANT, live.version, always)
        await anext(stream)
        heard = asyncio.create_task(anext(stream, b"the end"))
        await asyncio.sleep(0.1)
        backend.closing.set()

        assert await asyncio.wait_for(heard, 1) == b"the end"
        assert live.followers == 0

    with_live(tmp_path, body)


def test_who_may_not_look_any_more_is_sent_nothing_more(tmp_path: Path) -> None:
    asked: list[str] = []

    async def no_longer() -> bool:
        asked.append("asked")
        return False

    async def body(queue: Queue, backend: Backend, look: Counting, _live: Live) -> None:
        live = Live(look, drawn, backend, beat_s=0.05)
        await live.current()
        stream = live.follow(VARIANT, live.version, no_longer)
        await anext(stream)
        heard = asyncio.create_task(anext(stream, b"the end"))
        await asyncio.sleep(0.2)
        queue.enqueue("081234567890", "Halo")

        assert await asyncio.wait_for(heard, 5) == b"the end"
        assert asked == ["asked"]

    with_live(tmp_path, body)


def test_a_snapshot_is_shared_for_a_second(tmp_path: Path) -> None:
    async def body(_queue: Queue, _backend: Backend, look: Counting, live: Live) -> None:
        await asyncio.gather(*(live.current() for _ in range(20)))

        assert look.taken == 1

    with_live(tmp_path, body)
