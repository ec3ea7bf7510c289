"""One signed POST to an address of somebody else's: what answered, in how long at most."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from waqcore.callbacks.address import AddressError, Resolve, allowed, resolve
from waqcore.gateways.http import retry_after_us

TIMEOUT_S = 15.0
"""Seconds for all of it. Source: Standard Webhooks, "Operational considerations": 15 to 30 s."""


class Answer(NamedTuple):
    """What came of a POST."""

    status: int | None
    """None: no answer came."""
    problem: str = ""
    """Why none came."""
    retry_after_us: int | None = None
    """None: it did not ask for a delay."""


Post = Callable[[str, Mapping[str, str], bytes], Awaitable[Answer]]
"""Posts a body with headers to a URL; never raises."""


class Poster:
    """Posts to addresses that others named.

    The name is resolved here, and what is connected to is the address that was looked at: a name
    that leads somewhere else a moment later would get past any check made before. No redirect is
    followed, no proxy asked, and nothing of the answer is read but its head.
    """

    def __init__(
        self,
        *,
        any_address: bool,
        resolve: Resolve = resolve,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`transport` None: the network."""
        self._any_address = any_address
        self._resolve = resolve
        self._transport = transport
        self._client: httpx.AsyncClient | None = None

    async def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post a body; whatever goes wrong is an answer too."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await self._post(url, headers, body)
        except TimeoutError:
            return Answer(None, f"no answer in {TIMEOUT_S:g} s")
        except AddressError as error:
            return Answer(None, str(error))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
            return Answer(None, f"{type(error).__name__}: {str(error)[:200]}")

    async def aclose(self) -> None:
        """Let go of connections."""
        if self._client is not None:
            await self._client.aclose()

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        found = await self._resolve(host, port)
        addresses = allowed(found, host, any_address=self._any_address)
        for n, address in enumerate(addresses, 1):
            try:
                return await self._send(httpx.URL(url), str(address), headers, body)
            except httpx.ConnectError:
                if n == len(addresses):
                    raise
        raise AssertionError("there is an address, or `allowed` has raised")

    async def _send(
        self, url: httpx.URL, address: str, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        client = self._open()
        request = client.build_request(
            "POST",
            url.copy_with(host=address),
            content=body,
            headers={**headers, "Host": url.netloc.decode("ascii")},
            extensions={"sni_hostname": url.raw_host.decode("ascii")},
        )
        response = await client.send(request, stream=True)
        try:
            return Answer(response.status_code, "", retry_after_us(response.headers))
        finally:
            await response.aclose()

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:  # When first used: certificates take 20 ms and 7 MB.
            self._client = httpx.AsyncClient(
                transport=self._transport,
                trust_env=False,
                timeout=TIMEOUT_S,
                headers={"User-Agent": "waqcore", "Accept-Encoding": "identity"},
                # Unread answers close their connections anyway.
                limits=httpx.Limits(max_keepalive_connections=0, max_connections=None),
            )
        return self._client
