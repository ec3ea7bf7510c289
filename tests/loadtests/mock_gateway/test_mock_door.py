"""A gateway that goes away and comes back, and receipts that arrive, over real sockets."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from loadtests.mock_gateway.application import serving
from loadtests.mock_gateway.ceiling import measure
from loadtests.mock_gateway.clock import Clock
from loadtests.mock_gateway.gateway import Gateway
from loadtests.mock_gateway.weather import from_json

SEND = {"api_key": "K", "sender": "S", "number": "62811", "message": "Halo"}


class Waits:
    """Sleeps that end when the test says so."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.asked = asyncio.Event()
        self.over = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.asked.set()
        await self.over.wait()


def test_a_dropped_gateway_refuses_connections_until_its_seconds_are_over() -> None:
    async def scene() -> None:
        waits = Waits()
        gateway = Gateway(clock=Clock(sleep=waits.sleep))
        async with serving(gateway) as url, aiohttp.ClientSession(url) as session:
            async with session.post("/_drop", json={"seconds": 5}) as answer:
                assert answer.status == 200
            await waits.asked.wait()
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.post("/send-message", json=SEND)
            waits.over.set()
            assert waits.seconds == [5]
            assert await _eventually_sent(session) == 200

    asyncio.run(scene())


def test_a_drop_cuts_the_calls_that_are_open() -> None:
    async def scene() -> None:
        waits = Waits()
        rule = b'{"fault": "hang", "latency": {"low_ms": 1, "high_ms": 1}}'
        weather = from_json(b'{"rules": [' + rule + b"]}")
        gateway = Gateway(clock=Clock(sleep=waits.sleep), weather=weather)
        async with serving(gateway) as url, aiohttp.ClientSession(url) as session:
            hung = asyncio.create_task(session.post("/send-message", json=SEND))
            await waits.asked.wait()
            await session.post("/_drop", json={"seconds": 5})
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await hung

    asyncio.run(scene())


@pytest.mark.parametrize("seconds", [0, -1, 1e9, "soon"])
def test_a_drop_of_no_meaning_is_refused(seconds: object) -> None:
    async def scene() -> None:
        async with serving(Gateway()) as url, aiohttp.ClientSession(url) as session:
            refused = await session.post("/_drop", json={"seconds": seconds})
            assert refused.status == 400

    asyncio.run(scene())


async def _eventually_sent(session: aiohttp.ClientSession) -> int:
    while True:
        try:
            async with session.post("/send-message", json=SEND) as answer:
                return answer.status
        except aiohttp.ClientConnectorError:
            await asyncio.sleep(0.001)


def test_receipts_are_posted_in_their_time() -> None:
    async def scene() -> None:
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(round(seconds, 3))

        async with _listening() as (heard, url):
            weather = json.dumps({"receipts_url": url}).encode()
            gateway = Gateway(clock=Clock(sleep=sleep), weather=from_json(weather))
            async with serving(gateway) as base, aiohttp.ClientSession(base) as session:
                await session.post("/send-message", json=SEND)
                names = [(await heard.get())["payload"]["ackName"] for _ in range(3)]
        assert names == ["SERVER", "DEVICE", "READ"]
        assert slept == [0.2, 0.4, 0.9]

    asyncio.run(scene())


def test_the_ceiling_counts_the_calls_that_were_answered() -> None:
    async def scene() -> None:
        gateway = Gateway()
        async with serving(gateway) as url:
            found = await measure(url, seconds=0.1, in_flight=4)
        assert found.calls == len(gateway.log.calls()) > 0

    asyncio.run(scene())


Heard = asyncio.Queue[dict[str, dict[str, object]]]


@contextlib.asynccontextmanager
async def _listening() -> AsyncIterator[tuple[Heard, str]]:
    heard: Heard = asyncio.Queue()

    async def hear(request: web.Request) -> web.Response:
        heard.put_nowait(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_post("/receipts", hear)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield heard, f"http://127.0.0.1:{runner.addresses[0][1]}/receipts"
    finally:
        await runner.cleanup()
