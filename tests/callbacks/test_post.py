"""One post to an address somebody named: to what was looked at, and nowhere else."""

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address

import httpx
import pytest

from waqcore.callbacks.address import Address, AddressError, allowed, resolve
from waqcore.callbacks.post import Answer, Poster

HOOK = "https://app.example:8443/hook?x=1"


def posted(
    url: str,
    answer: httpx.Response | Exception,
    *addresses: str,
    any_address: bool = False,
    deaf: int = 0,
) -> tuple[Answer, list[httpx.Request]]:
    """What came of a post to a name with addresses, the first `deaf` of which nobody listens at."""
    requests: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        if len(requests) <= deaf:
            raise httpx.ConnectError("refused")
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def look_up(_host: str, _port: int) -> Sequence[Address]:
        return [ip_address(address) for address in addresses]

    async def go() -> Answer:
        transport = httpx.MockTransport(handle)
        poster = Poster(any_address=any_address, resolve=look_up, transport=transport)
        try:
            return await poster(url, {"webhook-id": "evt_1"}, b"{}")
        finally:
            await poster.aclose()

    return asyncio.run(go()), requests


def test_it_goes_to_the_address_that_was_looked_at_under_the_name() -> None:
    answer, (request,) = posted(HOOK, httpx.Response(204), "203.0.113.7")

    assert answer == Answer(204)
    assert str(request.url) == "https://203.0.113.7:8443/hook?x=1"
    assert request.headers["host"] == "app.example:8443"
    assert request.extensions["sni_hostname"] == "app.example"
    assert (request.method, request.content) == ("POST", b"{}")
    assert request.headers["webhook-id"] == "evt_1"


def test_no_redirect_is_followed() -> None:
    moved = httpx.Response(307, headers={"Location": "http://169.254.169.254/"})

    answer, requests = posted(HOOK, moved, "203.0.113.7")

    assert (answer.status, len(requests)) == (307, 1)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "100.100.100.200",
        "168.63.129.16",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
    ],
)
def test_where_machines_keep_their_secrets_nothing_is_posted(address: str) -> None:
    answer, requests = posted(HOOK, httpx.Response(204), address)
    assert (answer.status, requests) == (None, [])
    assert "leads to" in answer.problem

    allowed_, _ = posted(HOOK, httpx.Response(204), address, any_address=True)
    assert allowed_.status == 204


def test_of_several_addresses_only_those_that_may_be_are_tried() -> None:
    addresses = ("169.254.169.254", "203.0.113.7", "203.0.113.8")

    answer, requests = posted(HOOK, httpx.Response(204), *addresses, deaf=1)

    assert answer.status == 204
    assert [request.url.host for request in requests] == ["203.0.113.7", "203.0.113.8"]


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.ReadError("reset")]
)
def test_what_goes_wrong_is_an_answer(error: Exception) -> None:
    answer, _ = posted(HOOK, error, "203.0.113.7")

    assert answer.status is None
    assert answer.problem.startswith(type(error).__name__)


def test_a_wish_to_wait_is_read() -> None:
    slow = httpx.Response(429, headers={"Retry-After": "120"})

    assert posted(HOOK, slow, "203.0.113.7")[0] == Answer(429, "", 120_000_000)


def test_private_addresses_are_where_applications_run() -> None:
    private = [ip_address(a) for a in ("127.0.0.1", "10.0.0.1", "192.168.1.1", "::1", "fd12::1")]

    assert allowed(private, "app", any_address=False) == private


def test_an_address_within_another_is_judged_by_itself() -> None:
    inner = [ip_address(a) for a in ("64:ff9b::cb00:7107", "2002:cb00:7107::1", "::ffff:cb00:7107")]

    assert allowed(inner, "app", any_address=False) == inner


def test_an_address_is_its_own_name() -> None:
    assert asyncio.run(resolve("127.0.0.1", 80)) == [ip_address("127.0.0.1")]
    assert asyncio.run(resolve("fe80::1%eth0", 80)) == [ip_address("fe80::1")]


def test_a_name_without_an_address_is_told() -> None:
    with pytest.raises(AddressError, match="has no address"):
        asyncio.run(resolve("nowhere.invalid", 80))


def test_a_real_connection_carries_name_and_body() -> None:
    async def go() -> tuple[Answer, bytes]:
        got = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            got.set_result(await reader.readuntil(b"{}"))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\nxxx")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        poster = Poster(any_address=False)
        try:
            answer = await poster(f"http://localhost:{port}/hook", {"webhook-id": "e"}, b"{}")
            return answer, await got
        finally:
            await poster.aclose()
            server.close()
            await server.wait_closed()

    answer, request = asyncio.run(go())

    assert answer.status == 200, "though its body never ends"
    assert request.startswith(b"POST /hook HTTP/1.1\r\n")
    assert b"\r\nHost: localhost:" in request
