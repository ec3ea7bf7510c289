"""One lane in virtual time, whatever befalls it: P1 pace, P2 nothing lost, P3 order, P4, P5, work.

The driver is written out by hand, its queue a plain list searched from end to end: what the store
and the SimPy models do fast is compared here with what is obvious.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count, pairwise
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.builders import a_message, at, s
from waqcore.core import control
from waqcore.core.chance import Chance
from waqcore.core.instants import NEVER
from waqcore.core.lane import Lane
from waqcore.core.message import Message, OnUnknown, Priority, State
from waqcore.core.outcome import (
    Accepted,
    Healthy,
    NotCalled,
    NotSent,
    Outcome,
    ProbeResult,
    Refused,
    Rejected,
    Scope,
    SenderDown,
    Unknown,
    Unreachable,
)
from waqcore.core.policy import Policy
from waqcore.core.schedule import (
    Expire,
    Idle,
    Probe,
    Send,
    Step,
    TakeOver,
    Wait,
    Waiting,
    arrive,
    claim,
    next_step,
    probing,
)
from waqcore.core.settle import expire, probed, settle, settle_late, share, take_over

POLICY = Policy(sending_max_us=s(25), guard_us=s(0.05))
"""The default pace and guard; calls may outlast `sending`, so that late outcomes come about."""
PACE, GUARD = s(10), s(0.05)
ENDS = {State.SENT, State.FAILED, State.CANCELLED, State.EXPIRED, State.UNKNOWN}
U = Chance(backoff=0.5, jitter=0.0)

LEFT_THEN_DIED, DIED_BEFORE = "left, then died", "died before it left"


class Call(NamedTuple):
    """What one call meets."""

    outcome: Outcome | str
    leaves_after_us: int
    takes_us: int


class Drive:
    """One lane, its messages by number, and what is to come, in the order the core prescribes."""

    def __init__(self, calls: list[Call], probes: list[ProbeResult]) -> None:
        self.now, self.lane, self.free_at = at(0), Lane("6281", paced_until=0), 0
        self.queue: dict[int, Message] = {}
        self.calls, self.probes = iter(calls), iter(probes)
        self.coming: list[tuple[int, int, int, Callable[[], object]]] = []
        self.starts: list[int] = []
        self.serial = count()
        self.met: dict[int, list[Outcome]] = {}
        self.accepted_late = 0

    def plan(self, instant: int, rank: int, act: Callable[[], object]) -> None:
        """Ranks at one instant: outcomes 0, arrivals 1, controls 2, mere wake-ups 3."""
        heappush(self.coming, (instant, rank, next(self.serial), act))

    def run(self) -> None:
        for _ in range(2_000):
            if not self.coming:
                return
            self.now = self.coming[0][0]
            while self.coming and self.coming[0][0] == self.now:
                heappop(self.coming)[3]()
            while self.obey():
                pass
        raise AssertionError("the lane never comes to rest")

    def obey(self) -> bool:
        queued = [m for m in self.queue.values() if m.state is State.QUEUED]
        due = [m for m in queued if max(m.due_at, m.retry_at) <= self.now]
        due.sort(key=lambda m: (m.priority, m.due_at, m.seq))
        heads = {m.priority: m for m in reversed(due)}
        later = (max(m.due_at, m.retry_at) for m in queued if m not in due)
        waiting = Waiting(tuple(heads.values()), min(later, default=NEVER))
        self.lane = arrive(self.lane, waiting, self.now, POLICY)
        step = next_step(self.lane, waiting, self.now, POLICY)
        self.check(step, due)
        match step:
            case Send(message):
                self.call(message)
            case Expire(messages):
                self.queue.update({m.seq: expire(m) for m in messages})
            case TakeOver():
                self.take_over()
            case Probe():
                self.lane = probing(self.lane, self.now, POLICY)
                self.plan(self.now + s(1), 0, lambda: self.probed(next(self.probes, Healthy())))
            case Wait(until) if until < NEVER:
                self.plan(until, 3, lambda: None)
        return not isinstance(step, Wait | Idle)

    def call(self, message: Message) -> None:
        met = next(self.calls, Call(Accepted(), 0, 0))
        alive = not isinstance(met.outcome, str)
        until, token = (NEVER if alive else self.now + s(5)), f"{self.now}"
        self.lane, message = claim(
            self.lane, message, self.now, token=token, holder="d", until=until, policy=POLICY
        )
        left_at = self.now + met.leaves_after_us
        if met.outcome != DIED_BEFORE and not isinstance(met.outcome, NotCalled):
            self.starts.append(left_at)
            message = message._replace(attempts=message.attempts + 1)
        self.queue[message.seq] = message
        if not isinstance(met.outcome, str):
            outcome, number = met.outcome, message.attempts
            self.plan(
                left_at + met.takes_us,
                0,
                lambda: self.settle(message.seq, number, token, outcome, left_at),
            )

    def settle(self, seq: int, number: int, token: str, outcome: Outcome, left_at: int) -> None:
        message = self.queue[seq]
        if self.lane.lease is None or self.lane.lease.token != token:
            self.queue[seq] = settle_late(message, number, outcome) or message
            self.accepted_late += isinstance(outcome, Accepted)
            return
        if message.state is not State.SENDING:
            self.lane = self.lane._replace(lease=None)  # A late acceptance settled it.
            return
        settled = settle(
            self.lane, message, outcome, called_at=left_at, now=self.now, u=U, policy=POLICY
        )
        self.lane, self.queue[seq] = settled.lane, settled.message
        self.met.setdefault(seq, []).append(outcome)
        if not isinstance(outcome, NotCalled):
            self.free_at = left_at + PACE + min(GUARD, self.now - left_at)
        if isinstance(outcome, Refused) and outcome.scope is not Scope.MESSAGE:
            self.free_at = max(self.free_at, self.now + (outcome.retry_after_us or 0))

    def take_over(self) -> None:
        lease = self.lane.lease
        assert lease is not None
        message = self.queue[lease.message_seq]
        if message.state is not State.SENDING:
            self.lane = self.lane._replace(lease=None)  # A late acceptance settled it.
            return
        called = bool(self.starts) and self.starts[-1] >= lease.claimed_at
        settled = take_over(
            self.lane, message, lease, called=called, now=self.now, u=U, policy=POLICY
        )
        self.lane, self.queue[message.seq] = settled.lane, settled.message
        if called:
            self.met.setdefault(message.seq, []).append(Unknown("died"))
            self.free_at = lease.call_by + PACE + GUARD

    def probed(self, result: ProbeResult) -> None:
        self.lane = probed(self.lane, result, self.now, POLICY)

    def check(self, step: Step, due: list[Message]) -> None:
        held = self.lane.paused(self.now) is not None or self.lane.trouble.open
        in_flight = self.lane.lease is not None
        if isinstance(step, Send):
            assert not held
            assert not in_flight
            assert step.message == due[0], "something due goes before it"
            assert self.now >= self.free_at, "before the pace, or a refusal, allows"
        elif due and not held and not in_flight and not isinstance(step, Expire):
            assert step == Wait(self.free_at), "a lane that could send does not"
            assert self.now < self.free_at


class Arrival(NamedTuple):
    arrives_at: int
    priority: Priority
    scheduled_us: int
    expires_us: int
    on_unknown: OnUnknown


def arrival(drive: Drive, seq: int, drawn: Arrival) -> Callable[[], None]:
    message = a_message(seq, drawn.priority, drawn.arrives_at + drawn.scheduled_us)._replace(
        expires_at=drawn.arrives_at + drawn.expires_us, on_unknown=drawn.on_unknown
    )
    return lambda: drive.queue.update({seq: message})


def press(drive: Drive, button: str, seq: int) -> None:
    lane, now = drive.lane, drive.now
    match button:
        case "pause":
            drive.lane = control.pause(lane, "lunch", now)
        case "pause for a time":
            drive.lane = control.pause(lane, "lunch", now, now + s(30))
        case "resume":
            drive.lane = control.resume(lane)
        case "force":
            drive.lane = control.force(lane)
        case "account down":
            drive.lane = share(lane, SenderDown("bad key", Scope.ACCOUNT), now, POLICY, source=lane)
        case "account out of reach":
            drive.lane = share(lane, Unreachable("DNS"), now, POLICY, source=lane)
        case "cancel" if seq in drive.queue and drive.queue[seq].state not in ENDS:
            drive.queue[seq] = control.cancel(drive.queue[seq], "not needed")


def end_lunch(drive: Drive) -> None:
    if drive.lane.pause is not None and drive.lane.pause.by == "person":
        drive.lane = control.resume(drive.lane)


BUTTONS = ["pause", "pause for a time", "resume", "force", "account down", "account out of reach"]
whole_seconds = st.integers(0, 150).map(at)
arrivals = st.lists(
    st.builds(
        Arrival,
        whole_seconds,
        st.sampled_from(Priority),
        st.sampled_from([0, 0, 0, s(20), s(90)]),
        st.sampled_from([NEVER, NEVER, NEVER, s(25)]),
        st.sampled_from(OnUnknown),
    ),
    min_size=1,
    max_size=15,
)
OUTCOMES: list[Outcome | str] = [
    Accepted(),
    NotSent("busy"),
    Unknown("timeout"),
    Refused("429", s(33)),
    Refused("429", s(7), Scope.MESSAGE),
    Rejected("no such number"),
    Unreachable("DNS"),
    SenderDown("logged out"),
    NotCalled("late"),
    LEFT_THEN_DIED,
    DIED_BEFORE,
]


def calls_of(outcomes: list[Outcome | str]) -> st.SearchStrategy[list[Call]]:
    call = st.builds(
        Call,
        st.sampled_from(outcomes),
        st.sampled_from([0, 1, s(1), s(3)]),
        st.sampled_from([0, s(0.02), s(2), s(10), s(28), s(60)]),
    )
    return st.lists(call, min_size=3, max_size=25)


# A few kinds in each drive, so that the same thing happens often enough in a row to matter.
calls = st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=3).flatmap(calls_of)
probes: st.SearchStrategy[list[ProbeResult]] = st.lists(
    st.sampled_from([Healthy(), SenderDown("logged out"), Unreachable("DNS")]), max_size=4
)
buttons = st.lists(
    st.tuples(whole_seconds, st.sampled_from([*BUTTONS, "cancel"]), st.integers(0, 14)), max_size=8
)


def driven(
    arrivals: list[Arrival],
    calls: list[Call],
    probes: list[ProbeResult],
    buttons: list[tuple[int, str, int]],
) -> Drive:
    drive = Drive(calls, probes)
    arrivals.sort()
    for seq, drawn in enumerate(arrivals):
        drive.plan(drawn.arrives_at, 1, arrival(drive, seq, drawn))
    for instant, button, seq in buttons:
        drive.plan(instant, 2, lambda b=button, n=seq: press(drive, b, n))  # type: ignore[misc]
    drive.plan(at(600), 2, lambda: end_lunch(drive))
    drive.run()
    return drive


drives = st.builds(driven, arrivals, calls, probes, buttons)


@settings(max_examples=250, deadline=None)
@given(drives)
def test_whatever_befalls_a_lane_it_keeps_pace_and_order_and_every_message_ends(
    drive: Drive,
) -> None:
    assert all(later - earlier >= PACE for earlier, later in pairwise(drive.starts))
    assert {message.state for message in drive.queue.values()} <= ENDS
    for message in drive.queue.values():
        met = drive.met.get(message.seq, [])
        own = sum(isinstance(outcome, NotSent) for outcome in met)
        doubtful = sum(isinstance(outcome, Unknown) for outcome in met)
        rejected = any(isinstance(outcome, Rejected) for outcome in met)
        assert own <= 3
        assert message.state is not State.FAILED or own == 3 or rejected
        assert message.state is not State.FAILED or not message.unresolved
        assert doubtful <= (2 if message.on_unknown is OnUnknown.RESEND else 1)
    sent = [seq for seq, message in drive.queue.items() if message.state is State.SENT]
    accepted = [seq for seq, met in drive.met.items() if Accepted() in met]
    assert set(accepted) <= set(sent)
    assert len(sent) <= len(accepted) + drive.accepted_late
