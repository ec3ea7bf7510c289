"""`/v1`: what applications call."""

from typing import Any

from litestar import Request, Response, Router, get
from litestar.exceptions import HTTPException

from waqcore.web.api import messages, queue
from waqcore.web.tokens import requires


async def json_alone(request: Request[Any, Any, Any]) -> None:
    """Refuse bodies that do not say they are JSON.

    Raises:
        HTTPException: 415; the body is said to be something else.
    """
    if request.scope["method"] != "POST":
        return
    said = request.headers.get("content-type", "")
    if not said and request.headers.get("content-length", "0") == "0":
        return
    if said.partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(
            f"the body says it is {said[:60]!r}; say that it is JSON, with the header "
            "Content-Type: application/json",
            status_code=415,
        )


@get("/openapi.json", guards=[requires(None)], include_in_schema=False, sync_to_thread=False)
def openapi(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
    """What this API is, for machines."""
    return Response(request.app.openapi_schema.to_schema(), media_type="application/json")


def router() -> Router:
    """The routes of version 1."""
    return Router(
        "/v1",
        route_handlers=[*messages.HANDLERS, *queue.HANDLERS, openapi],
        before_request=json_alone,  # A guard would cost three times as much.
        security=[{"bearer": []}],
    )
