"""What a person does to senders: pause, resume, force process, break the pace."""

from datetime import UTC, datetime
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from waqcore.draft import DraftError
from waqcore.queue import Queue
from waqcore.web.admin.chosen import FormError
from waqcore.web.admin.page import Flash, back
from waqcore.web.admin.panel import Panel
from waqcore.web.admin.session import BASE, AdminRequest
from waqcore.web.admin.showing import show, told
from waqcore.when import InstantError, parse_instant
from waqcore.words import count

_REASON_MAX = 200


@get("/pause")
async def pause_form(
    panel: NamedDependency[Panel],
    request: AdminRequest,
    sender: FromQuery[str] = "",
    reason: FromQuery[str] = "",
    until: FromQuery[str] = "",
) -> Response[str]:
    """Ask why, for how long, and whom."""
    known = list(panel.backend.queue.store.senders)
    given = {"sender": sender, "reason": reason, "until": until}
    return await show(panel, request, "pause", senders=known, given=given)


@post("/lanes/pause", status_code=303)
async def pause(panel: NamedDependency[Panel], request: AdminRequest) -> Response[Any]:
    """Stop a sender, or all of them."""
    form = await request.form()
    sender, reason = str(form.get("sender", "")), str(form.get("reason", "")).strip()
    try:
        if not reason:
            raise FormError("say why: whoever reads the audit will want to know")
        until = _until(str(form.get("until", "")), panel)
        queue = panel.acting(request)
        paused = await panel.backend.run(
            lambda: queue.pause(reason[:_REASON_MAX], sender=sender or None, until=until)
        )
    except (FormError, InstantError, DraftError) as error:
        return told(panel, request, f"Not paused: {error}", f"{BASE}/pause", good=False)
    return told(panel, request, f"Paused: {_named(paused)}", BASE)


def _until(text: str, panel: Panel) -> datetime | None:
    if not text.strip():
        return None
    now = datetime.now(UTC)
    until = parse_instant(text, now=now, zone=panel.backend.settings.zone())
    if until <= now:
        raise FormError(f"{text.strip()} has passed already")
    return until


@post(["/acts/resume", "/acts/process"], status_code=303)
async def go_on(panel: NamedDependency[Panel], request: AdminRequest) -> Response[Any]:
    """End a sender's pause, or wake it; or all of them."""
    form = await request.form()
    sender, queue, to = str(form.get("sender", "")) or None, panel.acting(request), back(form)
    resumes = request.url.path.endswith("resume")
    try:
        flash = await panel.backend.run(
            lambda: _resume(queue, sender) if resumes else _process(queue, sender)
        )
    except DraftError as error:
        return told(panel, request, f"Nothing was done: {error}", to, good=False)
    return panel.told(request, flash, to)


def _resume(queue: Queue, sender: str | None) -> Flash:
    return Flash(f"Resumed: {_named(queue.resume(sender=sender))}")


def _process(queue: Queue, sender: str | None) -> Flash:
    woken = _named(queue.process(sender=sender))
    return Flash(f"Woken: {woken}. The pace, quiet hours and pauses by people hold as before.")


def broken(queue: Queue, sender: str, reason: str) -> None:
    """Break the pace of a sender once; the audit keeps who did and why.

    Raises:
        DraftError: there is no such sender.
        BusyLaneError: a call of it is in flight.
    """
    queue.override_pace(sender, reason=reason[:_REASON_MAX])


def _named(senders: list[str]) -> str:
    return senders[0] if len(senders) == 1 else f"all {count(len(senders), 'sender')}"


ROUTES = (pause_form, pause, go_on)
