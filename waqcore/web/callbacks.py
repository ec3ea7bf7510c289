"""`/v1/callbacks`: where applications want to hear what became of their messages."""

from typing import Annotated, Any

from litestar import Request, Response, Router, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter, RequestBody
from msgspec import Meta, Struct, structs

from waqcore import as_json, callbacks
from waqcore.callbacks import EVENTS, URL_MAX, CallbackError
from waqcore.queue import NotFoundError
from waqcore.store import callbacks as rows
from waqcore.store import outbox
from waqcore.store.callbacks import CallbackRow
from waqcore.store.outbox import Delivery
from waqcore.tokens import Scope
from waqcore.web.backend import Backend
from waqcore.web.entrance import requires
from waqcore.web.problem import TYPES, Problem, answer, problems

DELIVERIES = 50
"""Deliveries where its reader names no number."""
DELIVERIES_MAX = 1_000


class NewCallback(Struct, kw_only=True, forbid_unknown_fields=True):
    """Where to be called back, and of what."""

    url: Annotated[str, Meta(max_length=URL_MAX, examples=["https://app.example/whatsapp"])]
    events: Annotated[
        list[str],
        Meta(
            min_length=1,
            max_length=20,
            description=f"Of {', '.join(EVENTS)}.",
            examples=[["message.sent", "message.failed"]],
        ),
    ]


class MadeCallback(as_json.Callback, frozen=True, kw_only=True):
    """A callback that was made just now."""

    secret: Annotated[
        str, Meta(description="Verifies what you get, as Standard Webhooks say; shown this once.")
    ]


class Callbacks(Struct, kw_only=True):
    """Every callback there is."""

    callbacks: list[as_json.Callback]


class Deliveries(Struct, kw_only=True):
    """The newest events of a callback, newest first."""

    deliveries: list[as_json.Delivery]


@post(
    "/callbacks",
    status_code=201,
    before_request=requires(Scope.ADMIN),
    responses=problems(400, 413, 415, 422),
    summary="Be called back",
)
async def make(
    data: RequestBody[NewCallback],
    request: Request[Any, Any, Any],
    backend: NamedDependency[Backend],
) -> Response[MadeCallback]:
    """Be told when messages have come to rest. The secret is shown this once."""
    actor, any_address = backend.acting(request).actor, backend.settings.callback_any_address

    def work() -> CallbackRow:
        store = backend.queue.store
        return callbacks.register(
            store, data.url, data.events, actor=actor, any_address=any_address
        )

    row = await backend.run(work)
    return Response(
        MadeCallback(**structs.asdict(as_json.callback(row)), secret=row.secret),
        status_code=201,
        headers={"Location": f"/v1/callbacks/{row.id}"},
    )


@get(
    "/callbacks",
    before_request=requires(Scope.ADMIN),
    responses=problems(),
    summary="List callbacks",
)
async def listing(backend: NamedDependency[Backend]) -> Callbacks:
    """Every callback there is, oldest first."""
    found = await backend.run(lambda: backend.queue.store.read(rows.listing))
    return Callbacks(callbacks=[as_json.callback(row) for row in found])


@get(
    "/callbacks/{id_:str}",
    before_request=requires(Scope.ADMIN),
    responses=problems(404),
    summary="Look at a callback",
)
async def look(id_: FromPath[str], backend: NamedDependency[Backend]) -> as_json.Callback:
    """One callback."""
    return as_json.callback(await backend.run(lambda: _found(backend, id_)))


@delete(
    "/callbacks/{id_:str}",
    status_code=204,
    before_request=requires(Scope.ADMIN),
    responses=problems(404),
    summary="Be called back no more",
)
async def remove(
    id_: FromPath[str], request: Request[Any, Any, Any], backend: NamedDependency[Backend]
) -> None:
    """Forget a callback, and all that it was still to be told."""
    actor, store = backend.acting(request).actor, backend.queue.store

    def work() -> bool:
        return store.write(lambda c: rows.remove(c, id_, actor, store.now().wall))

    if not await backend.run(work):
        raise _missing(id_)


@get(
    "/callbacks/{id_:str}/deliveries",
    before_request=requires(Scope.ADMIN),
    responses=problems(404, 422),
    summary="Look at deliveries",
)
async def deliveries(
    id_: FromPath[str],
    backend: NamedDependency[Backend],
    limit: Annotated[int, QueryParameter(ge=1, le=DELIVERIES_MAX)] = DELIVERIES,
) -> Deliveries:
    """The newest events of a callback and how their delivery went; seven days are kept."""

    def work() -> list[Delivery]:
        _found(backend, id_)
        return backend.queue.store.read(lambda c: outbox.recent(c, id_, limit))

    return Deliveries(deliveries=[as_json.delivery(one) for one in await backend.run(work)])


def _found(backend: Backend, id_: str) -> CallbackRow:
    row = backend.queue.store.read(lambda connection: rows.find(connection, id_))
    if row is None:
        raise _missing(id_)
    return row


def _missing(id_: str) -> NotFoundError:
    return NotFoundError(f"there is no callback {id_[:80]!r}; GET /v1/callbacks lists them")


def _refused(_request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    problem = Problem(
        type=f"{TYPES}callback",
        title="Not a callback that can be made",
        status=422,
        detail=str(error),
    )
    return answer(problem)


def router() -> Router:
    """The routes of callbacks."""
    return Router(
        "/v1",
        route_handlers=[make, listing, look, remove, deliveries],
        exception_handlers={CallbackError: _refused},
        security=[{"bearer": []}],
    )
