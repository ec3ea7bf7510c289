"""The overview, and the stream that keeps it and the head of every other page up to date."""

from collections.abc import AsyncIterator

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect, Stream
from msgspec.structs import replace

from waqcore.people import note
from waqcore.web.admin.guard import Guard
from waqcore.web.admin.live import Variant
from waqcore.web.admin.page import back, inside
from waqcore.web.admin.page import overview as parts_of
from waqcore.web.admin.panel import Panel
from waqcore.web.admin.session import AdminRequest, keep, visitor
from waqcore.web.admin.showing import show


@get("/")
async def overview(panel: NamedDependency[Panel], request: AdminRequest) -> Response[str]:
    """The queue at a glance, live."""
    who = visitor(request)
    snapshot = await panel.live.current()
    values = parts_of(snapshot, Variant(who.can_act, who.texts))
    return await show(panel, request, "overview", **values)


@get("/events")
async def events(
    panel: NamedDependency[Panel],
    guard: NamedDependency[Guard],
    request: AdminRequest,
    seen: FromQuery[str] = "",
    of: FromQuery[str] = "all",
) -> Stream:
    """What has changed since a page was drawn, whenever something does."""
    who = visitor(request)

    async def allowed() -> bool:
        return await guard.visitor(request) is not None

    variant = Variant(who.can_act, who.texts)
    wanted = None if of == "all" else frozenset({of})
    stream: AsyncIterator[bytes] = panel.live.follow(variant, seen, allowed, wanted)
    return Stream(
        stream,
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


@post("/texts", status_code=303)
async def texts(panel: NamedDependency[Panel], request: AdminRequest) -> Redirect:
    """Show the texts of messages in lists, or hide them again, for the rest of the session."""
    who = visitor(request)
    assert who.session is not None
    form = await request.form()
    wanted = bool(form.get("show"))
    store = panel.backend.queue.store
    said = "show texts" if wanted else "hide texts"
    await panel.backend.run(lambda: note(store, who.actor, said, "in lists, for this session"))
    response = Redirect(inside(back(form)), status_code=303)
    keep(response, request, panel.seal, replace(who.session, texts=wanted))
    return response
