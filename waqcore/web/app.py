"""The service as one ASGI application: which routes there are, and what all of them share."""

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.enums import ScopeType
from litestar.exceptions import MethodNotAllowedException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from waqcore.web import admin, api, callbacks, invoices, metrics, registrations, webhooks
from waqcore.web.backend import Backend
from waqcore.web.body import StrictRequest
from waqcore.web.entrance import requires
from waqcore.web.health import healthz, readyz
from waqcore.web.limits import Limits
from waqcore.web.metrics import Metrics
from waqcore.web.problem import HANDLERS
from waqcore.web.tokens import known_tokens

BODY_MAX = 1024 * 1024
"""Bytes of a request's body: a batch of 1,000 messages has some 400 KB."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""On every answer that says nothing else; pages allow themselves what they need."""
_RAW = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


def application(backend: Backend) -> Litestar:
    """Put the service together around an open queue, which its owner closes."""
    templates = registrations.templates_of(backend.settings)
    return Litestar(
        route_handlers=[
            healthz,
            readyz,
            metrics.route(Metrics(backend.queue)),
            api.router(backend),
            callbacks.router(),
            registrations.router(backend, templates),
            invoices.router(templates),
            webhooks.router(backend.settings, templates),
            admin.router(backend),
        ],
        dependencies={"backend": Provide(lambda: backend, sync_to_thread=False)},
        exception_handlers=HANDLERS,
        lifespan=[known_tokens(backend)],
        logging_config=None,
        openapi_config=_openapi(),
        request_class=StrictRequest,
        request_max_body_size=BODY_MAX,
        before_send=[_secure],
        middleware=[_no_options],
        state=State({"tokens": (), "limits": Limits(backend.settings.api_per_second)}),
    )


def _no_options(app: ASGIApp) -> ASGIApp:
    """Litestar answers OPTIONS by itself, before any guard: to nobody's use without CORS."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["method"] == "OPTIONS":
            raise MethodNotAllowedException("there is nothing to ask for with OPTIONS")
        await app(scope, receive, send)

    return answer


async def _secure(message: Message, _scope: Scope) -> None:
    if message["type"] != "http.response.start":
        return
    given = {name for name, _ in message["headers"]}
    message["headers"] = [*message["headers"], *(one for one in _RAW if one[0] not in given)]


def _openapi() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="waqcore",
        version="1",
        description="Queue WhatsApp messages, and learn when they go out.",
        components=Components(
            security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer")}
        ),
        use_handler_docstrings=True,
        # Litestar's own pages, without which it describes nothing, would be open to all.
        openapi_router=Router(
            "/v1/description",
            route_handlers=[],
            before_request=requires(None),
            include_in_schema=False,
        ),
        render_plugins=[JsonRenderPlugin()],
    )
