"""Who may open the dashboard: their passwords, their roles, and what their sessions rest on."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from waqcore.core.instants import DAY
from waqcore.store import events, people
from waqcore.store.events import Happening
from waqcore.store.people import UserRow
from waqcore.store.store import Store

ADMIN = "admin"
"""Whose password is WAQ_ADMIN_PASSWORD; nobody else may take the name."""

PASSWORD_MIN, PASSWORD_MAX = 8, 200
"""Characters. The least of NIST SP 800-63B (2017), 5.1.1.1; beyond the most, hashing
what strangers send costs too much."""

COST = (15, 8, 3)
"""log2 of scrypt's N, its r and its p: 32 MiB and about 0.2 s.

Source: OWASP Password Storage Cheat Sheet, read 2026-11: N = 2^15, r = 8, p = 3."""

SESSION_US = DAY // 2
"""How long a session lasts at most."""

_NAME = re.compile(r"[a-z][a-z0-9._-]{0,31}")


class PeopleError(ValueError):
    """A name, a role or a password that cannot be taken."""


class Role(StrEnum):
    """What somebody may do: everything, or look."""

    ADMIN = "admin"
    VIEWER = "viewer"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may sign in."""

    name: str
    role: Role
    stamp: str
    """Changes with the password: a session that bears another has ended."""


class People:
    """Those of the database, and the admin of the environment."""

    def __init__(self, store: Store, admin_password: str) -> None:
        self._store = store
        self._admin_password = admin_password
        self.key = signing_key(store)

    def anybody(self) -> bool:
        """Whether somebody can sign in at all."""
        return bool(self._admin_password) or bool(self._store.read(people.listing))

    def person(self, name: str) -> Person | None:
        """Somebody by name; None: there is nobody of that name."""
        if name == ADMIN:
            known = self._admin_password
            return Person(ADMIN, Role.ADMIN, self._stamp(known)) if known else None
        row = self._store.read(lambda connection: people.find(connection, name))
        return None if row is None else Person(name, Role(row.role), self._stamp(row.password))

    def check(self, name: str, password: str) -> Person | None:
        """Somebody who knows their password, else None; takes about 0.2 s on purpose."""
        password = password[:PASSWORD_MAX]
        row = self._store.read(lambda connection: people.find(connection, name))
        right = matches(password, _decoy() if row is None else row.password)
        if name == ADMIN:
            ours, given = _digest(self._admin_password), _digest(password)
            right = bool(self._admin_password) and hmac.compare_digest(ours, given)
        return self.person(name) if right else None

    def _stamp(self, password: str) -> str:
        return hmac.new(self.key, b"stamp:" + password.encode(), "sha256").hexdigest()[:24]


def signing_key(store: Store) -> bytes:
    """What sessions are signed with, made once for all processes that share the database."""
    known = store.read(lambda connection: people.key(connection, "session"))
    if known is None:
        made, wall = secrets.token_hex(32), store.now().wall
        known = store.write(lambda c: people.keep_key(c, "session", made, wall))
    return bytes.fromhex(known)


def hash_password(password: str) -> str:
    """A password as it is kept."""
    salt = secrets.token_bytes(16)
    return "$".join((*map(str, COST), salt.hex(), _scrypt(password, salt, COST).hex()))


def matches(password: str, kept: str) -> bool:
    """Whether a password is the one that was kept; compared in constant time."""
    *cost, salt, digest = kept.split("$")
    log_n, r, p = map(int, cost)
    found = _scrypt(password, bytes.fromhex(salt), (log_n, r, p))
    return hmac.compare_digest(found, bytes.fromhex(digest))


def _scrypt(password: str, salt: bytes, cost: tuple[int, int, int]) -> bytes:
    log_n, r, p = cost
    return hashlib.scrypt(
        password.encode(), salt=salt, n=2**log_n, r=r, p=p, maxmem=2**27, dklen=32
    )


@cache
def _decoy() -> str:
    """What a stranger's password is held against: to name nobody takes as long as to be wrong."""
    return hash_password(secrets.token_urlsafe())


def _digest(password: str) -> bytes:
    return hashlib.sha256(password.encode()).digest()


# What `waq user` does.


def check_name(name: str) -> None:
    """Do nothing for a name that somebody new may have.

    Raises:
        PeopleError: nobody may be called that.
    """
    if name == ADMIN:
        raise PeopleError(f"{ADMIN!r} is taken: its password is WAQ_ADMIN_PASSWORD")
    if not _NAME.fullmatch(name):
        raise PeopleError(
            f"{name[:40]!r} cannot be a name: write up to 32 small letters, digits, dots and dashes"
        )


def check_password(password: str) -> None:
    """Do nothing for a password that may be taken.

    Raises:
        PeopleError: it is too short or too long.
    """
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise PeopleError(
            f"the password has {len(password)} characters: take {PASSWORD_MIN} to {PASSWORD_MAX}"
        )


def add(store: Store, actor: str, name: str, role: Role, password: str) -> None:
    """Let somebody sign in.

    Raises:
        PeopleError: the name is taken or cannot be one, or the password cannot be taken.
    """
    check_name(name)
    check_password(password)
    now = store.now().wall
    row = UserRow(name, role.value, hash_password(password), now)
    if not store.write(lambda connection: people.add(connection, row)):
        raise PeopleError(f"there is a {name!r} already: see `waq user list`")
    note(store, actor, "add user", f"{name} ({role.value})")


def change_password(store: Store, actor: str, name: str, password: str) -> None:
    """Replace somebody's password, which ends their sessions.

    Raises:
        PeopleError: there is nobody of that name, or the password cannot be taken.
    """
    check_password(password)
    kept, now = hash_password(password), store.now().wall
    if not store.write(lambda c: people.set_password(c, name, kept, now)):
        raise PeopleError(_nobody(name))
    note(store, actor, "change password", name)


def remove(store: Store, actor: str, name: str) -> None:
    """Let somebody in no more; their sessions end at once.

    Raises:
        PeopleError: there is nobody of that name.
    """
    if not store.write(lambda connection: people.remove(connection, name)):
        raise PeopleError(_nobody(name))
    note(store, actor, "remove user", name)


def listed(store: Store) -> list[UserRow]:
    """Everybody in the database, by name."""
    return store.read(people.listing)


def note(store: Store, actor: str, action: str, detail: str) -> None:
    """Write a line of the audit that touches no lane and no message."""
    said = Happening(actor, action, detail=detail)
    store.write(lambda connection: events.record(connection, [said], store.now().wall))


def _nobody(name: str) -> str:
    if name == ADMIN:
        return f"{ADMIN!r} has its password from WAQ_ADMIN_PASSWORD: change it there"
    return f"there is nobody called {name[:40]!r}: see `waq user list`"
