"""Tells people: one post or one run of a command for all that has gathered, not more often than
every half minute, and again until it is taken."""

import asyncio
import logging
import os
import shlex
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import httpx
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from waqcore.alerts import ACTIONS, body_of, conditions, event_id
from waqcore.core.instants import MINUTE, SECOND
from waqcore.gateways.proxy import environment_proxy
from waqcore.settings import Settings
from waqcore.signature import keys_of, signed_headers
from waqcore.store import alerts
from waqcore.store.alerts import Claimed
from waqcore.store.errors import StoreError
from waqcore.store.store import Store

log = logging.getLogger("waqcore.alerts")

Execute = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs store work off the loop."""

Way = Callable[[str, bytes], Awaitable[str]]
"""Tells a body under an id; returns why it was not taken, empty if it was. Never raises."""

POLL_S = 2.0
"""How often the audit is looked at."""

CONDITIONS_US = 30 * SECOND
"""How often conditions are looked at: some milliseconds for a thousand lanes."""

QUIET_US = 30 * SECOND
"""Nobody is told more often: what gathers meanwhile is told together."""

RETRY_US = MINUTE
"""How soon those who could not be told are told again; it lasts until they can be."""

ALERTS_MAX = 20
"""Alerts in one telling; of the others only how many they are."""

TIMEOUT_S = 20.0
"""Seconds for a post or a command; the claim on telling holds for three times as long."""


class Teller:
    """Tells people what they were not told yet."""

    def __init__(self, store: Store, execute: Execute, ways: list[Way]) -> None:
        self._store = store
        self._execute = execute
        self._ways = ways

    async def look(self) -> None:
        """Tell what there is to tell, unless another process is at it, or it was told just now."""
        now = self._store.now()
        if not await self._execute(
            lambda: self._store.read(lambda c: alerts.any_untold(c, ACTIONS, now))
        ):
            return
        claimed: Claimed | None = await self._execute(self._claim)
        if claimed is None:
            return
        body, id_ = body_of(claimed), event_id(claimed.alerts, claimed.last)
        problems = [await way(id_, body) for way in self._ways]
        failed = [problem for problem in problems if problem]
        if failed:
            log.error("an alert was not taken", extra={"reason": "; ".join(failed)})
        # One of two ways is enough: to repeat it for the other would tell the first twice.
        taken = len(failed) < len(problems)
        position = claimed.last if taken else claimed.alerts[0].id - 1
        until = self._store.steady() + (QUIET_US if taken else RETRY_US)
        await self._execute(lambda: self._store.write(lambda c: alerts.release(c, position, until)))

    def _claim(self) -> Claimed | None:
        def claim(connection: Connection) -> Claimed | None:
            now = self._store.now()
            until = now.steady + round(3 * TIMEOUT_S * SECOND)
            return alerts.claim(connection, ACTIONS, now, until=until, limit=ALERTS_MAX)

        return self._store.write(claim)


def ways(settings: Settings, store: Store) -> list[Way]:
    """How the settings want people to be told; empty: not at all."""
    found: list[Way] = []
    if settings.alert_url:
        found.append(partial(_post, settings, store))
    if settings.alert_command:
        found.append(partial(_run, shlex.split(settings.alert_command)))
    return found


async def _post(settings: Settings, store: Store, id_: str, body: bytes) -> str:
    headers = {"Content-Type": "application/json"}
    for key in keys_of(settings.alert_secret)[:1]:
        headers |= signed_headers(key, id_, store.now().wall // SECOND, body)
    url = settings.alert_url
    try:
        async with (
            asyncio.timeout(TIMEOUT_S),
            httpx.AsyncClient(
                trust_env=False, proxy=environment_proxy(url), timeout=TIMEOUT_S
            ) as client,
        ):
            answer = await client.post(url, content=body, headers=headers)
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
        return f"WAQ_ALERT_URL: {type(error).__name__}"  # Its text may repeat the address.
    return "" if answer.is_success else f"WAQ_ALERT_URL answered {answer.status_code}"


async def _run(command: list[str], id_: str, body: bytes) -> str:
    """Run a command with the alert on its standard input, and none of our secrets around it."""
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("WAQ_", "WHATSAPP_"))
    }
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={**environ, "WAQCORE_ALERT_ID": id_},
        )
    except (OSError, ValueError) as error:
        return f"WAQ_ALERT_COMMAND cannot be run: {error}"
    try:
        async with asyncio.timeout(TIMEOUT_S):
            await process.communicate(body)
    except TimeoutError:
        return f"WAQ_ALERT_COMMAND did not end within {TIMEOUT_S:g} s, and was ended"
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    code = process.returncode
    return "" if code == 0 else f"WAQ_ALERT_COMMAND ended with {code}"


async def tell(store: Store, execute: Execute, settings: Settings) -> None:
    """Tell until cancelled; nothing where nobody wants to be told."""
    found = ways(settings, store)
    if not found:
        return
    teller = Teller(store, execute, found)
    look_at = 0
    while True:
        try:
            if store.steady() >= look_at:
                await execute(partial(conditions.look, store, settings))
                look_at = store.steady() + CONDITIONS_US
            await teller.look()
        except Exception as error:  # Whatever it is, it must not end the dispatcher beside us.
            known = isinstance(error, SQLAlchemyError | StoreError)
            log.error(
                "alerts are not read",
                extra={"reason": str(error)},
                exc_info=None if known else error,
            )
        await asyncio.sleep(POLL_S)
