"""Pages that stay in touch: each says what it has seen, and has the head that all share."""

from typing import Any

from litestar import Response

from waqcore.web.admin.live import STALE_S, Variant
from waqcore.web.admin.page import Flash
from waqcore.web.admin.panel import Panel
from waqcore.web.admin.session import AdminRequest, visitor


async def show(
    panel: Panel, request: AdminRequest, template: str, code: int = 200, **values: Any
) -> Response[str]:
    """A page for somebody who has signed in, drawn in a thread: ETAs are worked out there."""
    who = visitor(request)
    # Of the head alone, which the stream corrects at once: not worth waiting for.
    snapshot = await panel.live.current(STALE_S)
    version = panel.live.version

    def draw() -> Response[str]:
        strip = panel.pages.strip(snapshot, Variant(who.can_act, who.texts))
        shown = {"live": version, "strip": strip, "texts": who.texts, "can_act": who.can_act}
        return panel.pages.page(request, template, code, **(shown | values))

    return await panel.backend.run(draw)


def told(panel: Panel, request: AdminRequest, text: str, to: str, **more: Any) -> Response[Any]:
    """Go to a page, which tells what became of a button."""
    return panel.told(request, Flash(text, **more), to)
