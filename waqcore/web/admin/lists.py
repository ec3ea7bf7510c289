"""Pages that show messages, one or many, and the audit."""

from collections import Counter
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from waqcore.core.message import State
from waqcore.message import Attempt, Message
from waqcore.phone import PhoneError
from waqcore.queue import Queue
from waqcore.store.controls import Filter
from waqcore.web.admin.chosen import Chosen, FormError, chosen
from waqcore.web.admin.life import life_of
from waqcore.web.admin.panel import Panel
from waqcore.web.admin.session import AdminRequest
from waqcore.web.admin.showing import show

PAGE = 50
"""Messages on one page of a list."""

FAILED_PAGE = 25
"""Failed messages on one page: each with its attempts."""

AUDIT_PAGE, AUDIT_MAX = 100, 1_000

MOVING = (State.QUEUED, State.SENDING)
"""States that a message leaves by itself."""


def _look(queue: Queue, picked: Chosen, before: str, size: int) -> dict[str, Any]:
    """One page of a list; ETAs are worked out here, in a thread."""
    found = queue.messages(picked.which, limit=size + 1, before=before or None)
    for message in found[:size]:
        message.eta  # noqa: B018
    return {
        "messages": found[:size],
        "before": found[size - 1].id if len(found) > size else "",
        "counts": queue.count(picked.which),
    }


@get("/messages")
async def messages(
    panel: NamedDependency[Panel], request: AdminRequest, before: FromQuery[str] = ""
) -> Response[str]:
    """The newest messages, or those that somebody looks for."""
    wrong = ""
    try:
        picked = chosen(request.query_params)
    except (FormError, PhoneError) as error:
        picked, wrong = Chosen({"q": request.query_params.get("q", "")}, Filter(ids=())), str(error)
    queue = panel.backend.queue
    values = await panel.backend.run(lambda: _look(queue, picked, before, PAGE))
    return await show(
        panel,
        request,
        "messages",
        code=400 if wrong else 200,
        **values,
        picked=picked,
        wrong=wrong,
        first=not before,
        senders=list(queue.store.senders),
        states=[state.value for state in State],
    )


@get("/failed")
async def failed(
    panel: NamedDependency[Panel], request: AdminRequest, before: FromQuery[str] = ""
) -> Response[str]:
    """What could not be delivered, with every attempt."""
    queue = panel.backend.queue
    picked = Chosen({"state": State.FAILED.value}, Filter(states=(State.FAILED,)))

    def look() -> dict[str, Any]:
        values = _look(queue, picked, before, FAILED_PAGE)
        calls = {message.id: queue.attempts(message.id) for message in values["messages"]}
        return {**values, "calls": calls}

    values = await panel.backend.run(look)
    return await show(panel, request, "failed", **values, picked=picked, first=not before)


def _whole(queue: Queue, id_: str) -> tuple[Message, list[Attempt]]:
    message = queue.message(id_)
    message.eta  # noqa: B018
    return message, queue.attempts(id_)


@get("/messages/{id_:str}")
async def message(
    panel: NamedDependency[Panel], request: AdminRequest, id_: FromPath[str]
) -> Response[str]:
    """One message: what it says, and the course of its life."""
    queue = panel.backend.queue
    one, calls = await panel.backend.run(lambda: _whole(queue, id_))
    course = life_of(one, calls)
    return await show(
        panel, request, "message", message=one, calls=calls, life=course, moving=MOVING
    )


@get("/messages/{id_:str}/life")
async def life(
    panel: NamedDependency[Panel], id_: FromPath[str], was: FromQuery[str] = ""
) -> Response[str]:
    """The course of a message's life as it stands; in another state the page is loaded anew."""
    queue = panel.backend.queue
    one, calls = await panel.backend.run(lambda: _whole(queue, id_))
    values = {"message": one, "calls": calls, "life": life_of(one, calls)}
    response = panel.pages.piece("parts/life", **values)
    if one.state.value != was:
        response.headers["HX-Refresh"] = "true"
    return response


@get("/audit")
async def audit(
    panel: NamedDependency[Panel], request: AdminRequest, limit: FromQuery[int] = AUDIT_PAGE
) -> Response[str]:
    """Who did what, when, and to how many messages."""
    limit = max(1, min(limit, AUDIT_MAX))
    rows = await panel.backend.run(lambda: panel.backend.queue.audit(limit + 1))
    told: Counter[str] = Counter()
    for row in rows[:limit]:
        told[row.happening.action] += 1
    return await show(
        panel, request, "audit", rows=rows[:limit], told=told, more=len(rows) > limit, limit=limit
    )
