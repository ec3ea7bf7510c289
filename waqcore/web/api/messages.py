"""`/v1/messages`: hand messages over, look at them, take them back or try them again."""

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from litestar import MediaType, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import ClientException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, HeaderParameter, QueryParameter, RequestBody
from litestar.response.base import ASGIResponse

from waqcore import as_json
from waqcore.core.message import Event, State, states_taking
from waqcore.draft import Draft, DraftError
from waqcore.queue import LIST_MAX, Queue
from waqcore.store.controls import Filter
from waqcore.tokens import Scope
from waqcore.web.api.shapes import (
    BATCH_MAX,
    Count,
    Messages,
    NewMessage,
    NewMessages,
    Number,
    Page,
    PriorityWord,
    Retried,
    chosen,
)
from waqcore.web.backend import Backend
from waqcore.web.entrance import requires
from waqcore.web.problem import BatchError, ConflictError, problems

Caller = Request[Any, Any, Any]
PAGE = 50
"""Messages on a page where its reader names no number."""

KeyHeader = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        required=False,
        description="The same key and content again gives the first message. Instead of the field.",
    ),
]


_QUEUED = ResponseSpec(
    as_json.Message,
    generate_examples=False,
    description="Queued: the message is on disk.",
)


def handlers(backend: Backend) -> list[HTTPRouteHandler]:
    """The routes, of which the busiest has its backend at hand."""

    # Not as a dependency, and its answer made here: Litestar's ways to them were measured to take a
    # thirtieth and a ninth of the request.
    @post(
        "/messages",
        status_code=202,
        before_request=requires(Scope.ENQUEUE),
        responses=problems(400, 413, 415, 422) | {202: _QUEUED},
        summary="Queue a message",
    )
    async def enqueue(
        data: RequestBody[NewMessage], idempotency_key: KeyHeader = None
    ) -> ASGIResponse:
        """Queue a message. Once this answers, the message is on disk."""
        message = await backend.enqueue(data.draft(_one_key(idempotency_key, data.idempotency_key)))
        return ASGIResponse(
            body=msgspec.json.encode(as_json.message(message)),
            status_code=202,
            media_type=MediaType.JSON,
            headers={"Location": f"/v1/messages/{message.id}"},
        )

    return [enqueue, enqueue_batch, look, listing, cancel, retry, retry_many]


def _one_key(header: str | None, field: str | None) -> str | None:
    """The key of the header, bare or in the quotes that the IETF's draft asks for."""
    if header is None:
        return None
    key = header[1:-1] if len(header) > 2 and header[0] == header[-1] == '"' else header
    if field is not None and field != key:
        raise DraftError(
            f"the header Idempotency-Key says {key[:40]!r} and the field idempotency_key "
            f"{field[:40]!r}: give one of them"
        )
    return key


@post(
    "/messages/batch",
    status_code=202,
    before_request=requires(Scope.ENQUEUE),
    responses=problems(400, 413, 415, 422),
    summary="Queue messages together",
)
async def enqueue_batch(
    data: RequestBody[NewMessages], backend: NamedDependency[Backend]
) -> Messages:
    """Queue up to 1,000 messages: all of them, or none. The problem of one names it."""
    assert len(data.messages) <= BATCH_MAX
    drafts = [one.draft() for one in data.messages]

    def work() -> Messages:
        try:
            queued = backend.queue.enqueue_many(drafts)
        except ValueError as error:
            raise BatchError(_first_refused(backend.queue, drafts), error) from error
        return Messages(messages=[as_json.message(one) for one in queued])

    return await backend.run(work)


def _first_refused(queue: Queue, drafts: Sequence[Draft]) -> int:
    for n, draft in enumerate(drafts):
        try:
            queue.checked([draft])
        except ValueError:
            return n
    raise AssertionError("a batch was refused of which each message alone is not")


@get(
    "/messages/{id_:str}",
    before_request=requires(Scope.READ),
    responses=problems(404, 405),  # No message is called `batch` or `retry`: those are routes.
    summary="Look at a message",
)
async def look(id_: FromPath[str], backend: NamedDependency[Backend]) -> as_json.WholeMessage:
    """One message whole, with its text and every call made for it."""

    def work() -> as_json.WholeMessage:
        return as_json.whole_message(backend.queue.message(id_), backend.queue.attempts(id_))

    return await backend.run(work)


