"""Enqueues of many requests share commits, and each hears of its own fate."""

import asyncio
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from tests.web.api.conftest import environ
from waqcore.draft import Draft
from waqcore.message import Message
from waqcore.phone import PhoneError
from waqcore.queue import Queue
from waqcore.store.enqueue import IdempotencyError, SuppressedError
from waqcore.store.errors import StoreError, UnwritableDatabaseError
from waqcore.web.backend import MESSAGES_MAX, enqueue_with_etas
from waqcore.web.handover import WAITING_MAX, BusyError, Handover


def _draft(n: int, **more: str) -> Draft:
    return Draft(to=f"08123456{n:04d}", body="Halo", **more)  # type: ignore[arg-type]


def a_handover(queue: Queue) -> Handover[Draft, Message]:
    return Handover(partial(enqueue_with_etas, queue), MESSAGES_MAX)


def _hand_over(queue: Queue, drafts: Sequence[Draft]) -> list[Message | BaseException]:
    async def all_at_once() -> list[Message | BaseException]:
        handover = a_handover(queue)
        try:
            return await asyncio.gather(
                *(handover.hand_over(draft) for draft in drafts), return_exceptions=True
            )
        finally:
            handover.close()

    return asyncio.run(all_at_once())


def test_many_at_once_are_queued_in_order_each_with_its_position(tmp_path: Path) -> None:
    with Queue.from_env(environ(tmp_path)) as queue:
        queued = _hand_over(queue, [_draft(n) for n in range(300)])

        messages = [one for one in queued if isinstance(one, Message)]
        positions = [one.eta.ahead for one in messages if one.eta is not None]
        assert positions == list(range(300))


def test_each_hears_of_its_own_refusal_and_the_others_are_queued(tmp_path: Path) -> None:
    with Queue.from_env(environ(tmp_path)) as queue:
        queue.suppress("081234560003", reason="asked")
        queue.enqueue("081234560009", "other", idempotency_key="k")
        drafts = [_draft(n) for n in range(8)]
        drafts[1] = Draft(to="12", body="Halo")
        drafts[5] = _draft(5, idempotency_key="k")

        queued = _hand_over(queue, drafts)

    assert isinstance(queued[1], PhoneError)
    assert isinstance(queued[3], SuppressedError)
    assert isinstance(queued[5], IdempotencyError)
    assert sum(isinstance(one, Message) for one in queued) == 5


def test_a_full_disk_is_told_to_all_who_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise UnwritableDatabaseError("the disk is full")

    with Queue.from_env(environ(tmp_path)) as queue:
        monkeypatch.setattr(queue.store, "write_jointly", full)

        queued = _hand_over(queue, [_draft(n) for n in range(4)])

    assert all(isinstance(one, StoreError) for one in queued)


def test_who_would_wait_too_long_is_sent_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(drafts: Sequence[Draft]) -> list[StoreError]:
        return [StoreError("not now") for _ in drafts]

    with Queue.from_env(environ(tmp_path)) as queue:
        monkeypatch.setattr(queue, "enqueue_each", refuse)

        queued = _hand_over(queue, [_draft(n) for n in range(WAITING_MAX + 2)])  # One goes at once.

    assert [n for n, one in enumerate(queued) if isinstance(one, BusyError)] == [WAITING_MAX + 1]


def test_who_has_gone_is_not_waited_for_and_the_message_is_queued(tmp_path: Path) -> None:
    async def leave(queue: Queue) -> Message:
        handover = a_handover(queue)
        gone = asyncio.create_task(handover.hand_over(_draft(1)))
        await asyncio.sleep(0)
        gone.cancel()
        message = await handover.hand_over(_draft(2))
        handover.close()
        return message

    with Queue.from_env(environ(tmp_path)) as queue:
        second = asyncio.run(leave(queue))

    assert second.eta is not None
    assert second.eta.ahead == 1


def test_the_loop_goes_on_while_a_commit_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go_on = threading.Event()

    async def look(queue: Queue) -> bool:
        handover = a_handover(queue)
        waiting = asyncio.create_task(handover.hand_over(_draft(1)))
        for _ in range(100):
            await asyncio.sleep(0)
        still_waits = not waiting.done()
        may_go_on.set()
        await waiting
        handover.close()
        return still_waits

    with Queue.from_env(environ(tmp_path)) as queue:
        enqueue_each = queue.enqueue_each

        def slow(drafts: Sequence[Draft]) -> list[Message | Exception]:
            assert may_go_on.wait(10)
            return enqueue_each(drafts)

        monkeypatch.setattr(queue, "enqueue_each", slow)

        assert asyncio.run(look(queue))


def test_those_who_come_again_and_again_end_up_in_one_commit() -> None:
    """Not in two that take turns, each of which pays for a commit. Only the first is not waited
    with: nobody knew of the others."""
    crowds: list[int] = []

    def together(items: Sequence[int]) -> Sequence[int]:
        crowds.append(len(items))
        return items

    async def come_again(handover: Handover[int, int]) -> None:
        for n in range(5):
            await handover.hand_over(n)

    async def eight() -> None:
        handover = Handover(together, MESSAGES_MAX)
        await asyncio.gather(*(come_again(handover) for _ in range(8)))
        handover.close()

    asyncio.run(eight())

    assert crowds[:4] == [1, 8, 8, 8]
