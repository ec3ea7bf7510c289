"""Faults put into the model on purpose: each must be caught."""

from collections.abc import Callable

import pytest

from simulations.waiting import LaneQueue
from waqcore.core import schedule
from waqcore.core.lane import Lane
from waqcore.core.message import Message, Priority
from waqcore.core.policy import Policy
from waqcore.core.schedule import Send, Step, Wait, Waiting

Mutation = Callable[[pytest.MonkeyPatch], None]

_next_step, _paced_from = schedule.next_step, Lane.paced_from
_arrive, _heads = LaneQueue.arrive, LaneQueue.heads


def pacing_from_completion(patch: pytest.MonkeyPatch) -> None:
    """The pace is counted from the answer, not from the start of the call."""

    def paced_from(
        lane: Lane, called_at: int, *, answered_at: int, u: float, policy: Policy
    ) -> Lane:
        return _paced_from(lane, answered_at, answered_at=answered_at, u=u, policy=policy)

    patch.setattr(Lane, "paced_from", paced_from)


def polling(patch: pytest.MonkeyPatch) -> None:
    """A loop that looks once a pace, and sleeps in between whatever arrives."""

    def next_step(lane: Lane, waiting: Waiting, now: int, policy: Policy) -> Step:
        step = _next_step(lane, waiting, now, policy)
        to_next_look = -now % policy.pace_us
        return Wait(now + to_next_look) if isinstance(step, Send) and to_next_look else step

    patch.setattr(schedule, "next_step", next_step)


def last_in_first_out_inside_high(patch: pytest.MonkeyPatch) -> None:
    """The old system's: a high message is pushed to the front."""

    def arrive(queue: LaneQueue, message: Message, send_at: int, now: int) -> None:
        _arrive(queue, message, send_at, now)
        fresh = queue._due[Priority.HIGH].fresh
        if fresh and fresh[-1] is message:
            fresh.rotate(1)

    patch.setattr(LaneQueue, "arrive", arrive)


def not_at_the_very_instant_the_pace_ends(patch: pytest.MonkeyPatch) -> None:
    """`ready_at <= now` for `<`: the lane is ready one microsecond late."""

    def next_step(lane: Lane, waiting: Waiting, now: int, policy: Policy) -> Step:
        step = _next_step(lane, waiting, now, policy)
        held = isinstance(step, Send) and lane.ready_at(policy) == now
        return Wait(now + 1) if held else step

    patch.setattr(schedule, "next_step", next_step)


def decided_before_what_falls_due_at_the_same_instant(patch: pytest.MonkeyPatch) -> None:
    """`due_at < now` for `<=`: what falls due at the instant of a slot has no part in it."""

    def heads(queue: LaneQueue, now: int) -> tuple[Message, ...]:
        all_due = _heads(queue, now)
        return tuple(message for message in all_due if message.due_at < now) or all_due

    patch.setattr(LaneQueue, "heads", heads)
