"""`/webhooks/…`: payment providers tell us. Each proves itself in its own way; none has a token.

Answers are chosen by what providers do about them. 200: it is on disk, or need not be; an event of
a registration that is not known is kept, since the registration may be on its way, and to repeat it
would help nobody. 4xx: it is not theirs. 503: repeat it (Midtrans repeats a 503 four times, a 500
once).
"""

import logging
from collections.abc import Mapping
from typing import Any

from litestar import Request, Response, Router, post
from litestar.di import NamedDependency, Provide
from litestar.types import ExceptionHandlersMap
from msgspec import Struct
from sqlalchemy.exc import SQLAlchemyError

from waqcore.gateways.proxy import environment_proxy
from waqcore.payments import (
    ForgedError,
    MalformedError,
    PaymentEvent,
    UnconfirmedError,
    Verdict,
    midtrans,
    settle,
    standard,
    xendit,
)
from waqcore.settings import Settings
from waqcore.signature import keys_of
from waqcore.store.errors import StoreError
from waqcore.templates import Templates
from waqcore.web.backend import Backend
from waqcore.web.problem import Problem, answer

log = logging.getLogger("waqcore.web")

BODY_MAX = 65_536
"""Bytes; a notification has some 2,000, and anybody may post one before it is proved."""

RETRY_S = 60

IGNORED = "ignored"


class Taken(Struct):
    """What became of an event."""

    effect: str


class Desk:
    """What webhooks are checked with, and where they go."""

    def __init__(
        self, settings: Settings, templates: Templates, confirm: midtrans.Client | None
    ) -> None:
        self.settings = settings
        self.keys = keys_of(settings.payment_secret)
        self._templates = templates
        self._confirm = confirm

    async def take(self, backend: Backend, event: PaymentEvent) -> Taken:
        """Take an event in; it is on disk when this returns."""
        queue, templates = backend.queue, self._templates
        return Taken(await backend.run(lambda: settle.take(queue, templates, event)))

    async def notified(self, backend: Backend, body: bytes) -> Taken:
        """Take in a notification of Midtrans, a success once they have confirmed it."""
        server_key = self.settings.midtrans_server_key
        said = midtrans.notification(server_key, body)
        event = said.event()
        if event.verdict is not Verdict.PAID:
            return await self.take(backend, event)
        if await backend.run(lambda: settle.is_known(backend.queue, event)):
            return Taken(settle.REPEATED)
        url = self.settings.midtrans_url
        if self._confirm is None:  # Made when first used: it reads certificates.
            self._confirm = midtrans.client(environment_proxy(url))
        return await self.take(
            backend,
            await midtrans.confirmed(said, url=url, server_key=server_key, client=self._confirm),
        )


Caller = Request[Any, Any, Any]


@post("/xendit", status_code=200)
async def from_xendit(
    request: Caller, backend: NamedDependency[Backend], desk: NamedDependency[Desk]
) -> Taken | Response[bytes]:
    """An invoice was paid, or has expired."""
    token = desk.settings.xendit_token
    if not token:
        return _shut("WAQ_XENDIT_TOKEN")
    event = xendit.event(token, _headers(request), await request.body())
    return await desk.take(backend, event)


@post("/midtrans", status_code=200)
async def from_midtrans(
    request: Caller, backend: NamedDependency[Backend], desk: NamedDependency[Desk]
) -> Taken | Response[bytes]:
    """A transaction has changed its status."""
    if not desk.settings.midtrans_server_key:
        return _shut("WAQ_MIDTRANS_SERVER_KEY")
    return await desk.notified(backend, await request.body())


@post("/payment", status_code=200)
async def from_anybody(
    request: Caller, backend: NamedDependency[Backend], desk: NamedDependency[Desk]
) -> Taken | Response[bytes]:
    """A payment event as Standard Webhooks sign it."""
    if not desk.keys:
        return _shut("WAQ_PAYMENT_SECRET")
    now_s = backend.queue.store.clock.wall_us() / 1e6
    event = standard.event(desk.keys, _headers(request), await request.body(), now_s)
    return Taken(IGNORED) if event is None else await desk.take(backend, event)


def _headers(request: Caller) -> Mapping[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _shut(setting: str) -> Response[bytes]:
    log.warning("a webhook came that nothing could be checked with", extra={"unset": setting})
    return answer(
        Problem(title="Not Found", status=404, detail=f"closed: {setting} is not set here")
    )


_STATUS: dict[type[Exception], tuple[int, str]] = {
    ForgedError: (401, "Not proved"),
    MalformedError: (400, "Not a payment event"),
    UnconfirmedError: (503, "Not confirmed"),
    StoreError: (503, "The database cannot be used"),
    SQLAlchemyError: (503, "The database cannot be used"),
}


def _refused(request: Caller, error: Exception) -> Response[bytes]:
    status, title = next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
    ours = isinstance(error, StoreError | SQLAlchemyError)
    # What our database says is nobody else's business.
    detail = "it was not stored: send it again" if ours else str(error)
    log.warning(
        "webhook refused",
        extra={"path": request.url.path, "status": status, "reason": str(error)},
        exc_info=error if isinstance(error, SQLAlchemyError) else None,
    )
    headers = {"Retry-After": str(RETRY_S)} if status == 503 else None
    return answer(Problem(title=title, status=status, detail=detail), headers)


def router(
    settings: Settings, templates: Templates, *, confirm: midtrans.Client | None = None
) -> Router:
    """The routes; `confirm` None: Midtrans is asked over the network."""
    desk = Desk(settings, templates, confirm)
    refusals: ExceptionHandlersMap = {**dict.fromkeys(_STATUS, _refused)}
    return Router(
        "/webhooks",
        route_handlers=[from_xendit, from_midtrans, from_anybody],
        dependencies={"desk": Provide(lambda: desk, sync_to_thread=False)},
        exception_handlers=refusals,
        include_in_schema=False,
        request_max_body_size=BODY_MAX,
    )
