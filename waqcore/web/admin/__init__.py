"""The dashboard: pages for the people who look after the queue."""

from litestar import Router, get
from litestar.di import Provide
from litestar.exceptions import HTTPException, NotFoundException
from litestar.handlers.base import BaseRouteHandler
from litestar.params import FromPath

from waqcore.queue import NotFoundError
from waqcore.store.errors import StoreError
from waqcore.web.admin import acts, assets, lists, login, old, overview, senders, sending, trial
from waqcore.web.admin.errors import Errors
from waqcore.web.admin.guard import AnyConnection, Guard
from waqcore.web.admin.headers import secured
from waqcore.web.admin.panel import Panel
from waqcore.web.admin.session import BASE
from waqcore.web.backend import Backend

BODY_MAX = 256 * 1024
"""Bytes of a form: a thousand ids have some 40 KB."""


@get("/{rest:path}", sync_to_thread=False)
def nothing(rest: FromPath[str]) -> None:
    """No page.

    Raises:
        NotFoundException: always.
    """
    raise NotFoundException(f"there is no page {rest[:80]}")


def router(backend: Backend) -> Router:
    """Every route of the dashboard of one queue."""
    panel = Panel(backend)
    guard, errors = Guard(panel), Errors(panel)

    # Functions, and no bound methods: Litestar copies what it is given, with all it is bound to.
    async def admit(connection: AnyConnection, handler: BaseRouteHandler) -> None:
        await guard(connection, handler)

    return Router(
        BASE,
        route_handlers=[
            *(login.login_form, login.login, login.logout, assets.open_asset, assets.asset),
            *(overview.overview, overview.events, overview.texts),
            *(lists.messages, lists.message, lists.life, lists.failed, lists.audit),
            *(acts.ROUTES),
            *(senders.ROUTES),
            *(sending.ROUTES),
            *(trial.ROUTES),
            *(old.ROUTES),
            nothing,
        ],
        guards=[admit],
        middleware=[secured],
        dependencies={
            "panel": Provide(lambda: panel, sync_to_thread=False),
            "guard": Provide(lambda: guard, sync_to_thread=False),
        },
        exception_handlers={
            HTTPException: lambda request, error: errors.refused(request, error),
            NotFoundError: lambda request, error: errors.missing(request, error),
            StoreError: lambda request, error: errors.unavailable(request, error),
            Exception: lambda request, error: errors.ours(request, error),
        },
        include_in_schema=False,
        request_max_body_size=BODY_MAX,
    )
