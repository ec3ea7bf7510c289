"""Every way a call can fail to get an answer, against real sockets: had it left, or not?"""

import asyncio
import socket
import ssl
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import pytest

from waqcore.core.outcome import Unknown, Unreachable
from waqcore.gateways.failure import failure
from waqcore.gateways.gateway import Departure
from waqcore.gateways.http import HttpAnswer, ask, depart, http_client

Behave = Callable[[StreamReader, StreamWriter], Awaitable[None]]
Serve = Callable[[Behave], AbstractAsyncContextManager[str]]

# Made for this test with `openssl req -x509 -newkey ec`; nobody trusts it, which is its use.
SELF_SIGNED = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgTG5cLvgQwLLZll9U
+FKwhT7fTjxlxyP8VmOye0f7XCihRANCAATBBorzbfgpYIf37OeAH1StQv+9paU0
KKLDh698B82XbnvDqfa+RUglamGfV12+H9wBLCYF0mFGDkqXxjVI7RFw
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBlDCCATmgAwIBAgIUQ8/I5WjHS1MAmiv9cbXum1wHYH4wCgYIKoZIzj0EAwIw
HjEcMBoGA1UEAwwTc2VsZi1zaWduZWQuaW52YWxpZDAgFw0yNjExMjIxNTEzNTRa
GA8yMTI2MTAyOTE1MTM1NFowHjEcMBoGA1UEAwwTc2VsZi1zaWduZWQuaW52YWxp
ZDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABMEGivNt+Clgh/fs54AfVK1C/72l
pTQoosOHr3wHzZdue8Op9r5FSCVqYZ9XXb4f3AEsJgXSYUYOSpfGNUjtEXCjUzBR
MB0GA1UdDgQWBBSvPtN1FmPwfHcUqRjrpR3qz42fdjAfBgNVHSMEGDAWgBSvPtN1
FmPwfHcUqRjrpR3qz42fdjAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kA
MEYCIQCYeM5Op9ACYEkDY4WdUZJKfIjQOD6z1NRBzhjBaRB4mwIhAO07NloIUTIq
z2t8Uj++7l7moK7JHaxz5+iZqRAwTP0n
-----END CERTIFICATE-----
"""


def a_departure() -> Departure:
    return Departure(lambda: 1, 1)


async def outcome_of(
    url: str,
    departure: Departure,
    *,
    connect_timeout_s: float = 5,
    read_timeout_s: float = 5,
    timeout_s: float = 5,
    proxy: str | None = None,
) -> Unreachable | Unknown:
    client = http_client(
        connect_timeout_s=connect_timeout_s, read_timeout_s=read_timeout_s, proxy=proxy
    )
    async with client:
        with pytest.raises(Exception) as raised:  # noqa: PT011 -- whatever the client raises.
            await depart(client, url, b"{}", departure, timeout_s=timeout_s)
    return failure(raised.value, departure)


def a_port_nobody_listens_at() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert isinstance(port, int)
    return port


def reset(writer: StreamWriter) -> None:
    """Close so that the peer gets a RST instead of a FIN."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def reset_at_once(_reader: StreamReader, writer: StreamWriter) -> None:
    reset(writer)


async def reset_after_reading(reader: StreamReader, writer: StreamWriter) -> None:
    await reader.readuntil(b"}")
    reset(writer)


async def reset_within_the_answer(reader: StreamReader, writer: StreamWriter) -> None:
    await reader.readuntil(b"}")
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"sta')
    await writer.drain()
    await asyncio.sleep(0.02)
    reset(writer)


async def close_without_an_answer(reader: StreamReader, _writer: StreamWriter) -> None:
    await reader.readuntil(b"}")


async def hang(reader: StreamReader, _writer: StreamWriter) -> None:
    await reader.readuntil(b"}")
    await asyncio.sleep(60)


async def dribble(reader: StreamReader, writer: StreamWriter) -> None:
    await reader.readuntil(b"}")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b" ")
        await asyncio.sleep(0.02)


def saying(answer: bytes) -> Behave:
    async def behave(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"}")
        writer.write(answer)

    return behave


AFTER_LEAVING = [
    pytest.param(hang, "no answer in time", id="no answer within the read timeout"),
    pytest.param(dribble, "no answer in time", id="an answer slower than the call's timeout"),
    pytest.param(
        close_without_an_answer,
        "the connection was closed before the answer",
        id="closed without an answer",
    ),
    pytest.param(reset_after_reading, "connection reset by peer", id="reset after reading"),
    pytest.param(reset_within_the_answer, "the answer broke off", id="reset within the answer"),
    pytest.param(
        saying(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), "the answer is not HTTP", id="another protocol"
    ),
    pytest.param(
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}"),
        "the answer is not HTTP",
        id="a length that is no number",
    ),
    pytest.param(
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}"),
        "the answer broke off",
        id="shorter than its length",
    ),
    pytest.param(
        saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"),
        "the answer is not HTTP",
        id="garbage for a chunk's length",
    ),
    pytest.param(
        saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
        "the answer broke off",
        id="no last chunk",
    ),
    pytest.param(
        saying(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"),
        "the answer cannot be decoded",
        id="gzip that is none",
    ),
]


