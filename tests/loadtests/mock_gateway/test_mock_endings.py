"""Calls that end in some other way than with one of MPWA's answers, over real sockets."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from loadtests.mock_gateway.application import serving
from loadtests.mock_gateway.clock import Clock
from loadtests.mock_gateway.gateway import Gateway
from loadtests.mock_gateway.latency import Latency, uniform
from loadtests.mock_gateway.weather import from_json

Said = tuple[int, str, str, str | None]  # Status, content type, body, Retry-After.

SEND = {"api_key": "K", "sender": "S", "number": "62811", "message": "Halo"}


class Sleeps:
    """A clock that stands still and remembers for how long it was asked to sleep."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.asked = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.asked.set()

    def clock(self) -> Clock:
        return Clock(now_us=lambda: 0, sleep=self.sleep)


def _gateway(
    sleeps: Sleeps | None = None, *, latency: Latency | None = None, **rule: object
) -> Gateway:
    weather = from_json(json.dumps({"rules": [rule] if rule else []}).encode())
    return Gateway(
        clock=(sleeps or Sleeps()).clock(),
        chance=random.Random(3),
        weather=weather,
        latency=latency,
    )


def _on(gateway: Gateway, scene: Callable[[aiohttp.ClientSession], Awaitable[Said]]) -> Said:
    async def served() -> Said:
        async with serving(gateway) as url, aiohttp.ClientSession(url) as session:
            return await scene(session)

    return asyncio.run(served())


async def _send(session: aiohttp.ClientSession) -> Said:
    async with session.post("/send-message", json=SEND) as answer:
        retry_after = answer.headers.get("Retry-After")
        return answer.status, answer.content_type, await answer.text(), retry_after


def _delivered(gateway: Gateway) -> list[bool]:
    return [bool(call.deliveries) for call in gateway.log.calls()]


@pytest.mark.parametrize(
    ("fault", "status", "delivers"),
    [
        ("error_500", 500, False),
        ("error_500_but_delivered", 500, True),
        ("html_502", 502, False),
    ],
)
def test_a_server_error_is_a_page_of_html(fault: str, status: int, *, delivers: bool) -> None:
    gateway = _gateway(fault=fault)

    answer = _on(gateway, _send)

    assert answer[:2] == (status, "text/html")
    assert answer[2].startswith("<!DOCTYPE html>")
    assert _delivered(gateway) == [delivers]


@pytest.mark.parametrize("fault", ["html_502", "backend_down"])
def test_an_error_can_hide_a_delivery(fault: str) -> None:
    gateway = _gateway(fault=fault, delivered=True)

    _on(gateway, _send)

    assert _delivered(gateway) == [True]


@pytest.mark.parametrize(
    ("written", "header"),
    [(7, "7"), (1.5, "1.5"), ("soon", "soon"), (None, None), ("", None)],
)
def test_retry_after_is_sent_as_written(written: object, header: str | None) -> None:
    gateway = _gateway(fault="throttled", retry_after=written)

    status, _, _, retry_after = _on(gateway, _send)

    assert (status, retry_after) == (429, header)


@pytest.mark.parametrize("delivers", [True, False])
def test_a_reset_is_seen_as_one_and_the_call_is_logged(*, delivers: bool) -> None:
    gateway = _gateway(fault="reset_after_write", delivered=delivers)

    with pytest.raises(aiohttp.ClientOSError) as lost:
        _on(gateway, _send)

    assert isinstance(lost.value, ConnectionResetError) or lost.value.errno == 104
    assert _delivered(gateway) == [delivers]
    assert gateway.log.calls()[0].answer.status == 0


@pytest.mark.parametrize("delivers", [True, False])
def test_a_hung_call_is_logged_while_its_client_still_waits(*, delivers: bool) -> None:
    sleeps = Sleeps()
    gateway = _gateway(sleeps, latency=uniform(1, 1), fault="hang", delivered=delivers)

    async def give_up(session: aiohttp.ClientSession) -> Said:
        call = asyncio.create_task(_send(session))
        await sleeps.asked.wait()
        assert not call.done()
        call.cancel()
        return await call

    with pytest.raises(asyncio.CancelledError):
        _on(gateway, give_up)
    assert _delivered(gateway) == [delivers]


def test_a_stopping_server_resets_the_calls_that_hang() -> None:
    sleeps = Sleeps()
    gateway = _gateway(sleeps, latency=uniform(1, 1), fault="hang")

    async def scene() -> None:
        async with aiohttp.ClientSession() as session:
            async with serving(gateway) as url:
                call = asyncio.create_task(session.post(f"{url}/send-message", json=SEND))
                await sleeps.asked.wait()
            with pytest.raises(aiohttp.ClientOSError):
                await call

    asyncio.run(asyncio.wait_for(scene(), timeout=5))


class Waits(Sleeps):
    """Sleeps without an end, to see them given up."""

    def __init__(self) -> None:
        super().__init__()
        self.given_up = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        try:
            await asyncio.Event().wait()
        finally:
            self.given_up.set()


def test_a_call_whose_client_has_gone_is_given_up() -> None:
    waits = Waits()
    gateway = _gateway(waits, fault="slow", seconds=31)

    async def leave(session: aiohttp.ClientSession) -> Said:
        call = asyncio.create_task(_send(session))
        await waits.asked.wait()
        call.cancel()
        await asyncio.wait_for(waits.given_up.wait(), timeout=5)
        return await call

    with pytest.raises(asyncio.CancelledError):
        _on(gateway, leave)
    assert _delivered(gateway) == [True]


def test_a_slow_call_is_answered_after_its_seconds() -> None:
    sleeps = Sleeps()
    gateway = _gateway(sleeps, fault="slow", seconds=31)

    status, _, _, _ = _on(gateway, _send)

    assert (status, sleeps.seconds) == (200, [31.0])
    assert _delivered(gateway) == [True]


def test_latency_is_drawn_from_its_range_and_repeats_with_the_seed() -> None:
    def drawn() -> list[float]:
        gateway = Gateway(chance=random.Random(5), latency=uniform(20, 80))
        return [gateway.latency_s() for _ in range(200)]

    assert min(drawn()) < 0.025
    assert max(drawn()) > 0.075
    assert all(0.02 <= seconds <= 0.08 for seconds in drawn())
    assert drawn() == drawn()


def test_latency_delays_sends_and_probes() -> None:
    sleeps = Sleeps()
    gateway = Gateway(clock=sleeps.clock(), latency=uniform(30, 30))

    async def probe_and_send(session: aiohttp.ClientSession) -> Said:
        async with session.get("/info-devices?api_key=K&number=S"):
            return await _send(session)

    _on(gateway, probe_and_send)

    assert sleeps.seconds == [0.03, 0.03]


def test_a_body_that_is_no_json_counts_as_empty() -> None:
    gateway = _gateway()

    async def send_rubbish(session: aiohttp.ClientSession) -> Said:
        headers = {"Content-Type": "application/json"}
        async with session.post("/send-message", data=b'{"api_key', headers=headers) as answer:
            return answer.status, "", await answer.text(), None

    status, _, body, _ = _on(gateway, send_rubbish)

    assert (status, json.loads(body)["status"]) == (400, False)
    assert gateway.log.calls()[0].fault == "bad_key"
