"""Whether a request leaves, when it does, and what the client does by itself: nothing."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from itertools import count
from pathlib import Path

import pytest

from waqcore.gateways.gateway import Departure, TooLate
from waqcore.gateways.http import ANSWER_BYTES_MAX, HttpAnswer, ask, depart, http_client

Serve = Callable[
    [Callable[[StreamReader, StreamWriter], Awaitable[None]]], AbstractAsyncContextManager[str]
]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n" + b'{"status":true}'


def an_answer(head: bytes, body: bytes = b"{}") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (head, len(body), body)


def answering(answer: bytes, requests: list[bytes]) -> Callable[..., Awaitable[None]]:
    """Keeps each request and answers it, over as many as the connection brings."""

    async def behave(reader: StreamReader, writer: StreamWriter) -> None:
        while True:
            # Every request of these tests ends in its only brace.
            requests.append(await reader.readuntil(b"}"))
            writer.write(answer)
            await writer.drain()

    return behave


def a_departure(call_by: int = 1_000_000) -> Departure:
    ticks = count(100)
    return Departure(lambda: next(ticks), call_by)


def asked(serve: Serve, answer: bytes, requests: list[bytes] | None = None) -> HttpAnswer:
    async def run() -> HttpAnswer:
        kept: list[bytes] = [] if requests is None else requests
        async with serve(answering(answer, kept)) as url, http_client() as client:
            await ask(client, url, b"{}", timeout_s=5)
            return await ask(client, url, b"{}", timeout_s=5)

    return asyncio.run(run())


def test_a_request_that_leaves_is_stamped_after_the_check(serve: Serve) -> None:
    departure = a_departure()

    async def run() -> HttpAnswer:
        async with serve(answering(OK, [])) as url, http_client() as client:
            return await depart(client, url, b"{}", departure, timeout_s=5)

    assert asyncio.run(run()) == HttpAnswer(200, b'{"status":true}', None)
    assert (departure.checked_at, departure.left_at) == (100, 101)


def test_the_first_byte_is_written_between_the_check_and_the_stamp(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Judged from the transport, whose `write` hands bytes to the kernel at once."""
    events: list[str] = []
    write = asyncio.selector_events._SelectorSocketTransport.write  # type: ignore[attr-defined]

    def noted(transport: asyncio.Transport, data: bytes) -> None:
        events.append(bytes(data)[:4].decode())
        write(transport, data)

    monkeypatch.setattr(asyncio.selector_events._SelectorSocketTransport, "write", noted)  # type: ignore[attr-defined]

    def steady() -> int:
        events.append("clock")
        return 0

    async def run() -> None:
        async with serve(answering(OK, [])) as url, http_client() as client:
            await depart(client, url, b"{}", Departure(steady, 0), timeout_s=5)

    asyncio.run(run())

    assert events == ["clock", "POST", "clock", "HTTP"]


def test_one_write_carries_headers_and_body_with_its_length(serve: Serve) -> None:
    requests: list[bytes] = []

    async def run() -> None:
        async with serve(answering(OK, requests)) as url, http_client() as client:
            await depart(client, f"{url}/x", b'{"a":1}', a_departure(), timeout_s=5)

    asyncio.run(run())

    head, _, body = requests[0].partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert (lines[0], body) == (b"post /x http/1.1", b'{"a":1}')
    assert b"content-length: 7" in lines
    assert b"content-type: application/json" in lines
    assert b"accept: application/json" in lines
    assert not any(line.startswith(b"transfer-encoding") for line in lines)


@pytest.mark.parametrize("earlier_calls", [0, 1], ids=["new connection", "reused connection"])
def test_not_a_byte_is_written_when_the_departure_refuses(serve: Serve, earlier_calls: int) -> None:
    received: list[bytes] = []
    connections: list[int] = []
    closed = asyncio.Event()
    late = a_departure(call_by=99)

    async def behave(reader: StreamReader, writer: StreamWriter) -> None:
        connections.append(1)
        for _ in range(earlier_calls):
            await reader.readuntil(b"}")
            writer.write(OK)
        received.append(await reader.read())
        closed.set()

    async def run() -> None:
        async with serve(behave) as url, http_client() as client:
            for _ in range(earlier_calls):
                await ask(client, url, b"{}", timeout_s=5)
            with pytest.raises(TooLate):
                await depart(client, url, b"{}", late, timeout_s=5)
            await closed.wait()

    asyncio.run(run())

    assert (connections, received) == ([1], [b""])
    assert (late.checked_at, late.left_at) == (None, None)


def test_the_client_serves_on_after_a_refused_departure(serve: Serve) -> None:
    async def run() -> HttpAnswer:
        async with serve(answering(OK, [])) as url, http_client() as client:
            with pytest.raises(TooLate):
                await depart(client, url, b"{}", a_departure(call_by=0), timeout_s=5)
            return await depart(client, url, b"{}", a_departure(), timeout_s=5)

    assert asyncio.run(run()).status == 200


