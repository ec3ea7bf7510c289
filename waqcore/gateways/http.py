"""One request to a gateway: the pooled client, and the instant a request leaves.

httpx is the interface, aiohttp carries it. Measured, requests a second at 1, 32 and 256 in flight:
httpx alone 850, 460 and 220 (and a p99 of 4.7 s); over aiohttp 2,070, 4,200 and 2,560.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import NamedTuple

import aiohttp
import httpx
from aiohttp.connector import Connection
from httpx_aiohttp import AiohttpTransport

from waqcore.gateways.gateway import Departure, TooLate

CONNECTIONS_MAX = 800
"""Calls in flight at once, one for a lane. Each takes a file descriptor, of which a process usually
has 1,024; the rest is for the database and the API. A call that waits here has not departed yet."""

KEEPALIVE_S = 4.0
"""Seconds a connection may idle. Many servers close theirs after five, and a request that meets
such a close on its way is lost without anyone knowing whether it was read first.

Source: Node.js, `server.keepAliveTimeout`: 5 s. Apache, `KeepAliveTimeout`: 5 s.
"""

CONNECT_TIMEOUT_S = 10.0
"""Seconds for TCP and TLS together: room for three lost SYNs, repeated after 1, 3 and 7 s."""

CALL_TIMEOUT_S = 30.0
"""Seconds for a whole call, as in the system this replaces."""

ANSWER_BYTES_MAX = 262_144
"""What is read of an answer. MPWA's longest echoes one message, 25 kB as JSON; a page of an error
handler may be larger, but nothing beyond its title is kept."""


class HttpAnswer(NamedTuple):
    """A gateway's whole answer, or its first `ANSWER_BYTES_MAX` bytes."""

    status: int
    body: bytes
    retry_after_us: int | None = None
    """None where the gateway did not say, or said it in no known form."""


def http_client(
    *,
    connect_timeout_s: float = CONNECT_TIMEOUT_S,
    read_timeout_s: float = CALL_TIMEOUT_S,
    proxy: str | None = None,
) -> httpx.AsyncClient:
    """Make the client that all calls to one gateway share; it connects when first used.

    It follows no redirect (a POST would turn into a GET) and keeps no cookie (one sender's session
    must not colour another's). From the environment it takes only `SSL_CERT_FILE` and
    `SSL_CERT_DIR`: a forgotten ~/.netrc would add credentials, and `proxy` is the caller's to give.
    """
    # Made here because reading the certificates takes 20 ms, too long inside a running loop.
    context = httpx.create_ssl_context()

    def session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=_connector(context),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            proxy=proxy,
            request_class=_CleanRequest,
        )

    return httpx.AsyncClient(
        transport=AiohttpTransport(verify=context, client=session),
        # Waiting for a free connection ends with the call, so it needs no limit of its own.
        timeout=httpx.Timeout(read_timeout_s, connect=connect_timeout_s, pool=None),
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        follow_redirects=False,
        trust_env=False,
    )


def _connector(context: ssl.SSLContext) -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector(limit=CONNECTIONS_MAX, keepalive_timeout=KEEPALIVE_S, ssl=context)


class UnaskedAnswer(aiohttp.ClientConnectionError):
    """A connection held an answer before its next question; nothing was written to it."""


class _CleanRequest(aiohttp.ClientRequest):
    """Refuses a connection on which something arrived while it idled.

    aiohttp would take that for the answer: measured, every later call on the connection then got
    its predecessor's answer, and so another message's acceptance.
    """

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        if conn.protocol is not None and conn.protocol.should_close:
            raise UnaskedAnswer
        return await super().send(conn)


class Departing(httpx.AsyncByteStream):
    """A request's body that asks its departure just before it is written, and stamps it just after.

    aiohttp holds the headers back until the first piece of the body and writes both at once, then
    comes back for the next piece: so the first byte is written between `check` and `leave`, with no
    other task in between. Measured at 256 requests in flight, before the write: `check` 4 µs;
    aiohttp's trace hooks for the connection and the headers 13,000 µs (up to 68,000), since the
    body is written by a task of its own; the hook for the body 1 µs, *before* the write still.

    Source: aiohttp 3.14, `StreamWriter.write`, `AsyncIterablePayload.write_with_length`.
    """

    def __init__(self, content: bytes, departure: Departure) -> None:
        """`content` stays below the 64 KiB after which aiohttp would wait before coming back."""
        self._content = content
        self._departure = departure
        self.refused: TooLate | None = None
        """Why nothing was written: on its way out aiohttp wraps the exception, or loses it."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Give out the body, once."""
        try:
            self._departure.check()
        except TooLate as refused:
            self.refused = refused
            raise
        yield self._content
        self._departure.leave()


async def depart(
    client: httpx.AsyncClient,
    url: httpx.URL | str,
    content: bytes,
    departure: Departure,
    *,
    timeout_s: float,
) -> HttpAnswer:
    """POST JSON as the call whose departure this is.

    Raises:
        TooLate: the departure refused; not a byte was written.
        Exception: no whole answer came, see `failure`; the type is of no use.
    """
    body = Departing(content, departure)
    try:
        return await _post(client, url, body, len(content), timeout_s)
    except Exception:
        if body.refused is not None:
            raise body.refused from None
        raise


async def ask(
    client: httpx.AsyncClient, url: httpx.URL | str, content: bytes, *, timeout_s: float
) -> HttpAnswer:
    """POST JSON that sends no message, so counts for no pace.

    Raises:
        Exception: no whole answer came, see `failure`; the type is of no use.
    """
    return await _post(client, url, content, len(content), timeout_s)


async def _post(
    client: httpx.AsyncClient,
    url: httpx.URL | str,
    content: bytes | httpx.AsyncByteStream,
    length: int,
    timeout_s: float,
) -> HttpAnswer:
    # PHP behind FastCGI reads no chunked body, which is what a stream without a length becomes.
    headers = {"Content-Type": "application/json", "Content-Length": str(length)}
    async with (
        asyncio.timeout(timeout_s),
        client.stream("POST", url, content=content, headers=headers) as response,
    ):
        return HttpAnswer(
            response.status_code, await _body(response), retry_after_us(response.headers)
        )


async def _body(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) >= ANSWER_BYTES_MAX:
            break
    return bytes(body[:ANSWER_BYTES_MAX])


def retry_after_us(headers: httpx.Headers) -> int | None:
    """Microseconds to wait; a date counts from the answer's own, whatever our clock says.

    Source: RFC 9110, sections 10.2.3 (seconds or a date) and 6.6.1 (whoever has a clock dates).
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        # Nine digits are 31 years; Python refuses to read numbers of thousands of digits.
        return int(value[:9]) * 1_000_000
    try:
        until, now = parsedate_to_datetime(value), parsedate_to_datetime(headers.get("Date", ""))
        return max(0, round((until - now).total_seconds() * 1_000_000))
    except (ValueError, TypeError):  # TypeError: one of them names no time zone.
        return None
