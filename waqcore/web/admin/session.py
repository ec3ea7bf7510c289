"""Who is looking: what their cookie says, and what they may do."""

import time
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.datastructures import State

from waqcore.core.instants import SECOND
from waqcore.people import SESSION_US, Person, Role
from waqcore.web.admin.seal import Seal

BASE = "/admin/whatsapp-queue"
"""Where the dashboard lives; its cookies are sent nowhere else."""

COOKIE = "waq_session"
KIND = "session"

AdminRequest = Request[Any, Any, State]


class Session(msgspec.Struct, frozen=True):
    """What a browser keeps of somebody who has signed in."""

    id: str
    user: str
    stamp: str
    """Of the password it was opened with."""
    until: int
    """When it ends, in seconds since the epoch."""
    texts: bool = False
    """Message texts are shown in lists."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sent a request."""

    name: str
    role: Role
    actor: str
    """What the audit calls them."""
    session: Session | None = None
    """None: they came with a token of the API."""

    @property
    def can_act(self) -> bool:
        """They may do more than look."""
        return self.role is Role.ADMIN

    @property
    def texts(self) -> bool:
        """Message texts are to be shown in lists."""
        return self.session is not None and self.session.texts


def opened(person: Person, id_: str) -> Session:
    """A new session of somebody who knew their password."""
    return Session(id_, person.name, person.stamp, int(time.time()) + SESSION_US // SECOND)


def of_cookie(seal: Seal, cookie: str) -> Session | None:
    """The session of a cookie, None if it is not ours or too old."""
    session = seal.open(KIND, cookie, Session)
    return session if session is not None and session.until > time.time() else None


def csrf(seal: Seal, session: Session) -> str:
    """What every form of a session must say, so that no other site can send one."""
    return seal.mark("csrf", session.id)


def keep(response: Response[Any], request: AdminRequest, seal: Seal, session: Session) -> None:
    """Let the browser keep a session."""
    set_cookie(
        response,
        request,
        COOKIE,
        seal.close(KIND, session),
        max(0, session.until - int(time.time())),
    )


def set_cookie(
    response: Response[Any], request: AdminRequest, key: str, value: str, max_age_s: int
) -> None:
    """Set a cookie that no script reads and no other site sends."""
    response.set_cookie(
        key,
        value,
        max_age=max_age_s,
        path=BASE,
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="strict",
    )


def visitor(request: AdminRequest) -> Visitor:
    """Who sent a request that was let in."""
    found = request.scope["user"]
    assert isinstance(found, Visitor)
    return found
