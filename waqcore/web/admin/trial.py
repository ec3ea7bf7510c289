"""The test page: scenarios against a sandbox, or against the live queue, with a live timeline."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from waqcore.people import note
from waqcore.phone import PhoneError, parse_phone
from waqcore.web.admin.chosen import FormError
from waqcore.web.admin.panel import Panel
from waqcore.web.admin.session import BASE, AdminRequest, visitor
from waqcore.web.admin.showing import show, told
from waqcore.web.admin.trials.drawing import drawing
from waqcore.web.admin.trials.plans import Plan, plan, plans
from waqcore.web.admin.trials.run import Live, Trial, live_pace_s

PACES_S = (0.2, 0.5, 1.0, 3.0)
"""What the sandbox can be run at; the real pace would take minutes."""

CONFIRM = "LIVE"
"""What is typed before messages leave through the real gateway."""


def _drawn(trial: Trial | None) -> dict[str, Any]:
    course = None if trial is None else trial.course
    if trial is None or course is None:
        return {"trial": trial, "drawing": None}
    return {"trial": trial, "drawing": drawing(course, trial.pace_s, over=trial.over)}


@get("/test")
async def page(
    panel: NamedDependency[Panel], request: AdminRequest, run: FromQuery[str] = ""
) -> Response[str]:
    """Choose a scenario; and how the last one went."""
    kept = panel.trials.kept
    trial = panel.trials.find(run) or (kept[0] if kept else None)
    return await show(
        panel,
        request,
        "test",
        plans=plans(),
        kept=kept,
        paces=PACES_S,
        confirm=CONFIRM,
        live_pace_s=live_pace_s(panel.backend.queue),
        **_drawn(trial),
    )


@get("/test/runs/{id_:str}")
async def run_of(panel: NamedDependency[Panel], id_: FromPath[str]) -> Response[str]:
    """How a run stands."""
    trial = panel.trials.find(id_)
    if trial is None:
        raise NotFoundException("this run is too long ago, or was of another process")
    return panel.pages.piece("parts/run", piece=True, **_drawn(trial))


@post("/test", status_code=303)
async def start(panel: NamedDependency[Panel], request: AdminRequest) -> Response[Any]:
    """Run a scenario."""
    form, who = await request.form(), visitor(request)
    try:
        chosen = plan(str(form.get("plan", "")))
        if chosen is None:
            raise FormError("choose a scenario")
        live = _live(panel, request, chosen, form)
        pace_s = _pace_s(form) if live is None else live_pace_s(live.queue)
        trial = panel.trials.start(chosen, pace_s=pace_s, live=live, by=who.name)
        if trial is None:
            raise FormError("another test is running: wait for its end, or stop it")
    except (FormError, PhoneError) as error:
        return told(panel, request, f"Nothing was run: {error}", f"{BASE}/test", good=False)
    where = "the sandbox" if live is None else "the live queue"
    store = panel.backend.queue.store
    detail = f"{chosen.name} on {where}, pace {pace_s:g} s, {trial.reference}"
    await panel.backend.run(lambda: note(store, who.actor, "run test", detail))
    return told(panel, request, f"Started on {where}", f"{BASE}/test?run={trial.id}")


@post("/test/stop", status_code=303)
async def stop(panel: NamedDependency[Panel], request: AdminRequest) -> Response[Any]:
    """End a run early; what of it is queued is cancelled."""
    form = await request.form()
    trial = panel.trials.find(str(form.get("run", "")))
    if trial is None or trial.over:
        return told(panel, request, "It has ended already", f"{BASE}/test", good=False)
    trial.stop()
    return told(panel, request, "Stopping", f"{BASE}/test?run={trial.id}")


def _pace_s(form: Mapping[str, Any]) -> float:
    given = str(form.get("pace", ""))
    found = {f"{pace_s:g}": pace_s for pace_s in PACES_S}.get(given)
    if found is None:
        raise FormError(f"there is no pace {given[:20]!r}")
    return found


def _live(
    panel: Panel, request: AdminRequest, chosen: Plan, form: Mapping[str, Any]
) -> Live | None:
    """What a run against the live queue needs; None: it is for the sandbox.

    Raises:
        FormError: the live queue was chosen and something that guards it is missing.
        PhoneError: the recipient is no number.
    """
    if form.get("where") != "live":
        return None
    if not chosen.may_be_live:
        raise FormError(f"“{chosen.title}” needs a gateway that fails, or pauses everybody")
    if str(form.get("typed", "")).strip() != CONFIRM:
        raise FormError(f"type {CONFIRM}: real messages would be sent")
    to = parse_phone(str(form.get("to", "")))
    return Live(queue=panel.acting(request), to=to)


ROUTES = (page, run_of, start, stop)