@get(
    "/messages",
    before_request=requires(Scope.READ),
    responses=problems(404, 422),
    summary="List messages",
)
async def listing(
    backend: NamedDependency[Backend],
    states: Annotated[
        list[State] | None, QueryParameter(name="state", description="In one of these.")
    ] = None,
    sender: FromQuery[str | None] = None,
    priority: FromQuery[PriorityWord | None] = None,
    reference: FromQuery[str | None] = None,
    recipient: FromQuery[Number | None] = None,
    before: Annotated[
        str | None, QueryParameter(description="Those older than this one; `next` has it.")
    ] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=LIST_MAX)] = PAGE,
) -> Response[Page]:
    """The newest messages, newest first, page by page, without their texts."""
    which = chosen(sender, priority, reference, recipient)._replace(states=tuple(states or ()))

    def work() -> list[as_json.Message]:
        found = backend.queue.messages(which, limit=limit, before=before)
        return [as_json.message(one) for one in found]

    found = await backend.run(work)
    if len(found) < limit:
        return Response(Page(messages=found, next=None))
    asked = {
        "state": [one.value for one in states or ()],
        "sender": sender,
        "priority": priority,
        "reference": reference,
        "recipient": recipient,
        "limit": limit,
        "before": found[-1].id,
    }
    given = {name: value for name, value in asked.items() if value not in (None, [])}
    following = f"/v1/messages?{urlencode(given, doseq=True)}"
    headers = {"Link": f'<{following}>; rel="next"'}
    return Response(Page(messages=found, next=following), headers=headers)


@post(
    "/messages/{id_:str}/cancel",
    status_code=200,
    before_request=requires(Scope.ENQUEUE),
    responses=problems(404, 409),
    summary="Cancel a message",
)
async def cancel(
    id_: FromPath[str], request: Caller, backend: NamedDependency[Backend]
) -> as_json.Message:
    """Cancel a queued message; one that is being sent is cancelled if its call fails."""
    queue = backend.acting(request)

    def work() -> as_json.Message:
        taken = queue.cancel(Filter(ids=(id_,)))
        return _taken(queue, id_, taken, "cancelled", (State.QUEUED, State.SENDING))

    return await backend.run(work)


@post(
    "/messages/{id_:str}/retry",
    status_code=200,
    before_request=requires(Scope.ADMIN),
    responses=problems(404, 409),
    summary="Try a message again",
)
async def retry(
    id_: FromPath[str], request: Caller, backend: NamedDependency[Backend]
) -> as_json.Message:
    """Queue a failed or expired message again, in its old place, its failures from 0."""
    queue = backend.acting(request)

    def work() -> as_json.Message:
        taken = queue.retry(Filter(ids=(id_,)))
        return _taken(queue, id_, taken, "queued again", states_taking(Event.RETRY_BY_HAND))

    return await backend.run(work)


@post(
    "/messages/retry",
    status_code=200,
    before_request=requires(Scope.ADMIN),
    responses=problems(400, 413, 415, 422),
    summary="Try many messages again",
)
async def retry_many(
    data: RequestBody[Retried], request: Caller, backend: NamedDependency[Backend]
) -> Count:
    """Queue failed or expired messages again, by filter; at least one condition must be set."""
    which = data.filter()
    if data.all_failed:
        which = which._replace(states=(State.FAILED,))
    if not any(which):
        raise ClientException("which messages? set a condition, such as all_failed")
    queue = backend.acting(request)
    return Count(messages=await backend.run(lambda: queue.retry(which)))


def _taken(
    queue: Queue, id_: FromPath[str], taken: int, done: str, states: tuple[State, ...]
) -> as_json.Message:
    """The message that was acted on.

    Raises:
        NotFoundError: there is none with that id.
        ConflictError: it could not be acted on.
    """
    message = queue.message(id_)
    if taken or (done == "cancelled" and message.cancel_requested):
        return as_json.message(message)
    if message.state in states:
        raise ConflictError(
            f"{id_} could not be {done}: it changed meanwhile, or its recipient has opted out"
        )
    takes = " or ".join(states)
    raise ConflictError(f"{id_} is {message.state}: only what is {takes} can be {done}")
