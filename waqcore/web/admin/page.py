"""Pages: templates filled in for whoever looks, and what they are told after pressing a button."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Response
from litestar.response import Redirect
from markupsafe import Markup

from waqcore.web.admin import chart
from waqcore.web.admin.live import Variant
from waqcore.web.admin.look import HELD, Snapshot
from waqcore.web.admin.seal import Seal
from waqcore.web.admin.session import BASE, AdminRequest, Visitor, csrf, set_cookie
from waqcore.web.admin.wording import Wording
from waqcore.words import count, parts, span

HERE = Path(__file__).parent
STATIC = HERE / "static"

PARTS = ("alert", "numbers", "doing", "lanes", "trend", "next", "failed", "strip")
"""The parts of pages that keep themselves up to date, each a template of its own."""

FLASH = "waq_flash"
FLASH_S = 60
"""How long what is to be told waits for the page that tells it."""


class Flash(msgspec.Struct, frozen=True):
    """What became of a button: told once, on the next page."""

    text: str
    good: bool = True
    undo: str = ""
    """A cleared batch that can be restored; empty: nothing can be undone."""


class Pages:
    """Fills in templates."""

    def __init__(self, seal: Seal, zone: tzinfo) -> None:
        self._seal = seal
        self._zone = zone
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
            auto_reload=False,
        )
        self._templates.globals |= {
            "base": BASE,
            "asset": asset,
            "count": count,
            "parts": parts,
            "span": span,
            "HELD": HELD,
        }

    def page(
        self, request: AdminRequest, template: str, code: int = 200, **values: Any
    ) -> Response[str]:
        """A whole page, for whoever sent the request."""
        who = request.scope.get("user")
        who = who if isinstance(who, Visitor) else None
        flash = self._seal.open("flash", request.cookies.get(FLASH, ""), Flash)
        text = self._fill(
            f"{template}.html",
            {
                "who": who,
                "csrf": csrf(self._seal, who.session) if who and who.session else "",
                "flash": flash,
                "say": self.wording(),
                "path": request.url.path,
                **values,
            },
        )
        response = Response(text, media_type=MediaType.HTML, status_code=code)
        if flash is not None:
            response.delete_cookie(FLASH, path=BASE)
        return response

    def piece(self, template: str, **values: Any) -> Response[str]:
        """A part of a page alone."""
        text = self._fill(f"{template}.html", {"say": self.wording(), **values})
        return Response(text, media_type=MediaType.HTML)

    def parts(self, snapshot: Snapshot, variant: Variant) -> Mapping[str, str]:
        """The parts of pages that keep themselves up to date."""
        values = {"say": Wording(snapshot.status.at, self._zone), **overview(snapshot, variant)}
        return {part: self._fill(f"parts/{part}.html", values) for part in PARTS}

    def strip(self, snapshot: Snapshot, variant: Variant) -> Markup:
        """The head's own part, as it is now."""
        values = {"say": self.wording(), **overview(snapshot, variant)}
        return Markup(self._fill("parts/strip.html", values))

    def wording(self) -> Wording:
        """How things are worded at this moment."""
        return Wording(datetime.now(UTC), self._zone)

    def told(self, request: AdminRequest, flash: Flash, to: str) -> Redirect:
        """Go to a page of ours, which then tells what became of a button."""
        response = Redirect(inside(to), status_code=303)
        set_cookie(response, request, FLASH, self._seal.close("flash", flash), FLASH_S)
        return response

    def _fill(self, template: str, values: Mapping[str, Any]) -> str:
        return self._templates.get_template(template).render(values)


def overview(snapshot: Snapshot, variant: Variant) -> dict[str, Any]:
    """What the parts of the overview are filled in with."""
    return {
        "snap": snapshot,
        "status": snapshot.status,
        "can_act": variant.can_act,
        "texts": variant.texts,
        "chart": chart,
    }


def back(form: Mapping[str, object]) -> str:
    """Where a form wants to go once it is done."""
    return str(form.get("back", BASE))


def inside(path: str) -> str:
    """A path of the dashboard, or its first page where a form named another."""
    ours = path == BASE or path.startswith((f"{BASE}/", f"{BASE}?"))
    return path if ours and "\\" not in path and path.isprintable() else BASE


def _versions() -> dict[str, str]:
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()[:12] for file in STATIC.iterdir()
    }


_VERSIONS = _versions()


def asset(name: str) -> str:
    """The address of a file of ours, which changes with what is in it."""
    return f"{BASE}/static/{name}?v={_VERSIONS[name]}"
