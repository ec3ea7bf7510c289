"""The routes a test steers the gateway by: weather, log, counts, verdict, and going away."""

from typing import Annotated

import msgspec
from aiohttp import web

from loadtests.mock_gateway.door import DOOR
from loadtests.mock_gateway.expectation import Expectation
from loadtests.mock_gateway.gateway import Gateway
from loadtests.mock_gateway.verdict import judge
from loadtests.mock_gateway.weather import BadWeather, Weather, from_json

_JSON = "application/json"
DROP_MAX_S = 3_600.0
"""A gateway that is away cannot be told to come back, so a slip of the pen must not last."""


class Drop(msgspec.Struct, forbid_unknown_fields=True):
    """An order to refuse connections."""

    seconds: Annotated[float, msgspec.Meta(gt=0.0, le=DROP_MAX_S)]


def routes(gateway: Gateway) -> list[web.RouteDef]:
    """The control routes of one gateway."""
    control = _Control(gateway)
    return [
        web.get("/_weather", control.weather),
        web.put("/_weather", control.set_weather),
        web.delete("/_weather", control.clear_weather),
        web.get("/_log", control.log),
        web.delete("/_log", control.clear_log),
        web.get("/_counts", control.counts),
        web.post("/_drop", control.drop),
        web.get("/_verdict", control.verdict),
        web.post("/_verdict", control.verdict_on_expected),
    ]


def _shown(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type=_JSON)


def _refused(why: str) -> web.Response:
    body = msgspec.json.encode({"error": " ".join(why.split())})
    return web.Response(status=400, body=body, content_type=_JSON)


class _Control:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def weather(self, _: web.Request) -> web.Response:
        return _shown(self._gateway.sky.weather)

    async def set_weather(self, request: web.Request) -> web.Response:
        try:
            weather = from_json(await request.read())
        except BadWeather as error:
            return _refused(str(error))
        self._gateway.set_weather(weather)
        return _shown(weather)

    async def clear_weather(self, _: web.Request) -> web.Response:
        self._gateway.set_weather(Weather())
        return _shown(self._gateway.sky.weather)

    async def log(self, request: web.Request) -> web.StreamResponse:
        since = request.query.get("since", "0")
        if not since.isdecimal():
            return _refused(f"since must be a call number, not {since!r}")
        response = web.StreamResponse(headers={"Content-Type": _JSON})
        await response.prepare(request)
        before = b"["
        for calls in self._gateway.log.since(int(since)):
            shown = msgspec.json.encode([call.shown() for call in calls])
            await response.write(before + shown[1:-1])
            before = b","
        await response.write(b"[]" if before == b"[" else b"]")
        return response

    async def clear_log(self, _: web.Request) -> web.Response:
        self._gateway.forget()
        return _shown({"next_call": self._gateway.log.next_call})

    async def counts(self, _: web.Request) -> web.Response:
        return _shown(self._gateway.counts.shown(self._gateway.banned))

    async def drop(self, request: web.Request) -> web.StreamResponse:
        try:
            order = msgspec.json.decode(await request.read(), type=Drop)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _refused(str(error))
        response = _shown({"seconds": order.seconds})
        response.force_close()
        await response.prepare(request)
        await response.write_eof()  # The answer has to leave before its connection is cut.
        request.app[DOOR].drop(order.seconds)
        return response

    async def verdict(self, request: web.Request) -> web.Response:
        query = {name: request.query[name] for name in request.query}
        try:
            expectation = msgspec.convert(query, Expectation, strict=False)
        except msgspec.ValidationError as error:
            return _refused(str(error))
        return self._judged(expectation)

    async def verdict_on_expected(self, request: web.Request) -> web.Response:
        try:
            expectation = msgspec.json.decode(await request.read(), type=Expectation)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _refused(str(error))
        return self._judged(expectation)

    def _judged(self, expectation: Expectation) -> web.Response:
        calls = self._gateway.log.calls()
        return _shown(judge(calls, expectation, banned=self._gateway.banned))
