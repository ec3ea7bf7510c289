"""Whether the service lives, and whether it can take messages."""

import asyncio

from litestar import Response, get
from litestar.di import NamedDependency

from waqcore.store import schema
from waqcore.web.backend import Backend
from waqcore.web.problem import Problem, answer

WAIT_S = 5.0
"""How long the database may take to say where it is, in seconds: a busy disk is not a dead one."""


@get("/healthz", include_in_schema=False, sync_to_thread=False)
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@get("/readyz", include_in_schema=False)
async def readyz(backend: NamedDependency[Backend]) -> Response[bytes] | dict[str, str]:
    """The database can be read, and its schema is the one this version writes.

    A missing dispatcher is no reason not to take messages: it is a metric, and an alert.
    """
    try:
        async with asyncio.timeout(WAIT_S):
            found = await backend.run(lambda: backend.queue.store.read(schema.revision))
    except TimeoutError:
        return _unready(f"the database has not answered within {WAIT_S:g} s")
    if found != schema.HEAD:
        return _unready(f"the database is at schema {found}, this waqcore needs {schema.HEAD}")
    return {"status": "ready"}


def _unready(why: str) -> Response[bytes]:
    problem = Problem(title="Not ready", status=503, detail=why)
    return answer(problem, {"Retry-After": "5"})
