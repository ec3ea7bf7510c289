"""Tokens of the API: made at random, shown once, kept as digests, compared in constant time."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Sequence
from enum import StrEnum

import msgspec
from sqlalchemy import Connection

from waqcore.queue import Queue
from waqcore.store import events
from waqcore.store import tokens as rows
from waqcore.store.events import Happening
from waqcore.store.tokens import TokenRow

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
"""A name stands in the audit and in logs."""

ENVIRONMENT = "environment"
"""What the token of WAQ_API_TOKEN is called in the audit."""


class TokenError(ValueError):
    """A token that cannot be made, or ended, as asked."""


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
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def holder(tokens: Sequence[Token], given: str) -> Token | None:
    """The token that was given, None if it is none of them; all are compared, in constant time."""
    digest = digest_of(given)
    found = None
    for token in tokens:
        if hmac.compare_digest(token.digest, digest):
            found = token
    return found


def new_token(queue: Queue, name: str, scopes: Collection[Scope]) -> str:
    """Make a token and keep its digest; returns the token, which nobody can read again.

    Raises:
        TokenError: the name cannot be one, or is or was another's.
    """
    if not NAME.fullmatch(name):
        raise TokenError(
            f"{name!r} cannot name a token: write up to 40 small letters, digits, dots, dashes"
        )
    if name == ENVIRONMENT:
        raise TokenError(
            f"{name!r} is what the token of WAQ_API_TOKEN is called: name it otherwise"
        )
    made = f"waq_{secrets.token_urlsafe(32)}"
    written = ",".join(scope for scope in Scope if scope in scopes)
    row = TokenRow(name, digest_of(made), written, queue.store.now().wall, None)
    if not queue.store.write(lambda connection: _add(connection, row, queue.actor)):
        raise TokenError(
            f"there is, or was, a token {name!r}: name this one otherwise, such as {name}-2"
        )
    return made


def revoke_token(queue: Queue, name: str) -> None:
    """End a token; services that run hear of it within seconds.

    Raises:
        TokenError: there is none of that name that holds.
    """
    wall = queue.store.now().wall
    if not queue.store.write(lambda connection: _revoke(connection, name, wall, queue.actor)):
        raise TokenError(f"there is no token {name!r} to revoke; `waq token list` lists them")


def kept_tokens(queue: Queue) -> list[TokenRow]:
    """The tokens there are or were, as digests, oldest first."""
    return queue.store.read(rows.listing)


def _add(connection: Connection, row: TokenRow, actor: str) -> bool:
    said = Happening(actor, "add token", detail=f"{row.name}: {row.scopes}")
    added = rows.add(connection, row)
    events.record(connection, [said] if added else [], row.created_at)
    return added


def _revoke(connection: Connection, name: str, wall: int, actor: str) -> bool:
    revoked = rows.revoke(connection, name, wall)
    said = Happening(actor, "revoke token", detail=name)
    events.record(connection, [said] if revoked else [], wall)
    return revoked


def scopes_of(row: TokenRow) -> frozenset[Scope]:
    """The scopes of a token that is kept."""
    return frozenset(Scope(word) for word in row.scopes.split(","))


def tokens_in_force(kept: Sequence[TokenRow], of_environment: str) -> tuple[Token, ...]:
    """Those that hold: the ones kept and not revoked, and the environment's unless it is empty."""
    holding = [row for row in kept if row.revoked_at is None]
    found = [Token(row.name, row.digest, scopes_of(row)) for row in holding]
    if of_environment:
        found.append(Token(ENVIRONMENT, digest_of(of_environment), frozenset({Scope.ADMIN})))
    return tuple(found)
