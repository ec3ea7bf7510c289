"""Errors as applications read them: problem details, for every one. Source: RFC 9457."""

import logging
import re
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec
from litestar.types import ExceptionHandlersMap
from msgspec import Meta
from sqlalchemy.exc import SQLAlchemyError

from waqcore.draft import DraftError
from waqcore.phone import PhoneError
from waqcore.queue import BusyLaneError, NotFoundError
from waqcore.store.enqueue import IdempotencyError, SuppressedError
from waqcore.store.errors import StoreError
from waqcore.text import TextError
from waqcore.web.handover import BusyError

log = logging.getLogger("waqcore.web")

MEDIA_TYPE = "application/problem+json"
RETRY_S = 5
"""When to come again while the database cannot be written to: a person has to act first."""


class FieldProblem(msgspec.Struct, frozen=True):
    """What is wrong with one field."""

    field: Annotated[str, Meta(description="Such as `to`, or `messages[3].to` of a batch.")]
    detail: str


class Problem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What went wrong, with which value, and what to do. Source: RFC 9457."""

    type: Annotated[
        str, Meta(description="What kind: `about:blank` means what the status says.")
    ] = "about:blank"
    title: str
    status: int
    detail: str
    errors: Annotated[list[FieldProblem] | None, Meta(description="By field, where known.")] = None


def answer(problem: Problem, headers: dict[str, str] | None = None) -> Response[bytes]:
    """An answer that tells of a problem."""
    return Response(
        msgspec.json.encode(problem),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


class BatchError(ValueError):
    """One message of a batch cannot be queued, and so none was."""

    def __init__(self, n: int, why: ValueError) -> None:
        super().__init__(f"messages[{n}]: {why}")
        self.n = n
        self.why = why


class ConflictError(Exception):
    """What stands does not allow what was asked."""


_KINDS: dict[type[Exception], tuple[int, str, str]] = {
    PhoneError: (422, "phone", "Not a number that can be sent to"),
    TextError: (422, "text", "Not a text that can be sent"),
    DraftError: (422, "message", "Not a message that can be queued"),
    SuppressedError: (422, "opted-out", "The recipient has opted out"),
    IdempotencyError: (422, "idempotency-key", "The key belongs to another message"),
    NotFoundError: (404, "not-found", "Not found"),
    ConflictError: (409, "conflict", "Not possible as things stand"),
    BusyLaneError: (409, "busy-lane", "The sender is busy"),
    BusyError: (503, "busy", "Too many at once"),
    StoreError: (503, "database", "The database cannot be used"),
    SQLAlchemyError: (503, "database", "The database cannot be used"),
}
"""By error: the status, the end of the problem's type, and its title."""

TYPES = "urn:waqcore:problem:"


def ours(_request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """An error of the queue."""
    if isinstance(error, BatchError):
        return _ours(error.why, str(error), f"messages[{error.n}].")
    return _ours(error, str(error))


def _ours(error: Exception, detail: str, place: str = "") -> Response[bytes]:
    kind = next(kind for kind in type(error).__mro__ if kind in _KINDS)
    status, name, title = _KINDS[kind]
    if isinstance(error, SQLAlchemyError):
        log.error("the database failed", exc_info=error)
        detail = (
            "the database failed; whether it was stored is not known: ask again with the same id "
            "or Idempotency-Key"
        )
    headers = {"Retry-After": str(1 if kind is BusyError else RETRY_S)} if status == 503 else None
    return answer(
        Problem(
            type=TYPES + name,
            title=title,
            status=status,
            detail=detail,
            errors=_by_field(error, place),
        ),
        headers,
    )


def _by_field(error: Exception, place: str) -> list[FieldProblem] | None:
    match error:
        case PhoneError():
            return [FieldProblem(f"{place}to", str(error))]
        case TextError():
            return [FieldProblem(f"{place}body", str(error))]
        case IdempotencyError():
            return [FieldProblem(f"{place}idempotency_key", str(error))]
        case _:
            return None


def http(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """An error of the protocol: no such route, no token, a body that cannot be read."""
    status, fields = error.status_code, None
    detail = error.detail
    if isinstance(error, ValidationException):
        status, fields = 422, _fields(error)
        detail = "; ".join(f"{one.field}: {one.detail}" for one in fields) or detail
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        most = request.route_handler.resolve_request_max_body_size()
        detail = f"the body has more than the {most:,} bytes that are taken here: send less at once"
    title = HTTPStatus(status).phrase
    return answer(Problem(title=title, status=status, detail=detail, errors=fields), error.headers)


_CALLED = {"states": "state"}
"""Parameters by the name of their argument, where Litestar keeps theirs for itself."""

_MEANT = re.compile("(?:required|unknown) field `([^`]+)`")


def _fields(error: ValidationException) -> list[FieldProblem]:
    extra = error.extra if isinstance(error.extra, list) else []
    return [FieldProblem(_name(one), str(one.get("message", ""))) for one in extra]


def _name(told: dict[str, Any]) -> str:
    """The field that is meant: one that is missing or unknown stands in the text."""
    named = _MEANT.search(str(told.get("message", "")))
    if named:
        return named[1]
    key = str(told.get("key") or told.get("source") or "body")
    return _CALLED.get(key, key)


def fault(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A fault of ours: told in full in the log, and in one line to whoever asked."""
    log.error("a request broke", extra={"path": request.url.path}, exc_info=error)
    return answer(
        Problem(
            title="Internal Server Error",
            status=500,
            detail="a fault of waqcore, told in its log; whether it was done is not known",
        )
    )


HANDLERS: ExceptionHandlersMap = {
    **dict.fromkeys(_KINDS, ours),
    BatchError: ours,
    HTTPException: http,
    Exception: fault,
}
"""For the application: every error that is not somebody's own becomes a problem."""


def problems(*statuses: int) -> dict[int, ResponseSpec]:
    """What a route documents beside its own answer: its problems, and those every route has."""
    return {
        status: ResponseSpec(
            Problem,
            generate_examples=False,
            description=HTTPStatus(status).phrase,
            media_type=MEDIA_TYPE,
        )
        for status in sorted({*statuses, 400, 401, 403, 429, 503})
    }
