"""Pages that keep themselves up to date: one look a second for all of them, whatever their number.

**Invariant:** what a look costs does not depend on how many pages are open; each is sent what was
drawn once for everybody who may see the same.
"""

import asyncio
import logging
import re
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from waqcore.store.errors import StoreError
from waqcore.web.admin.look import Look, Snapshot
from waqcore.web.backend import Backend

log = logging.getLogger("waqcore.web")

LOOK_S = 1.0
"""How often is looked whether anything has moved, while a page is open."""

SHARE = 0.006
"""The share of a core that looking and drawing may take: a long queue is looked at less often. What
is sent to a page, and whether anything has moved, take some more: a hundredth in all."""

STALE_S = 10.0
"""A snapshot so old is taken anew though nothing seems to have moved: some things end by time."""

BEAT_S = 15.0
"""How often something is sent, so that a proxy does not take a quiet stream for a dead one, and how
soon somebody who may no longer look stops seeing anything."""

_RELATIVE = re.compile(r"(<time[^>]*>)[^<]*")
"""Words such as `in 35 s`, which the browser keeps right by itself."""


class Variant(NamedTuple):
    """Who sees the same."""

    can_act: bool
    texts: bool
    """Message texts are shown in lists."""


Draw = Callable[[Snapshot, Variant], Mapping[str, str]]
"""The parts of the page, by name, as HTML."""


class Part(NamedTuple):
    """One part of a page, and the version in which it became what it is."""

    html: str
    version: int


class Live:
    """One queue's snapshots, shared by all pages of this process."""

    def __init__(self, look: Look, draw: Draw, backend: Backend, *, beat_s: float = BEAT_S) -> None:
        self._look, self._draw, self._backend, self._beat_s = look, draw, backend, beat_s
        self._epoch = secrets.token_hex(4)  # Versions count anew in another process.
        self._version = 0
        self._followed: dict[Variant, int] = {}
        self._parts: dict[Variant, dict[str, Part]] = {}
        self._snapshot: tuple[float, Snapshot] | None = None
        self._turn = asyncio.Lock()
        self._moved = asyncio.Event()
        self._keepers: list[asyncio.Task[None]] = []
        self._closed = False

    @property
    def version(self) -> str:
        """Names what a page drawn now has seen."""
        return f"{self._epoch}-{self._version}"

    @property
    def followers(self) -> int:
        """Open pages."""
        return sum(self._followed.values())

    async def current(self, age_max_s: float = LOOK_S) -> Snapshot:
        """A snapshot at most so many seconds old."""
        async with self._turn:
            if self._snapshot is None or time.monotonic() - self._snapshot[0] >= age_max_s:
                await self._take()
        assert self._snapshot is not None
        return self._snapshot[1]

    async def follow(
        self,
        variant: Variant,
        seen: str,
        allowed: Callable[[], Awaitable[bool]],
        wanted: frozenset[str] | None = None,
    ) -> AsyncIterator[bytes]:
        """What to send to a page that has seen a version, until it goes, may not, or we close.

        `wanted` are the parts it has; None: all of them.
        """
        epoch, _, number = seen.partition("-")
        version = int(number) if epoch == self._epoch and number.isdecimal() else -1
        self._followed[variant] = self._followed.get(variant, 0) + 1
        try:
            yield b"retry: 2000\n\n"
            if variant not in self._parts:
                await self._draw_for(variant)
            self._keep()
            asked_at = time.monotonic()
            while not self._closed:
                if version < self._version:
                    yield self._news(variant, version, wanted)
                    version = self._version
                await self._wait()
                if time.monotonic() >= asked_at + self._beat_s and not self._closed:
                    if not await allowed():
                        return
                    asked_at = time.monotonic()
                    yield b"event: beat\ndata: \n\n"
        finally:
            self._followed[variant] -= 1

    async def _end_when_told(self) -> None:
        await self._backend.closing.wait()
        self._closed = True
        self._stir()

    def forget(self) -> None:
        """Take the next snapshot anew: somebody has pressed a button and wants to see it."""
        self._snapshot = None

    async def _wait(self) -> None:
        """Wait for news, or for the next beat."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._moved.wait(), self._beat_s)

    def _stir(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    def _keep(self) -> None:
        self._keepers = [keeper for keeper in self._keepers if not keeper.done()]
        if len(self._keepers) < 2:
            for keeper in self._keepers:
                keeper.cancel()
            keepers = (self._keep_looking(), self._end_when_told())
            self._keepers = [asyncio.create_task(keeper) for keeper in keepers]

    async def _keep_looking(self) -> None:
        pulse: object = None
        while self.followers and not self._closed:
            rest_s = LOOK_S
            try:
                found = await self._backend.run(self._look.pulse)
                if found != pulse or self._age_s() >= STALE_S:
                    pulse = found
                    async with self._turn:
                        rest_s = max(LOOK_S, await self._take() / SHARE)
            except (SQLAlchemyError, StoreError) as error:
                log.error("the dashboard cannot look", extra={"reason": str(error)})
            await asyncio.sleep(rest_s)

    def _age_s(self) -> float:
        return STALE_S if self._snapshot is None else time.monotonic() - self._snapshot[0]

    async def _take(self) -> float:
        """Look and draw; returns the seconds of a core that it took."""
        wanted = [variant for variant, n in self._followed.items() if n]

        def work() -> tuple[float, Snapshot, dict[Variant, Mapping[str, str]]]:
            began = time.thread_time()
            snapshot = self._look.snapshot()
            drawn = {variant: self._draw(snapshot, variant) for variant in wanted}
            return time.thread_time() - began, snapshot, drawn

        took_s, snapshot, drawn = await self._backend.run(work)
        self._snapshot = (time.monotonic(), snapshot)
        self._parts = {variant: self._parts.get(variant, {}) for variant in wanted}
        # With nobody to follow, a page may have been drawn of what came before.
        if not wanted or any(self._differs(variant, parts) for variant, parts in drawn.items()):
            self._version += 1
            for variant, parts in drawn.items():
                self._adopt(variant, parts)
            self._stir()
        return took_s

    async def _draw_for(self, variant: Variant) -> None:
        """The parts of a variant that nobody followed until now."""
        snapshot = await self.current()
        parts = await self._backend.run(lambda: self._draw(snapshot, variant))
        if variant not in self._parts:
            self._adopt(variant, parts)

    def _differs(self, variant: Variant, parts: Mapping[str, str]) -> bool:
        known = self._parts[variant]
        return any(_changed(known.get(name), html) for name, html in parts.items())

    def _adopt(self, variant: Variant, parts: Mapping[str, str]) -> None:
        known = self._parts.setdefault(variant, {})
        for name, html in parts.items():
            if _changed(known.get(name), html):
                known[name] = Part(html, self._version)

    def _news(self, variant: Variant, seen: int, wanted: frozenset[str] | None) -> bytes:
        """The parts that have changed since a version, as events of a stream."""
        parts = self._parts.get(variant, {})
        return b"".join(
            _event(name, part.html)
            for name, part in parts.items()
            if part.version > seen and (wanted is None or name in wanted)
        )


def _changed(known: Part | None, html: str) -> bool:
    return known is None or _RELATIVE.sub(r"\1", known.html) != _RELATIVE.sub(r"\1", html)


def _event(name: str, html: str) -> bytes:
    lines = "".join(f"data: {line}\n" for line in html.splitlines() if line.strip())
    return f"event: {name}\n{lines}\n".encode()
