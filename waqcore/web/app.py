"""The service as one ASGI application: which routes there are, and what all of them share."""

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide

from waqcore.web.backend import Backend
from waqcore.web.health import healthz


def application(backend: Backend) -> Litestar:
    """Put the service together around an open queue, which its owner closes."""
    return Litestar(
        route_handlers=[healthz],
        dependencies={"backend": Provide(lambda: backend, sync_to_thread=False)},
        state=State({"tokens": tuple}),
    )
