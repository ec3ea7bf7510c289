"""The one door: every route but the login asks who comes, what they may do, and who sent them."""

import hmac
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from litestar.handlers.base import BaseRouteHandler

from waqcore.people import Role
from waqcore.store import people
from waqcore.tokens import Scope
from waqcore.web.admin.panel import Panel
from waqcore.web.admin.session import COOKIE, Session, Visitor, csrf, of_cookie
from waqcore.web.tokens import authorize

OPEN = "open"
"""A route's option: it answers strangers."""

TOKEN = "token"
"""A route's option: it takes a token of the API with the scope `admin`, too."""

VIEWER = "viewer"
"""A route's option: it changes nothing but one's own session, and viewers may."""

ANYBODY = "waq_anybody"
"""Where a request that was not let in notes whether anybody could be."""

SAFE = ("GET", "HEAD", "OPTIONS")

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

AnyConnection = ASGIConnection[Any, Any, Any, Any]


class Guard:
    """Lets requests in, and notes who sent them as the user."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel

    async def __call__(self, connection: AnyConnection, handler: BaseRouteHandler) -> None:
        """Let a request in.

        Raises:
            NotAuthorizedException: nobody is signed in, or not any more.
            PermissionDeniedException: they may not do this, or another site sent it.
        """
        if handler.opt.get(OPEN):
            return
        if handler.opt.get(TOKEN) and "authorization" in connection.headers:
            authorize(connection, Scope.ADMIN)
            name = connection.scope["user"].name
            connection.scope["user"] = Visitor(name, Role.ADMIN, f"api:{name}")
            return
        found = await self.visitor(connection)
        if found is None or found.session is None:
            connection.state[ANYBODY] = await self._panel.backend.run(self._panel.people.anybody)
            raise NotAuthorizedException("sign in first")
        connection.scope["user"] = found
        if str(connection.scope.get("method")) in SAFE:
            return
        if not await self._is_ours(connection, found.session):
            raise PermissionDeniedException(
                "this did not come from a page of the dashboard, or the page is of an earlier "
                "session: open the page anew and press again"
            )
        if not found.can_act and not handler.opt.get(VIEWER):
            raise PermissionDeniedException(
                f"{found.name!r} may look and change nothing: ask somebody with the role admin"
            )

    async def visitor(self, connection: AnyConnection) -> Visitor | None:
        """Who a request's cookie is of; None: of nobody who may look now."""
        session = of_cookie(self._panel.seal, connection.cookies.get(COOKIE, ""))
        if session is None:
            return None
        return await self._panel.backend.run(lambda: self._known(session))

    def _known(self, session: Session) -> Visitor | None:
        person = self._panel.people.person(session.user)
        if person is None or not hmac.compare_digest(person.stamp, session.stamp):
            return None
        store = self._panel.backend.queue.store
        if store.read(lambda connection: people.has_ended(connection, session.id)):
            return None
        return Visitor(person.name, person.role, f"admin:{person.name}", session)

    async def _is_ours(self, connection: AnyConnection, session: Session) -> bool:
        given = connection.headers.get("x-csrf-token", "")
        kind = connection.headers.get("content-type", "").partition(";")[0].strip()
        if not given and isinstance(connection, Request) and kind in FORMS:
            form = await connection.form()
            given = str(form.get("csrf", ""))
        wanted = csrf(self._panel.seal, session)
        return hmac.compare_digest(wanted.encode(), given.encode("utf-8", "surrogateescape"))
