"""The routes of the system that this one replaced, with its names for things."""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ValidationException

from waqcore.phone import PhoneError
from waqcore.queue import Queue
from waqcore.status import Status
from waqcore.web.admin.chosen import FormError, chosen
from waqcore.web.admin.guard import TOKEN
from waqcore.web.admin.look import HELD
from waqcore.web.admin.panel import Panel
from waqcore.web.admin.sending import REFUSED, TEST
from waqcore.web.admin.session import AdminRequest
from waqcore.words import count


@get("/status", opt={TOKEN: True})
async def status(panel: NamedDependency[Panel]) -> dict[str, Any]:
    """The queue in the old words; `estimated_time` is in seconds, null where nobody knows."""
    snapshot = await panel.live.current()
    return await panel.backend.run(lambda: _old_words(panel, snapshot.status))


def _old_words(panel: Panel, found: Status) -> dict[str, Any]:
    say = panel.pages.wording()
    clear_in_s = found.clear_in_s
    return {
        "queue_length": found.queue_length,
        "is_processing": _is_processing(found),
        "failed_messages": found.failed,
        "estimated_time": None if clear_in_s is None else round(clear_in_s),
        "next_messages": [
            {
                "id": message.id,
                "phone": say.number(message.recipient),
                "priority": message.priority,
                "attempts": message.attempts,
                "created_at": message.enqueued_at.isoformat(),
                "estimated_at": _iso(message.eta.at if message.eta else None),
            }
            for message in found.next
        ],
    }


def _is_processing(found: Status) -> bool:
    """Whether something is being sent, or waits for nothing but its pace."""
    waiting = [lane for lane in found.lanes if lane.queued > lane.scheduled]
    going = any(lane.condition not in HELD for lane in waiting)
    return bool(found.in_flight) or (found.dispatchers > 0 and going)


def _iso(at: Any) -> str | None:
    return None if at is None else str(at.isoformat())


async def _given(request: AdminRequest) -> Mapping[str, Any]:
    """What a request says, as JSON or as a form.

    Raises:
        ValidationException: it says it is JSON, and is not an object.
    """
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            found = msgspec.json.decode(await request.body() or b"{}", type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise ValidationException(f"the body is no JSON object: {error}") from None
        return found
    return dict(await request.form())


@post("/clear", opt={TOKEN: True}, status_code=200)
async def clear(panel: NamedDependency[Panel], request: AdminRequest) -> dict[str, Any]:
    """Empty the queue, or a part of it, as a batch that can be restored."""
    given, queue = await _given(request), panel.acting(request)
    try:
        which = chosen(given).which
    except (FormError, PhoneError) as error:
        raise ValidationException(str(error)) from None
    batch, moved = await panel.backend.run(lambda: queue.clear(which, reason="cleared"))
    return {
        "success": True,
        "message": f"cleared {count(moved, 'message')}",
        "cleared": moved,
        "batch": batch,
    }


@post("/force-process", opt={TOKEN: True}, status_code=200)
async def force_process(panel: NamedDependency[Panel], request: AdminRequest) -> dict[str, Any]:
    """Wake every sender; the pace holds."""
    queue = panel.acting(request)
    senders = await panel.backend.run(queue.process)
    return {"success": True, "message": f"woke {count(len(senders), 'sender')}", "senders": senders}


@post("/send-test", opt={TOKEN: True}, status_code=200)
async def send_test(
    panel: NamedDependency[Panel], request: AdminRequest
) -> dict[str, Any] | Response[Any]:
    """Queue a test message: `phone`, and if need be `message` and `priority`."""
    given, queue = await _given(request), panel.acting(request)
    to = str(given.get("phone") or given.get("phone_number") or given.get("to") or "")
    text = str(given.get("message") or TEST)
    word = str(given.get("priority") or "normal")
    try:
        message = await panel.backend.run(lambda: _queued(queue, to, text, word))
    except REFUSED as error:
        return Response({"success": False, "message": str(error)}, status_code=422)
    eta = await panel.backend.run(lambda: message.eta)
    return {
        "success": True,
        "message": "queued",
        "id": message.id,
        "estimated_at": _iso(eta.at if eta else None),
    }


def _queued(queue: Queue, to: str, text: str, word: str) -> Any:
    return queue.enqueue(to, text, priority=word)


ROUTES = (status, clear, force_process, send_test)
