"""What a person does to messages: retry, cancel, clear, restore, resolve, prioritise."""

from collections.abc import Callable, Mapping
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import FormMultiDict
from litestar.di import NamedDependency
from litestar.params import FromPath

from waqcore.core.control import Resolution
from waqcore.core.message import State
from waqcore.phone import PhoneError
from waqcore.queue import Queue
from waqcore.store.controls import Filter
from waqcore.web.admin.chosen import Chosen, FormError, chosen, priority
from waqcore.web.admin.page import Flash, back
from waqcore.web.admin.panel import Panel
from waqcore.web.admin.session import BASE, AdminRequest
from waqcore.web.admin.showing import show, told
from waqcore.words import count

IDS_MAX = 1_000
"""Messages named one by one in a form: more than a page shows."""

_STATES = {
    "clear": (State.QUEUED,),
    "cancel": (State.QUEUED, State.SENDING),
    "retry": (State.FAILED, State.EXPIRED),
}
"""What can be done to all that match, and to messages in which states."""

_TYPED = ("clear", "cancel")
"""What is only done once the number of messages has been typed."""

_REASON_MAX = 200

Act = Callable[[Queue, Filter, Mapping[str, Any]], Flash]


def _retry(queue: Queue, which: Filter, _form: Mapping[str, Any]) -> Flash:
    return _said("Queued again", queue.retry(which), "it has not failed, or its number opted out")


def _cancel(queue: Queue, which: Filter, form: Mapping[str, Any]) -> Flash:
    reason = str(form.get("reason", "")).strip()[:_REASON_MAX] or "cancelled"
    return _said("Cancelled", queue.cancel(which, reason=reason), "it is not queued any more")


def _clear(queue: Queue, which: Filter, form: Mapping[str, Any]) -> Flash:
    reason = str(form.get("reason", "")).strip()[:_REASON_MAX] or "cleared"
    batch, moved = queue.clear(which, reason=reason)
    flash = _said("Cleared", moved, "none of them is queued any more")
    return Flash(flash.text, undo=batch) if moved else flash


def _prioritise(queue: Queue, which: Filter, form: Mapping[str, Any]) -> Flash:
    wanted = priority(str(form.get("to", "")))
    moved = queue.prioritise(which, wanted)
    return _said(f"Priority {wanted.word} now", moved, "it is not queued any more")


def _resolve(queue: Queue, which: Filter, form: Mapping[str, Any]) -> Flash:
    try:
        how = Resolution(str(form.get("how", "")))
    except ValueError:
        raise FormError("say how to resolve it: sent, resend or drop") from None
    return _said("Resolved", queue.resolve(which, how), "it is not unknown any more")


_ACTS: dict[str, Act] = {
    "retry": _retry,
    "cancel": _cancel,
    "clear": _clear,
    "prioritise": _prioritise,
    "resolve": _resolve,
}


def _said(done: str, n: int, why_not: str) -> Flash:
    if n == 0:
        return Flash(f"Nothing was changed: {why_not}", good=False)
    return Flash(f"{done}: {count(n, 'message')}")


@post("/acts/{verb:str}", status_code=303)
async def act(
    panel: NamedDependency[Panel], request: AdminRequest, verb: FromPath[str]
) -> Response[Any]:
    """Do something to the messages that a form names, and go back to its page."""
    form = await request.form()
    queue, to = panel.acting(request), back(form)
    if verb not in _ACTS:
        return told(panel, request, f"There is no such button: {verb[:40]}", to, good=False)
    try:
        which = _which(form, verb)
        flash = await panel.backend.run(lambda: _done(queue, which, verb, form))
    except (FormError, PhoneError) as error:
        return told(panel, request, f"Nothing was done: {error}", to, good=False)
    return panel.told(request, flash, to)


def _which(form: FormMultiDict, verb: str) -> Filter:
    """The messages that a form names: one by one, or all that match."""
    ids = tuple(str(id_) for id_ in form.getall("ids", []))
    if form.get("all"):
        return chosen(form).which
    if not ids:
        raise FormError("choose messages first")
    if len(ids) > IDS_MAX or verb == "clear":
        raise FormError(f"{len(ids):,} messages are too many to name one by one")
    return Filter(ids=ids)


def _done(queue: Queue, which: Filter, verb: str, form: Mapping[str, Any]) -> Flash:
    if verb in _TYPED and form.get("all"):
        _confirm(queue, which, verb, form)
    return _ACTS[verb](queue, which, form)


def _confirm(queue: Queue, which: Filter, verb: str, form: Mapping[str, Any]) -> None:
    """Go on only if the number that was shown was typed, and is no smaller than it is now.

    Raises:
        FormError: it was not, or more messages have come.
    """
    shown, typed = str(form.get("count", "")), str(form.get("typed", "")).strip().replace(",", "")
    if not shown or typed != shown:
        raise FormError(f"type {shown or 'the number of messages'} to confirm, not {typed[:20]!r}")
    now = sum(_counted(queue, which, verb).values())
    if now > int(shown if shown.isdecimal() else 0):
        raise FormError(f"there are {now:,} messages by now: look again")


def _counted(queue: Queue, which: Filter, verb: str) -> dict[str, int]:
    wanted = [state for state in _STATES[verb] if not which.states or state in which.states]
    return queue.count(which._replace(states=tuple(wanted))) if wanted else {}


@get(["/clear", "/sure/{verb:str}"])
async def sure(
    panel: NamedDependency[Panel], request: AdminRequest, verb: FromPath[str] = "clear"
) -> Response[str]:
    """Ask before something is done to all messages that match, and say how many they are."""
    wrong, counts = "", dict[str, int]()
    queue = panel.backend.queue
    try:
        picked = chosen(request.query_params)
        if verb not in _STATES:
            raise FormError(f"there is no such button: {verb[:40]}")
        counts = await panel.backend.run(lambda: _counted(queue, picked.which, verb))
    except (FormError, PhoneError) as error:
        picked, wrong = Chosen({}, Filter(ids=())), str(error)
    return await show(
        panel,
        request,
        "sure",
        code=400 if wrong else 200,
        verb=verb,
        picked=picked,
        counts=counts,
        wrong=wrong,
        typed=verb in _TYPED,
        senders=list(queue.store.senders),
        to=BASE if verb == "clear" else f"{BASE}/messages?{picked.query}",
    )


@post("/acts/restore", status_code=303)
async def restore(panel: NamedDependency[Panel], request: AdminRequest) -> Response[Any]:
    """Bring a cleared batch back."""
    form = await request.form()
    batch, queue = str(form.get("batch", "")), panel.acting(request)
    moved = await panel.backend.run(lambda: queue.restore(batch)) if batch else 0
    flash = _said("Restored", moved, "no cancelled message is of that batch")
    return panel.told(request, flash, back(form))


ROUTES = (act, restore, sure)
