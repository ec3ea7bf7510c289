"""What goes wrong, as a page for people and as JSON for scripts."""

import logging
from typing import Any

from litestar import MediaType, Response
from litestar.exceptions import HTTPException, NotAuthorizedException

from waqcore.queue import NotFoundError
from waqcore.store.errors import StoreError
from waqcore.web.admin.entry import sign_in
from waqcore.web.admin.guard import ANYBODY
from waqcore.web.admin.panel import Panel
from waqcore.web.admin.session import AdminRequest

log = logging.getLogger("waqcore.web")

TITLES = {
    400: "That cannot be read",
    403: "Not allowed",
    404: "There is nothing here",
    405: "Not like that",
    413: "Too much at once",
    429: "Too often",
    503: "The database is not to be had",
}


class Errors:
    """Answers what handlers raise."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel

    def refused(self, request: AdminRequest, error: HTTPException) -> Response[Any]:
        """What was refused, and why."""
        headers = dict(error.headers or {})
        if isinstance(error, NotAuthorizedException) and not _wants_json(request):
            return self._sign_in(request)
        return self._answer(request, error.status_code, error.detail, headers)

    def missing(self, request: AdminRequest, error: NotFoundError) -> Response[Any]:
        """What was asked for by name is not there."""
        return self._answer(request, 404, str(error), {})

    def unavailable(self, request: AdminRequest, error: StoreError) -> Response[Any]:
        """The database cannot be used."""
        log.error("a page failed", extra={"path": request.url.path, "reason": str(error)})
        return self._answer(request, 503, str(error), {})

    def ours(self, request: AdminRequest, error: Exception) -> Response[Any]:
        """A fault of ours."""
        log.error("a page failed", extra={"path": request.url.path}, exc_info=error)
        return self._answer(request, 500, "the log says what; please tell who runs this", {})

    def _sign_in(self, request: AdminRequest) -> Response[Any]:
        to = str(request.url.path)
        if request.headers.get("hx-request"):
            headers = {"HX-Redirect": to}
            return Response(
                "sign in first", media_type=MediaType.TEXT, status_code=401, headers=headers
            )
        # In the place of the page, so that its address stays what was asked for.
        anybody = bool(request.state.get(ANYBODY, True))
        return sign_in(self._panel, request, to=to, anybody=anybody, status=401)

    def _answer(
        self, request: AdminRequest, status: int, detail: str, headers: dict[str, str]
    ) -> Response[Any]:
        title = TITLES.get(status, "Something went wrong")
        if _wants_json(request):
            body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
            return Response(
                body, media_type="application/problem+json", status_code=status, headers=headers
            )
        return self._panel.pages.page(
            request, "error", status, title=title, detail=detail, status_code=status
        )


def _wants_json(request: AdminRequest) -> bool:
    accept = request.headers.get("accept", "")
    return "authorization" in request.headers or (
        "application/json" in accept and "text/html" not in accept
    )