@pytest.mark.parametrize(("behave", "reason"), AFTER_LEAVING)
def test_nobody_knows_what_became_of_a_call_that_left(
    serve: Serve, behave: Behave, reason: str
) -> None:
    departure = a_departure()

    async def run() -> Unreachable | Unknown:
        async with serve(behave) as url:
            return await outcome_of(url, departure, read_timeout_s=0.2, timeout_s=0.3)

    assert asyncio.run(run()) == Unknown(reason)
    assert departure.left_at == 1


def test_a_reset_before_anything_was_read_is_unknown_all_the_same(serve: Serve) -> None:
    """Whether the gateway reads what reached its socket cannot be seen from here."""
    departure = a_departure()

    async def run() -> Unreachable | Unknown:
        async with serve(reset_at_once) as url:
            return await outcome_of(url, departure)

    assert isinstance(asyncio.run(run()), Unknown)


def test_nothing_leaves_for_a_port_nobody_listens_at() -> None:
    departure = a_departure()
    url = f"http://127.0.0.1:{a_port_nobody_listens_at()}"

    assert asyncio.run(outcome_of(url, departure)) == Unreachable("connection refused")
    assert (departure.checked_at, departure.left_at) == (None, None)


def test_nothing_leaves_for_a_host_that_does_not_exist() -> None:
    url = "http://does-not-exist.invalid"

    assert asyncio.run(outcome_of(url, a_departure())) == Unreachable("no such host")


@pytest.mark.parametrize("behave", [reset_at_once, hang, saying(b"HTTP/1.1 400 Bad Request\r\n")])
def test_nothing_leaves_where_tls_does_not_come_about(serve: Serve, behave: Behave) -> None:
    departure = a_departure()

    async def run() -> Unreachable | Unknown:
        async with serve(behave) as url:
            https = url.replace("http:", "https:")
            return await outcome_of(https, departure, connect_timeout_s=0.2)

    assert isinstance(asyncio.run(run()), Unreachable)
    assert departure.checked_at is None


def test_nothing_leaves_for_a_certificate_nobody_trusts(tmp_path: Path) -> None:
    pem = tmp_path / "self-signed.pem"
    pem.write_text(SELF_SIGNED)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem)

    async def run() -> Unreachable | Unknown:
        def ignore(_reader: StreamReader, writer: StreamWriter) -> None:
            writer.close()

        server = await asyncio.start_server(ignore, "127.0.0.1", 0, ssl=context)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await outcome_of(f"https://127.0.0.1:{port}", a_departure())

    assert asyncio.run(run()) == Unreachable("the certificate is not trusted")


def test_nothing_leaves_through_a_proxy_that_is_down() -> None:
    proxy = f"http://127.0.0.1:{a_port_nobody_listens_at()}"

    outcome = asyncio.run(outcome_of("https://wa.invalid", a_departure(), proxy=proxy))

    assert outcome == Unreachable("the proxy cannot be reached")


def test_nothing_leaves_through_a_proxy_that_refuses_the_tunnel(serve: Serve) -> None:
    async def refuse(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    async def run() -> Unreachable | Unknown:
        async with serve(refuse) as proxy:
            return await outcome_of("https://wa.invalid", a_departure(), proxy=proxy)

    assert asyncio.run(run()) == Unreachable("the proxy refused")


def test_an_answer_nobody_asked_for_is_not_taken_for_the_next_calls(serve: Serve) -> None:
    departure = a_departure()

    async def run() -> tuple[Unreachable | Unknown, HttpAnswer]:
        unasked = asyncio.Event()

        async def answer_twice(reader: StreamReader, writer: StreamWriter) -> None:
            while True:
                await reader.readuntil(b"}")
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno")
                await asyncio.sleep(0.02)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes")
                await asyncio.sleep(0.02)
                unasked.set()

        async with serve(answer_twice) as url, http_client() as client:
            await ask(client, url, b"{}", timeout_s=5)
            await unasked.wait()
            with pytest.raises(httpx.TransportError) as raised:
                await depart(client, url, b"{}", departure, timeout_s=5)
            return failure(raised.value, departure), await ask(client, url, b"{}", timeout_s=5)

    outcome, next_answer = asyncio.run(run())
    assert outcome == Unreachable("an answer came that nobody asked for")
    assert next_answer.body == b"no"


def test_a_cancelled_call_stays_cancelled(serve: Serve) -> None:
    async def run() -> None:
        read = asyncio.Event()

        async def hang_when_read(reader: StreamReader, _writer: StreamWriter) -> None:
            await reader.readuntil(b"}")
            read.set()
            await asyncio.sleep(60)

        async with serve(hang_when_read) as url, http_client() as client:
            call = asyncio.create_task(depart(client, url, b"{}", a_departure(), timeout_s=5))
            await read.wait()
            call.cancel()
            await call

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())
