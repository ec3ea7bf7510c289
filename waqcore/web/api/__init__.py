"""`/v1`: what applications call."""

from typing import Any

from litestar import Request, Response, Router, get

from waqcore.web.api import messages, queue
from waqcore.web.backend import Backend
from waqcore.web.entrance import requires


@get("/openapi.json", before_request=requires(None), include_in_schema=False, sync_to_thread=False)
def openapi(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
    """What this API is, for machines."""
    return Response(request.app.openapi_schema.to_schema(), media_type="application/json")


def router(backend: Backend) -> Router:
    """The routes of version 1."""
    return Router(
        "/v1",
        route_handlers=[*messages.handlers(backend), *queue.HANDLERS, openapi],
        security=[{"bearer": []}],
    )
