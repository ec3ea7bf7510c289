"""Sending by hand: a test message, or one that goes before everything queued."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency

from waqcore.draft import DraftError
from waqcore.message import Message
from waqcore.phone import PhoneError
from waqcore.queue import BusyLaneError, Queue
from waqcore.store.enqueue import SuppressedError
from waqcore.text import TextError
from waqcore.web.admin.chosen import FormError
from waqcore.web.admin.page import Flash
from waqcore.web.admin.panel import Panel
from waqcore.web.admin.senders import broken
from waqcore.web.admin.session import BASE, AdminRequest
from waqcore.web.admin.showing import show

TEST = "Test message from waqcore. Please ignore."

REFUSED = (PhoneError, TextError, DraftError, SuppressedError, FormError)
"""What whoever wrote a message has to correct."""


@get("/send")
async def send_form(panel: NamedDependency[Panel], request: AdminRequest) -> Response[str]:
    """Ask what to send, and to whom."""
    return await _form(panel, request, {"text": TEST, "priority": "normal"}, "")


async def _form(
    panel: Panel, request: AdminRequest, given: Mapping[str, Any], wrong: str
) -> Response[str]:
    store = panel.backend.queue.store
    code = 422 if wrong else 200
    return await show(
        panel,
        request,
        "send",
        code=code,
        senders=list(store.senders),
        given=given,
        wrong=wrong,
    )


@post("/send", status_code=303)
async def send(panel: NamedDependency[Panel], request: AdminRequest) -> Response[Any]:
    """Queue what was written, and go to its page; or say what has to be corrected."""
    form = await request.form()
    queue = panel.acting(request)
    try:
        message, said = await panel.backend.run(lambda: _sent(queue, form))
    except REFUSED as error:
        return await _form(panel, request, dict(form), str(error))
    return panel.told(request, Flash(said), f"{BASE}/messages/{message.id}")


def _sent(queue: Queue, form: Mapping[str, Any]) -> tuple[Message, str]:
    to, text = str(form.get("to", "")), str(form.get("text", ""))
    sender, reason = str(form.get("sender", "")) or None, str(form.get("reason", "")).strip()
    more: dict[str, Any] = {
        "sender": sender,
        "reference": str(form.get("reference", "")).strip() or None,
    }
    if form.get("break") and not (form.get("now") and reason):
        raise FormError("to break the pace, tick “send now” as well and say why")
    if not form.get("now"):
        message = queue.enqueue(to, text, priority=str(form.get("priority", "normal")), **more)
        return message, "Queued"
    message = queue.send_now(to, text, **more)
    if not form.get("break"):
        return message, "Queued before everything else, for when the pace allows"
    try:
        broken(queue, message.sender, reason)
    except BusyLaneError:
        return message, "Queued before everything else; a call is in flight, so the pace was kept"
    return message, "Queued before everything else; the pace does not hold it, and the audit knows"


ROUTES = (send_form, send)
