"""What every request of the API passes before its handler: who comes, how often, and with what."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request
from litestar.exceptions import HTTPException

from waqcore.tokens import Scope
from waqcore.web.tokens import authorize

AnyRequest = Request[Any, Any, Any]


def requires(scope: Scope | None) -> Callable[[AnyRequest], Awaitable[None]]:
    """A `before_request` of routes: lets in who holds a token with the scope, and brings JSON.

    None: any token will do. Not a guard of Litestar's: for each of those it copies the route, which
    was measured to take an eighth of all that an enqueue costs the framework. Of several, Litestar
    runs the innermost alone.

    Raises, when a request comes:
        NotAuthorizedException, PermissionDeniedException, TooManyRequestsException: as `authorize`.
        HTTPException: 415, its body says that it is not JSON.
    """

    async def enter(request: AnyRequest) -> None:
        authorize(request, scope)
        if request.scope["method"] == "POST":
            _refuse_other_than_json(request)

    return enter


def _refuse_other_than_json(request: AnyRequest) -> None:
    said = request.headers.get("content-type", "")
    if not said and request.headers.get("content-length", "0") == "0":
        return
    if said.partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(
            f"the body says it is {said[:60]!r}; say that it is JSON, with the header "
            "Content-Type: application/json",
            status_code=415,
        )
