"""Who calls the API, by the tokens that are known, which are read anew every other second."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from sqlalchemy.exc import SQLAlchemyError

from waqcore.store.errors import StoreError
from waqcore.tokens import Scope, Token, holder, kept_tokens, tokens_in_force
from waqcore.web.backend import Backend

log = logging.getLogger("waqcore.web")

REFRESH_S = 2.0
"""How long a token that was revoked may still work."""


def authorize(connection: ASGIConnection[Any, Any, Any, Any], scope: Scope | None) -> None:
    """Let in who holds a token with the scope, and note it as the user; None: any token will do.

    Raises:
        NotAuthorizedException: no token, or one that is not known.
        PermissionDeniedException: the token lacks the scope.
        TooManyRequestsException: the token's holder comes too often.
    """
    token = _given(connection)
    connection.app.state.limits.take(token.name)
    if scope is not None and not token.allows(scope):
        raise PermissionDeniedException(
            f"the token {token.name!r} may not do this: it needs the scope {scope.value!r}"
        )
    connection.scope["user"] = token


def _given(connection: ASGIConnection[Any, Any, Any, Any]) -> Token:
    kind, _, given = connection.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not given:
        raise NotAuthorizedException(
            "name a token: Authorization: Bearer …", headers={"WWW-Authenticate": "Bearer"}
        )
    token = holder(connection.app.state.tokens, given.strip())
    if token is None:
        raise NotAuthorizedException(
            "the token is not known here, or was revoked",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )
    return token


def known_tokens(backend: Backend) -> Callable[[Litestar], Any]:
    """A lifespan of the application in which it knows the tokens, and hears of changes."""

    @asynccontextmanager
    async def know(app: Litestar) -> AsyncIterator[None]:
        await _read(app, backend)
        if not app.state.tokens:
            log.warning("no token of the API is known: `waq token add` makes one")
        reader = asyncio.create_task(_keep_reading(app, backend))
        try:
            yield
        finally:
            reader.cancel()
            with suppress(asyncio.CancelledError):
                await reader

    return know


async def _keep_reading(app: Litestar, backend: Backend) -> None:
    while True:
        await asyncio.sleep(REFRESH_S)
        try:
            await _read(app, backend)
        except (StoreError, SQLAlchemyError) as error:
            # Those that were known go on: a full disk must not lock everybody out.
            log.error("tokens not read", extra={"reason": str(error)})


async def _read(app: Litestar, backend: Backend) -> None:
    rows = await backend.run(lambda: kept_tokens(backend.queue))
    app.state.tokens = tokens_in_force(rows, backend.settings.api_token)
