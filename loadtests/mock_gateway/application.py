"""The gateway's HTTP: MPWA's routes, and the ones under `/_` that a test steers it by."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator

from aiohttp import web

from loadtests.mock_gateway import control, fields, mpwa
from loadtests.mock_gateway.door import DOOR, Door
from loadtests.mock_gateway.faults import Fault
from loadtests.mock_gateway.fields import as_send
from loadtests.mock_gateway.gateway import Ending, Gateway
from loadtests.mock_gateway.mpwa import Answer
from loadtests.mock_gateway.mutation import normal_number
from loadtests.mock_gateway.receipts import Postman
from loadtests.mock_gateway.weather import CheckNumber

BODY_BYTES_MAX = 256 * 1024 * 1024  # A verdict's expectation of a million messages fits.
LOOPBACK = "127.0.0.1"
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER of no seconds: closing sends RST instead of FIN.


def application(gateway: Gateway) -> web.Application:
    """The web application that speaks for *gateway*."""
    app = web.Application(client_max_size=BODY_BYTES_MAX)
    postman = Postman(gateway.clock)
    routes = _Routes(gateway, postman)
    app.on_shutdown.append(routes.let_go)
    for method in ("GET", "POST"):
        for prefix in ("", "/{locale:[a-z]{2}}"):
            app.router.add_route(method, f"{prefix}/send-message", routes.send_message)
            app.router.add_route(method, f"{prefix}/check-number", routes.check_number)
            app.router.add_route(method, f"{prefix}/info-devices", routes.info_devices)
    app.add_routes(control.routes(gateway))
    return app


@contextlib.asynccontextmanager
async def serving(gateway: Gateway, *, port: int = 0, host: str = LOOPBACK) -> AsyncIterator[str]:
    """Serve *gateway* on the running event loop; yields its base URL.

    Port 0 takes a free one.
    """
    # A hung call must not outlive its client, hence the cancellation.
    app = application(gateway)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0)
    door = app[DOOR] = Door(runner, gateway.clock, host)
    await runner.setup()
    try:
        yield f"http://{host}:{await door.open(port)}"
    finally:
        await door.leave()
        await runner.cleanup()


class _Routes:
    """MPWA's routes on one gateway."""

    def __init__(self, gateway: Gateway, postman: Postman) -> None:
        self._gateway = gateway
        self._postman = postman
        self._stopping = asyncio.Event()

    async def let_go(self, _: web.Application) -> None:
        """End the calls that hang, so that the server can stop."""
        self._stopping.set()
        await self._postman.close()

    async def send_message(self, request: web.Request) -> web.StreamResponse:
        gateway = self._gateway
        arrived_us = gateway.clock.now_us()
        locale = request.match_info.get("locale", "")
        send = as_send(await fields.of_request(request), locale=locale)
        reply = gateway.receive(send, client=request.remote or "", arrived_us=arrived_us)
        if reply.delay_s:
            await gateway.clock.sleep(reply.delay_s)
        if reply.ending is Ending.ANSWERED:
            if (url := gateway.sky.weather.receipts_url) is not None:
                self._postman.take(url, reply.receipts)
            return _response(reply.answer)
        if reply.ending is Ending.HUNG:
            await self._stopping.wait()
        _reset(request)
        return web.Response()

    async def check_number(self, request: web.Request) -> web.StreamResponse:
        found = await fields.of_request(request)
        refusal = await self._refusal(request, found, sender=found.get("sender", "").strip())
        if refusal is not None:
            return _response(refusal)
        sender, number = found["sender"].strip(), normal_number(found.get("number", ""))
        if not found.get("number", "").strip():
            return _response(mpwa.plain(Fault.INVALID, locale=""))
        if not self._gateway.is_connected(sender):
            return _response(mpwa.UNCHECKED)
        now_us = self._gateway.clock.now_us()
        exists = self._gateway.sky.is_registered(sender, number, now_us=now_us)
        shape = self._gateway.sky.weather.check_number
        if shape is CheckNumber.BY_METHOD:
            shape = CheckNumber.DATA if request.method == "GET" else CheckNumber.MSG
        return _response(_checked(shape, number=number, exists=exists))

    async def info_devices(self, request: web.Request) -> web.StreamResponse:
        found = await fields.of_request(request)
        sender = found.get("number", "").strip()
        refusal = await self._refusal(request, found, sender=sender)
        if refusal is not None:
            return _response(refusal)
        status = "Connected" if self._gateway.is_connected(sender) else "Disconnect"
        return _response(mpwa.devices(sender, status=status))

    async def _refusal(
        self, request: web.Request, found: dict[str, str], *, sender: str
    ) -> Answer | None:
        if latency_s := self._gateway.latency_s():
            await self._gateway.clock.sleep(latency_s)
        refusal = self._gateway.refused(request.remote or "")
        if refusal is not None:
            return refusal
        if self._gateway.knows(api_key=found.get("api_key", "").strip(), sender=sender):
            return None
        return mpwa.plain(Fault.BAD_KEY, locale="")


def _checked(shape: CheckNumber, *, number: str, exists: bool) -> Answer:
    found = {"jid": mpwa.jid(number), "exists": exists}
    match shape:
        case CheckNumber.DATA:
            return mpwa.said(200, status=True, data=found)
        case CheckNumber.DATA_TRUE:
            return mpwa.said(200, status=True, data=True)
        case CheckNumber.EMPTY if not exists:
            return mpwa.said(200, status=True, msg="")
        case CheckNumber.FAILED if not exists:
            return mpwa.UNCHECKED
        case _:
            return mpwa.said(200, status=True, msg=found)


def _response(answer: Answer) -> web.Response:
    return web.Response(
        status=answer.status,
        body=answer.body,
        content_type=answer.content_type,
        headers=answer.headers,
    )


def _reset(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, _RESET
        )
        request.transport.abort()
