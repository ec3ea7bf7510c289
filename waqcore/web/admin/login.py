"""Signing in and out."""

import hmac
import secrets
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect

from waqcore.people import SESSION_US, Person, note
from waqcore.store import people
from waqcore.web.admin.entry import STRANGER, sign_in
from waqcore.web.admin.guard import OPEN, VIEWER
from waqcore.web.admin.page import inside
from waqcore.web.admin.panel import Panel
from waqcore.web.admin.session import (
    BASE,
    COOKIE,
    AdminRequest,
    keep,
    opened,
    visitor,
)

NAME_MAX = 64
"""Characters of a name that are looked at, and shown in the audit."""


async def _form(
    panel: Panel, request: AdminRequest, *, to: str, wrong: str = "", status: int = 200
) -> Response[str]:
    anybody = await panel.backend.run(panel.people.anybody)
    return sign_in(panel, request, to=to, anybody=anybody, wrong=wrong, status=status)


@get("/login", opt={OPEN: True})
async def login_form(
    panel: NamedDependency[Panel], request: AdminRequest, to: FromQuery[str] = BASE
) -> Response[str]:
    """Ask who it is."""
    return await _form(panel, request, to=to)


@post("/login", opt={OPEN: True}, status_code=200)
async def login(panel: NamedDependency[Panel], request: AdminRequest) -> Response[Any]:
    """Let in who knows their password."""
    form = await request.form()
    name, password = str(form.get("name", "")), str(form.get("password", ""))
    name, to = name.strip().lower()[:NAME_MAX], str(form.get("to", BASE))
    mine = request.cookies.get(STRANGER, "")
    wanted, given = panel.seal.mark("login", mine), str(form.get("mark", ""))
    if not mine or not hmac.compare_digest(wanted.encode(), given.encode()):
        wrong = "the page had been open for too long, or cookies are off: try again"
        return await _form(panel, request, to=to, wrong=wrong, status=403)
    address = _address(request)
    wait_s = await panel.backend.run(lambda: panel.throttle.take(address, name))
    if wait_s:
        wrong = f"too many wrong passwords: try again in {wait_s / 60:.0f} min"
        response = await _form(panel, request, to=to, wrong=wrong, status=429)
        response.headers["Retry-After"] = str(round(wait_s) + 1)
        return response
    person = await panel.backend.run(lambda: panel.people.check(name, password))
    if person is None:
        await _note(panel, f"stranger:{address}", "wrong password", name)
        wrong = "the name or the password is wrong"
        return await _form(panel, request, to=to, wrong=wrong, status=401)
    await panel.backend.run(lambda: panel.throttle.right(address, name))
    return await _let_in(panel, request, person, to)


async def _let_in(panel: Panel, request: AdminRequest, person: Person, to: str) -> Response[Any]:
    await _note(panel, f"admin:{person.name}", "sign in", f"from {_address(request)}")
    response = Redirect(inside(to), status_code=303)
    keep(response, request, panel.seal, opened(person, secrets.token_urlsafe(16)))
    response.delete_cookie(STRANGER, path=BASE)
    return response


@post("/logout", opt={VIEWER: True}, status_code=303)
async def logout(panel: NamedDependency[Panel], request: AdminRequest) -> Redirect:
    """End the session, here and wherever its cookie may have got to."""
    who = visitor(request)
    assert who.session is not None
    id_, store = who.session.id, panel.backend.queue.store
    wall = store.now().wall
    await panel.backend.run(
        lambda: store.write(lambda c: people.end_session(c, id_, wall + SESSION_US, wall))
    )
    await _note(panel, who.actor, "sign out", "")
    response = Redirect(f"{BASE}/login", status_code=303)
    response.delete_cookie(COOKIE, path=BASE)
    return response


async def _note(panel: Panel, actor: str, action: str, detail: str) -> None:
    store = panel.backend.queue.store
    await panel.backend.run(lambda: note(store, actor, action, detail))


def _address(request: Request[Any, Any, Any]) -> str:
    return request.client.host if request.client is not None else "?"
