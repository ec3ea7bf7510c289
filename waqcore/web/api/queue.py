"""`/v1/queue` and `/v1/senders`: how it stands, and what may be done to all of it."""

from typing import Any

from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import RequestBody

from waqcore import as_json
from waqcore.core.instants import seconds
from waqcore.tokens import Scope
from waqcore.web.api.shapes import (
    Clear,
    Cleared,
    Count,
    Fleet,
    Held,
    OneOrAll,
    Restored,
    Sender,
    Senders,
)
from waqcore.web.backend import Backend
from waqcore.web.entrance import requires
from waqcore.web.problem import problems

Caller = Request[Any, Any, Any]
_ADMIN = requires(Scope.ADMIN)
_REFUSED = problems(400, 413, 415, 422)


@get(
    "/queue",
    before_request=requires(Scope.READ),
    responses=problems(),
    summary="How the queue stands",
)
async def status(backend: NamedDependency[Backend]) -> as_json.Status:
    """What is queued, what each sender waits for, and when it will be clear."""
    return await backend.run(lambda: as_json.status(backend.queue.status()))


@post(
    "/queue/pause",
    status_code=200,
    before_request=_ADMIN,
    responses=_REFUSED,
    summary="Hold a sender",
)
async def pause(
    data: RequestBody[Held], request: Caller, backend: NamedDependency[Backend]
) -> Senders:
    """Stop a sender, or all, until resumed or until an instant. Nothing is lost by waiting."""
    queue = backend.acting(request)
    return Senders(
        senders=await backend.run(
            lambda: queue.pause(data.reason, sender=data.sender, until=data.until)
        )
    )


@post(
    "/queue/resume",
    status_code=200,
    before_request=_ADMIN,
    responses=_REFUSED,
    summary="Let a sender go",
)
async def resume(
    data: RequestBody[OneOrAll], request: Caller, backend: NamedDependency[Backend]
) -> Senders:
    """End the pause of a sender, or of all, whoever made it, and close the breaker."""
    queue = backend.acting(request)
    return Senders(senders=await backend.run(lambda: queue.resume(sender=data.sender)))


@post(
    "/queue/process",
    status_code=200,
    before_request=_ADMIN,
    responses=_REFUSED,
    summary="Wake senders",
)
async def process(
    data: RequestBody[OneOrAll], request: Caller, backend: NamedDependency[Backend]
) -> Senders:
    """Wake senders now: close breakers, end pauses that are not a person's.

    Never shortens the pace, a `Retry-After`, quiet hours, a cap or a backoff.
    """
    queue = backend.acting(request)
    return Senders(senders=await backend.run(lambda: queue.process(sender=data.sender)))


@post(
    "/queue/clear",
    status_code=200,
    before_request=_ADMIN,
    responses=_REFUSED,
    summary="Empty the queue",
)
async def clear(
    data: RequestBody[Cleared], request: Caller, backend: NamedDependency[Backend]
) -> Clear:
    """Cancel what is queued, or the part of it that matches, as a batch that can be restored."""
    queue, which = backend.acting(request), data.filter()
    batch, moved = await backend.run(lambda: queue.clear(which, reason=data.reason))
    return Clear(batch=batch, messages=moved)


@post(
    "/queue/restore",
    status_code=200,
    before_request=_ADMIN,
    responses=_REFUSED,
    summary="Undo a clear",
)
async def restore(
    data: RequestBody[Restored], request: Caller, backend: NamedDependency[Backend]
) -> Count:
    """Queue the messages of a cleared batch again, each in its old place."""
    queue = backend.acting(request)
    return Count(messages=await backend.run(lambda: queue.restore(data.batch)))


@get(
    "/senders",
    before_request=requires(Scope.READ),
    responses=problems(),
    summary="List the senders",
)
async def senders(backend: NamedDependency[Backend]) -> Fleet:
    """The numbers that messages are sent from."""
    fleet = backend.queue.fleet
    default = next(iter(fleet.senders), None)
    return Fleet(
        senders=[
            Sender(
                number=one.number,
                gateway=fleet.accounts[one.account].gateway.value,
                pace_s=seconds(one.policy.pace_us),
                default=one.number == default,
            )
            for one in fleet.senders.values()
        ]
    )


HANDLERS = [status, pause, resume, process, clear, restore, senders]
