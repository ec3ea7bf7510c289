"""Delivers what is in the outbox: beside the dispatcher, and never in the way of its calls.

At least once: what was claimed by a process that died is delivered again by another, with the same
`webhook-id`, by which an application knows it.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from waqcore.callbacks.post import Answer, Post, Poster
from waqcore.callbacks.schedule import after
from waqcore.core.chance import chance
from waqcore.core.instants import DAY, HOUR, MINUTE, SECOND
from waqcore.mask import mask
from waqcore.message import instant
from waqcore.settings import Settings
from waqcore.signature import key_of, signed_headers
from waqcore.store import callbacks, outbox
from waqcore.store.callbacks import CallbackRow
from waqcore.store.errors import StoreError
from waqcore.store.outbox import Claimed, Result
from waqcore.store.store import Store

log = logging.getLogger("waqcore.callbacks")

Execute = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs store work off the loop."""

POLL_S = 1.0
"""How often the outbox is looked at."""

BATCH_MAX = 20
"""Events of one application under way at once."""

CLAIM_US = MINUTE
"""How long a claim holds: four times what a try may take."""

KEPT_US = 7 * DAY
"""How long what is over can still be looked at."""

ACTOR = "callbacks"


def body_of(claimed: Claimed) -> bytes:
    """What an application is told: never the text, and of the number only what tells it apart."""
    one = claimed.delivery
    return json.dumps(
        {
            "type": f"message.{one.state}",
            "timestamp": instant(one.ended_at).isoformat(),
            "data": {
                "id": one.message_id,
                "state": one.state,
                "reference": one.reference,
                "recipient": mask(claimed.recipient),
                "attempts": one.attempts,
                "reason": one.reason,
                "ended_at": instant(one.ended_at).isoformat(),
            },
        },
        separators=(",", ":"),
    ).encode()


def event_id(claimed: Claimed) -> str:
    """The event's name: the same at every try, and no other's, whichever queue it is of."""
    return f"evt_{claimed.delivery.callback_id}_{claimed.delivery.seq}"


class Courier:
    """Takes events to applications, to each its own at its own pace."""

    def __init__(self, store: Store, execute: Execute, post: Post) -> None:
        self._store = store
        self._execute = execute
        self._post = post
        self._under_way: dict[str, asyncio.Task[None]] = {}

    async def look(self) -> None:
        """Set out to every application that something is due for, and that nobody is with."""
        due = await self._execute(lambda: self._store.read(self._due))
        for id_ in due:
            if id_ not in self._under_way:
                task = asyncio.create_task(self._serve(id_))
                self._under_way[id_] = task
                task.add_done_callback(partial(self._back, id_))

    async def idle(self) -> None:
        """Wait until nobody is under way."""
        while self._under_way:
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)
            await asyncio.sleep(0)  # For `_back`, which the loop calls after us.

    def cancel(self) -> None:
        """Turn back; what was claimed is delivered again once its claim has run out."""
        for task in self._under_way.values():
            task.cancel()

    def _back(self, id_: str, task: "asyncio.Task[None]") -> None:
        self._under_way.pop(id_, None)
        if not task.cancelled() and task.exception() is not None:
            log.error("deliveries broke off", extra={"callback": id_}, exc_info=task.exception())

    def _due(self, connection: Connection) -> list[str]:
        return outbox.due(connection, self._store.now())

    async def _serve(self, id_: str) -> None:
        """Deliver batch by batch, until nothing is due or the application is in trouble."""
        while True:
            row, claimed = await self._execute(lambda: self._claim(id_))
            if row is None or not claimed:
                return
            answers = await asyncio.gather(*(self._try(row, one) for one in claimed))
            closed = await self._execute(lambda: self._settle(row, claimed, answers))  # noqa: B023
            if closed or len(claimed) < BATCH_MAX:
                return

    def _claim(self, id_: str) -> tuple[CallbackRow | None, list[Claimed]]:
        def claim(connection: Connection) -> tuple[CallbackRow | None, list[Claimed]]:
            now = self._store.now()
            row = callbacks.find(connection, id_)
            if row is None or row.disabled_at is not None or row.closed_until > now.steady:
                return None, []
            until = now.steady + CLAIM_US
            return row, outbox.claim(connection, id_, now, until=until, limit=BATCH_MAX)

        return self._store.write(claim)

    async def _try(self, row: CallbackRow, claimed: Claimed) -> Answer:
        body = body_of(claimed)
        at = self._store.now().wall // SECOND
        headers = signed_headers(key_of(row.secret), event_id(claimed), at, body)
        answer = await self._post(row.url, {**headers, "Content-Type": "application/json"}, body)
        log.info(
            "callback",
            extra={
                "callback": row.id,
                "message_id": claimed.delivery.message_id,
                "event_state": claimed.delivery.state,
                "tries": claimed.delivery.tries,
                "status": answer.status,
                "problem": answer.problem,
            },
        )
        return answer

    def _settle(self, row: CallbackRow, claimed: list[Claimed], answers: list[Answer]) -> bool:
        """Write what became of a batch; True if the application is to be left alone for now."""
        now = self._store.now()
        results: list[Result] = []
        closed_until, gone = 0, False
        for one, answer in zip(claimed, answers, strict=True):
            sent = one.delivery
            follows = after(answer, sent.tries, chance(0, event_id(one), sent.tries).jitter)
            due_at = now.steady + follows.wait_us
            problem = answer.problem[:200]
            results.append(
                Result(sent.seq, sent.tries, follows.status, due_at, answer.status, problem)
            )
            gone = gone or follows.gone
            if follows.close_us:
                closed_until = max(closed_until, now.steady + follows.close_us)

        def settle(connection: Connection) -> None:
            outbox.settle(connection, results)
            if closed_until:
                callbacks.close(connection, row.id, closed_until)
            if gone:
                reason = "its address answered 410 Gone"
                callbacks.disable(connection, row.id, reason, ACTOR, now.wall)

        self._store.write(settle)
        return bool(closed_until) or gone


def forget(store: Store) -> None:
    """Let go of what is over for so long that nobody looks at it any more."""
    before = store.now().wall - KEPT_US
    # Read first: an idle dispatcher must not write.
    while store.read(lambda connection: outbox.any_old(connection, before)):
        store.write(lambda connection: outbox.forget(connection, before))


async def deliver(store: Store, execute: Execute, settings: Settings) -> None:
    """Deliver until cancelled."""
    post = Poster(any_address=settings.callback_any_address)
    courier = Courier(store, execute, post)
    forget_at = 0
    try:
        while True:
            try:
                await courier.look()
                if store.steady() >= forget_at:
                    await execute(partial(forget, store))
                    forget_at = store.steady() + HOUR
            except Exception as error:  # Whatever it is, it must not end the dispatcher beside us.
                known = isinstance(error, SQLAlchemyError | StoreError)
                log.error(
                    "the outbox is not read",
                    extra={"reason": str(error)},
                    exc_info=None if known else error,
                )
            await asyncio.sleep(POLL_S)
    finally:
        courier.cancel()
        await post.aclose()