def test_each_of_many_calls_at_once_stamps_its_own_departure(serve: Serve) -> None:
    departures = [a_departure(call_by=0 if n % 2 else 1_000) for n in range(20)]

    async def run() -> list[HttpAnswer | BaseException]:
        async with serve(answering(OK, [])) as url, http_client() as client:
            calls = (depart(client, url, b"{}", each, timeout_s=5) for each in departures)
            return await asyncio.gather(*calls, return_exceptions=True)

    answers = asyncio.run(run())

    assert [type(answer) for answer in answers] == [HttpAnswer, TooLate] * 10
    assert [departure.left_at for departure in departures] == [101, None] * 10


def test_a_question_takes_part_in_no_departure(serve: Serve) -> None:
    assert asked(serve, OK) == HttpAnswer(200, b'{"status":true}', None)


def test_a_redirect_is_an_answer_and_not_followed(serve: Serve) -> None:
    requests: list[bytes] = []

    answer = asked(serve, an_answer(b"302 Found\r\nLocation: /elsewhere"), requests)

    assert (answer.status, len(requests)) == (302, 2)
    assert all(request.startswith(b"POST / ") for request in requests)


def test_a_cookie_is_not_sent_back(serve: Serve) -> None:
    requests: list[bytes] = []

    asked(serve, an_answer(b"200 OK\r\nSet-Cookie: session=1; Path=/"), requests)

    assert len(requests) == 2
    assert not any(b"cookie" in request.lower() for request in requests)


def test_the_environments_proxies_and_netrc_are_not_used_by_the_client_itself(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    requests: list[bytes] = []

    assert asked(serve, OK, requests).status == 200
    assert not any(b"authorization" in request.lower() for request in requests)


def test_a_given_proxy_carries_the_call_with_its_credentials(serve: Serve) -> None:
    requests: list[bytes] = []
    departure = a_departure()

    async def run() -> HttpAnswer:
        async with serve(answering(OK, requests)) as url:
            proxy = url.replace("http://", "http://me:pw@")
            async with http_client(proxy=proxy) as client:
                gateway = "http://gateway.invalid/send"
                return await depart(client, gateway, b"{}", departure, timeout_s=5)

    assert asyncio.run(run()).status == 200
    assert requests[0].startswith(b"POST http://gateway.invalid/send HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic bWU6cHc=\r\n" in requests[0]
    assert departure.left_at == 101


def test_a_hundred_and_one_calls_are_in_flight_at_once(serve: Serve) -> None:
    """A hundred is where aiohttp, and httpx-aiohttp without a limit, would stop."""

    async def run() -> list[HttpAnswer]:
        here = 0
        all_here = asyncio.Event()

        async def wait_for_all(reader: StreamReader, writer: StreamWriter) -> None:
            nonlocal here
            await reader.readuntil(b"}")
            here += 1
            if here == 101:
                all_here.set()
            await all_here.wait()
            writer.write(OK)

        async with serve(wait_for_all) as url, http_client() as client:
            return await asyncio.gather(*(ask(client, url, b"{}", timeout_s=5) for _ in range(101)))

    assert [answer.status for answer in asyncio.run(run())] == [200] * 101


def test_a_connection_that_idled_too_long_is_not_used_again(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("waqcore.gateways.http.KEEPALIVE_S", 0.02)
    connections: list[int] = []

    async def behave(reader: StreamReader, writer: StreamWriter) -> None:
        connections.append(1)
        await answering(OK, [])(reader, writer)

    async def run() -> None:
        async with serve(behave) as url, http_client() as client:
            await ask(client, url, b"{}", timeout_s=5)
            await asyncio.sleep(0.1)
            await ask(client, url, b"{}", timeout_s=5)

    asyncio.run(run())

    assert connections == [1, 1]


def test_an_endless_answer_is_read_up_to_its_limit(serve: Serve) -> None:
    async def endless(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"}")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()

    async def run() -> HttpAnswer:
        async with serve(endless) as url, http_client() as client:
            return await ask(client, url, b"{}", timeout_s=5)

    assert len(asyncio.run(run()).body) == ANSWER_BYTES_MAX


def _retry_afters() -> Iterator[tuple[str, str, int | None]]:
    date = "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
    yield "seconds", "Retry-After: 7", 7_000_000
    yield "zero", "Retry-After: 0", 0
    yield "absurdly many digits", "Retry-After: " + "9" * 5_000, 999_999_999_000_000
    yield "a date", f"{date}Retry-After: Thu, 01 Jan 2026 00:01:30 GMT", 90_000_000
    yield "a date gone by", f"{date}Retry-After: Wed, 31 Dec 2025 23:59:00 GMT", 0
    yield "a date without the answer's own", "Retry-After: Thu, 01 Jan 2026 00:01:30 GMT", None
    yield "a fraction", "Retry-After: 1.5", None
    yield "negative", "Retry-After: -1", None
    yield "words", f"{date}Retry-After: soon", None
    yield "a zone missing", f"{date}Retry-After: Thu, 01 Jan 2026 00:01:30 -0000", None
    yield "none", "X-Other: 7", None


@pytest.mark.parametrize(
    ("headers", "wait"), [pytest.param(h, wait, id=name) for name, h, wait in _retry_afters()]
)
def test_retry_after_is_read_in_seconds_or_as_a_date(
    serve: Serve, headers: str, wait: int | None
) -> None:
    answer = an_answer(b"429 Too Many Requests\r\n" + headers.encode())

    assert asked(serve, answer).retry_after_us == wait
