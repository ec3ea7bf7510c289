"""Those who look at the dashboard in its bench, in a process of their own: they sign in, load the
page again and again, then keep its live streams open."""

import argparse
import asyncio
import json
import re
import time
from typing import Any

import aiohttp

PAGE = "/admin/whatsapp-queue"
LOADS = 40
APART_S = 0.4
"""Between two loads: who loads at once shares one look at the queue, which would flatter it."""
_MARK = re.compile(r'name="mark"[^>]*value="([^"]*)"')


async def look(url: str, password: str, pages: int, seconds: float) -> dict[str, Any]:
    """Load the page one after the other, or hold so many streams open for so long.

    Returns when first bytes came, in milliseconds, or how many events did.
    """
    connector = aiohttp.TCPConnector(limit=0)
    jar = aiohttp.CookieJar(unsafe=True)  # A bare address may have cookies too.
    async with aiohttp.ClientSession(url, connector=connector, cookie_jar=jar) as session:
        await _sign_in(session, password)
        if not pages:
            return {"first_bytes_ms": [await _first_byte_ms(session) for _ in range(LOADS)]}
        events = await asyncio.gather(*(_watch(session, seconds) for _ in range(pages)))
        return {"events": sum(events), "fewest": min(events)}


async def _sign_in(session: aiohttp.ClientSession, password: str) -> None:
    async with session.get(f"{PAGE}/login") as form:
        mark = _MARK.search(await form.text())
    assert mark is not None, "the login form has no mark"
    known = {"name": "admin", "password": password, "to": PAGE, "mark": mark[1]}
    async with session.post(f"{PAGE}/login", data=known) as page:
        assert page.status == 200, f"signing in was answered {page.status}"


async def _first_byte_ms(session: aiohttp.ClientSession) -> float:
    await asyncio.sleep(APART_S)
    began = time.perf_counter()
    async with session.get(PAGE) as page:
        await page.content.readany()
        took = time.perf_counter() - began
        assert page.status == 200, f"the page was answered {page.status}"
        await page.read()
    return took * 1_000


async def _watch(session: aiohttp.ClientSession, seconds: float) -> int:
    ends, events = time.monotonic() + seconds, 0
    patient = aiohttp.ClientTimeout(total=None)
    async with session.get(f"{PAGE}/events", timeout=patient) as stream:
        assert stream.status == 200, f"the live stream was answered {stream.status}"
        while (left := ends - time.monotonic()) > 0:
            try:
                line = await asyncio.wait_for(stream.content.readline(), left)
            except TimeoutError:
                break
            assert line, "the live stream has ended"
            events += line.startswith(b"event:")
    return events


def main() -> None:
    """Look as the arguments say, and print what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--password", required=True)
    parser.add_argument("--pages", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=10)
    given = parser.parse_args()
    seen = asyncio.run(look(given.url, given.password, given.pages, given.seconds))
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
