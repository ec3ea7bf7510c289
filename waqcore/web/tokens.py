"""Who calls the API: bearer tokens with scopes, compared by digest in constant time."""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import msgspec
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers.base import BaseRouteHandler


class Scope(StrEnum):
    """What a token lets its holder do. `admin` includes the others."""

    ENQUEUE = "enqueue"
    READ = "read"
    ADMIN = "admin"


class Token(msgspec.Struct, frozen=True):
    """A token as it is kept: its digest, never itself."""

    name: str
    digest: str
    """SHA-256 of the token, in hexadecimal."""
    scopes: frozenset[Scope]

    def __repr__(self) -> str:
        return f"Token({self.name!r})"

    def allows(self, scope: Scope) -> bool:
        """Whether its holder may do what asks for a scope."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


def digest_of(token: str) -> str:
    """A token's digest. A plain hash will do: tokens are random and long, unlike passwords."""
    return hashlib.sha256(token.encode()).hexdigest()


def holder(tokens: Sequence[Token], given: str) -> Token | None:
    """The token that was given, None if it is none of them; all are compared, in constant time."""
    digest = digest_of(given)
    found = None
    for token in tokens:
        if hmac.compare_digest(token.digest, digest):
            found = token
    return found


Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], None]


def requires(scope: Scope) -> Guard:
    """A guard of routes: lets in who holds a token with the scope, and notes it as the user.

    Raises:
        NotAuthorizedException: no token, or one that is not known.
        PermissionDeniedException: the token lacks the scope.
    """

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
        kind, _, given = connection.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not given:
            raise NotAuthorizedException(
                "name a token: Authorization: Bearer …", headers={"WWW-Authenticate": "Bearer"}
            )
        token = holder(connection.app.state.tokens(), given.strip())
        if token is None:
            raise NotAuthorizedException(
                "the token is not known here, or was revoked",
                headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
            )
        if not token.allows(scope):
            raise PermissionDeniedException(
                f"the token {token.name!r} may not do this: it needs the scope {scope.value!r}"
            )
        connection.scope["user"] = token

    return guard
