"""Any sequence of what can happen, on the real store, against a model kept as a plain list."""

import os
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from msgspec.structs import replace

from tests.engines import NOTE, READY
from tests.postgres import Postgres
from tests.scenario import RAM_DISK
from tests.store import hand
from waqcore.core import control
from waqcore.core.instants import SECOND
from waqcore.core.lane import Lane
from waqcore.core.message import Message, State
from waqcore.core.outcome import Accepted, NotCalled, NotSent, Outcome, Refused, Rejected, Unknown
from waqcore.store import controls
from waqcore.store.attempts import Claim, Ended
from waqcore.store.controls import Filter
from waqcore.store.events import Happening
from waqcore.store.store import Store

PACE = 20 * SECOND
"""Longer than a lease: what a takeover counts the pace from then shows."""
HOUR_S = 3_600
BACKOFF = 40 * SECOND
"""Longer than the pace: a backoff that is forgotten then shows."""
MAX_ATTEMPTS = 2
EXHAUSTIVE = "WAQ_TEST_EXHAUSTIVE"
"""Set in the environment: some thirty times as much, some minutes."""

CRASH = "the dispatcher dies in mid-call"
NOT_YET = "the call is still in flight"

HELD = "SELECT seq, state, attempts, failures FROM waq_message ORDER BY seq"

Drafted = tuple[int, int | None, int | None, str]
Step = tuple[float, bool, float, Outcome | str, Outcome | None]
Controlled = Callable[[Message], Message]
LaneControlled = Callable[[Lane, int], Lane]

OUTCOMES: list[Outcome] = [
    Accepted("g"),
    NotSent("busy"),
    Unknown("timed out"),
    Rejected("bad number"),
    Refused("slow down", 25 * SECOND),
    NotCalled("too late"),
]


DRAFTS = st.tuples(
    st.sampled_from([1, 2, 2, 3]),
    st.sampled_from([None, None, None, 7, 40, HOUR_S]),
    st.sampled_from([None, None, 15, 60]),
    st.sampled_from(["resend", "resend", "hold"]),
)
"""Priority, to be sent in so many seconds, lives for so many, on an unknown outcome."""

STEPS = st.tuples(
    st.sampled_from([0, 0.001, 5, 17.5, 20, 20, 25, 45]),
    st.sampled_from([True, True, True, True, False]),
    st.sampled_from([0, 0.5, 2.5]),
    st.sampled_from([*OUTCOMES, NotSent("busy"), CRASH, CRASH, NOT_YET]),
    st.sampled_from([None, None, Accepted("late"), NotSent("late")]),
)
"""Seconds passed, does the call begin, how long it takes, how it ends; what comes late, if any."""

STEPS_TAKEN = st.lists(STEPS, min_size=1, max_size=3)


@dataclass
class Expected:
    """A message as the model has it; instants in microseconds."""

    seq: int
    priority: int
    enqueued_at: int
    send_at: int | None
    expires_at: int | None
    hold: bool
    state: str = "queued"
    retry_at: int = 0
    attempts: int = 0
    failures: int = 0
    unresolved: bool = False
    cancel_requested: bool = False
    batch: str | None = None

    @property
    def due_at(self) -> int:
        return max(self.enqueued_at, self.send_at or 0)


@dataclass
class Flight:
    """A call in flight."""

    claim: Claim
    message: Expected
    called_at: int | None
    """None: claimed, and not begun."""
    number: int


class QueueMachine(RuleBasedStateMachine):
    wait_for_a_set_wall = PACE
    """What it costs to open a database whose wall was set, though somebody watched."""

    def make(self) -> None:
        """Make a database that is ready: migrating for each example would take half the time."""
        shutil.copy(_template(), Path(self.folder.name) / "queue.db")

    def unmake(self) -> None:
        """Take it away."""

    @initialize()
    def open(self) -> None:
        self.folder = TemporaryDirectory(dir=RAM_DISK if RAM_DISK.exists() else None)
        self.make()
        self.clock = hand.HandClock()
        self.store = self._open()
        self.dispatchers = 0
        self.messages: list[Expected] = []
        self.flight: Flight | None = None
        self.lost: list[Flight] = []
        self.paused = False
        self.paced_until = self.closed_until = 0
        self.last_called_at: int | None = None
        self.batches: list[str] = []
        self.noted_step = 0
        self._join()

    # What happens

    # One rule: with one for each thing, whole examples go by in which nobody enqueues, or calls.
    @rule(drafts=st.lists(DRAFTS, max_size=2), steps=STEPS_TAKEN, data=st.data())
    def go_on(self, drafts: list[Drafted], steps: list[Step], data: st.DataObject) -> None:
        """Messages come, calls begin and end or never do, and a person presses something."""
        self._enqueue(drafts)
        for step in steps:
            self._step(step)
            self.the_database_holds_what_the_model_holds()
        if self.messages:
            self._press(data)

    def _enqueue(self, drafts: list[Drafted]) -> None:
        wall = self.clock.wall_us()
        for priority, send_in, lives_for, on_unknown in drafts:
            seq = len(self.messages) + 1
            send_at = None if send_in is None else wall + send_in * SECOND
            expires_at = None if lives_for is None else (send_at or wall) + lives_for * SECOND
            hold = on_unknown == "hold"
            self.messages.append(Expected(seq, priority, wall, send_at, expires_at, hold))
            new = hand.new(seq, wall, priority=priority, on_unknown=on_unknown)
            hand.put(self.store, replace(new, send_at=send_at, expires_at=expires_at))

    def _step(self, step: Step) -> None:
        waits, begins, takes, outcome, late = step
        self._advance(waits)
        if self.flight is None:
            self._look(begins=begins)
            self._advance(takes)
        if late is not None and self.lost:
            self._hear_late(late)
        if self.flight is not None and outcome == CRASH:
            self._crash()
        elif self.flight is not None and not isinstance(outcome, str):
            self._answer(outcome)

    def _advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.me = hand.beat(self.store, self.name)

    def _look(self, *, begins: bool) -> None:
        self._expire()
        expected = self._next()

        decided = hand.take(self.store, self.me)

        claimed = [claim.lease.message_seq for claim in decided.claims]
        assert claimed == ([] if expected is None else [expected.seq])
        if expected is None:
            return
        (claim,) = decided.claims
        expected.state = "sending"
        called_at = None
        if begins:
            assert hand.begin(self.store, claim) == [claim]
            called_at = self.store.steady()
            expected.attempts += 1
        self.flight = Flight(claim, expected, called_at, expected.attempts)

    def _answer(self, outcome: Outcome) -> None:
        flight, self.flight = self.flight, None
        assert flight is not None
        now = self.store.steady()
        if flight.called_at is None:
            outcome = NotCalled("never begun")
        called_at = None if isinstance(outcome, NotCalled) else flight.called_at
        self._turn(Ended(flight.claim, outcome, called_at, now))
        if called_at is not None:
            self._called(called_at)
            self.paced_until = max(self.paced_until, called_at + PACE)
        self._effect(flight.message, outcome, now)

    def _crash(self) -> None:
        flight, self.flight = self.flight, None
        assert flight is not None
        self.clock.advance(16)
        self._join()
        self._turn()
        call_by, now = flight.claim.lease.call_by, self.store.steady()
        if flight.called_at is None and flight.message.state == "sending":
            self._effect(flight.message, NotCalled("never begun"), now)
            return
        self.paced_until = max(self.paced_until, call_by + PACE)
        if flight.called_at is not None:
            self._called(flight.called_at)
            self.lost.append(flight)
        self._effect(flight.message, Unknown("died"), now)

    def _hear_late(self, outcome: Outcome) -> None:
        flight = self.lost.pop()
        message = flight.message
        self._turn(Ended(flight.claim, outcome, flight.called_at, self.store.steady()))
        accepted = isinstance(outcome, Accepted) and message.attempts == flight.number
        if accepted and message.state != "sent":
            message.state, message.unresolved, message.batch = "sent", False, None
        self._expire()

    def _press(self, data: st.DataObject) -> None:
        buttons: list[Callable[[], object]] = [
            lambda: self._cancel(data.draw(st.sampled_from(self.messages))),
            lambda: self._resolve(data.draw(st.sampled_from(control.Resolution))),
            lambda: self._set_the_wall(data.draw(st.sampled_from([-1, 1]))),
            self._clear,
            self._restore,
            self._restore,
            self._retry,
            self._retry,
            self._restart,
            self._pause_or_resume,
            self._resume,
        ]
        pressed = data.draw(st.integers(0, 2 * len(buttons)), label="button")
        if pressed < len(buttons):
            buttons[pressed]()

    def _set_the_wall(self, hours: int) -> None:
        self.clock.wall_step_us += hours * HOUR_S * SECOND

    def _cancel(self, message: Expected) -> None:
        self._change(
            Filter(ids=(f"m{message.seq}",), states=(State.QUEUED, State.SENDING)),
            lambda one: control.cancel(one, "cancelled"),
        )
        if message.state == "queued":
            message.state = "unknown" if message.unresolved else "cancelled"
        elif message.state == "sending":
            message.cancel_requested = True

    def _clear(self) -> None:
        batch = f"batch {len(self.batches)}"
        self.batches.append(batch)
        which = Filter(states=(State.QUEUED,))
        self._change(which, lambda one: control.cancel(one, "cleared"), batch)
        for message in self.messages:
            if message.state == "queued":
                message.state = "unknown" if message.unresolved else "cancelled"
                message.batch = batch

    def _restore(self) -> None:
        if not self.batches:
            return
        batch = self.batches.pop()
        self._change(Filter(batch=batch, states=(State.CANCELLED,)), control.restore)
        for message in self.messages:
            if message.batch == batch and message.state == "cancelled":
                message.state, message.retry_at, message.batch = "queued", 0, None

    def _retry(self) -> None:
        now = self.store.steady()
        which = Filter(states=(State.FAILED, State.EXPIRED))
        self._change(which, lambda one: control.retry(one, now))
        for message in self.messages:
            if message.state in ("failed", "expired"):
                message.state, message.failures, message.retry_at = "queued", 0, 0
                message.cancel_requested = False
                if message.expires_at is not None and message.expires_at <= self.clock.wall_us():
                    message.expires_at = None

    def _resolve(self, resolution: control.Resolution) -> None:
        which = Filter(states=(State.UNKNOWN,))
        self._change(which, lambda one: control.resolve(one, resolution))
        states = {"sent": "sent", "resend": "queued", "drop": "cancelled"}
        for message in self.messages:
            if message.state == "unknown":
                message.state, message.unresolved = states[resolution], False
                message.batch = None
                if resolution == "resend":
                    message.failures = message.retry_at = 0
                    message.cancel_requested = False

    def _pause_or_resume(self) -> None:
        self.paused = not self.paused
        if self.paused:
            self._change_lane(lambda lane, now: control.pause(lane, "a moment", now))
        else:
            self._change_lane(lambda lane, _: control.resume(lane))

    def _resume(self) -> None:
        if self.paused:
            self._pause_or_resume()

    def _restart(self) -> None:
        if self.flight is not None:
            return
        self.store.close()
        self.store = self._open()
        if self.clock.wall_step_us != self.noted_step:
            self.noted_step = self.clock.wall_step_us
            waits_until = self.store.steady() + self.wait_for_a_set_wall
            self.paced_until = max(self.paced_until, waits_until)

    # What must hold

    @invariant()
    def the_database_holds_what_the_model_holds(self) -> None:
        if not hasattr(self, "store"):
            return
        held = hand.rows(self.store, HELD)
        assert held == [(m.seq, m.state, m.attempts, m.failures) for m in self.messages]

    @invariant()
    def never_two_calls_are_in_flight(self) -> None:
        if hasattr(self, "store"):
            assert Counter(m.state for m in self.messages)["sending"] <= 1

    def teardown(self) -> None:
        if not hasattr(self, "store"):
            return
        if self.flight is not None:
            self._answer(Accepted("g"))
        self._resume()
        self.clock.advance(3 * HOUR_S)
        self._join()
        for _ in range(len(self.messages) + 1):
            self._look(begins=True)
            if self.flight is not None:
                self._answer(Accepted("g"))
            self._advance(45)
        self.the_database_holds_what_the_model_holds()
        later = self.clock.wall_us()
        left = [m for m in self.messages if m.state in ("queued", "sending")]
        assert all((m.send_at or 0) > later for m in left)
        self.store.close()
        self.unmake()
        self.folder.cleanup()

    # The model's rules

    def _next(self) -> Expected | None:
        """Of what is due, the highest priority, and in it the first due."""
        now, wall = self.store.steady(), self.clock.wall_us()
        if self.paused or now < max(self.paced_until, self.closed_until):
            return None
        due = [m for m in self.messages if m.state == "queued" and m.retry_at <= now]
        at_once = sorted((m.priority, m.seq) for m in due if m.send_at is None)
        scheduled = sorted(
            (m.priority, m.send_at, m.seq)
            for m in due
            if m.send_at is not None and m.send_at <= wall
        )
        heads = [self.messages[place[0][-1] - 1] for place in (at_once, scheduled) if place]
        return min(heads, key=lambda m: (m.priority, m.due_at, m.seq), default=None)

    def _effect(self, message: Expected, outcome: Outcome, now: int) -> None:
        if message.state == "sending":  # Else a late acceptance has settled it meanwhile.
            message.batch = None
            self._settle(message, outcome, now)
        self._expire()

    def _settle(self, message: Expected, outcome: Outcome, now: int) -> None:
        match outcome:
            case Accepted():
                message.state, message.unresolved = "sent", False
            case Rejected():
                message.state = "unknown" if message.unresolved else "failed"
            case NotSent():
                message.failures += 1
                self._fail(message, now)
            case Unknown():
                again = not (message.unresolved or message.hold or message.cancel_requested)
                message.state, message.unresolved = "unknown", True
                if again:
                    self._back_off(message, now, BACKOFF)
            case Refused():
                self.closed_until = max(self.closed_until, now + 25 * SECOND)
                self._release(message)
            case _:
                self._release(message)

    def _fail(self, message: Expected, now: int) -> None:
        if message.cancel_requested:
            self._release(message)
        elif message.failures >= MAX_ATTEMPTS:
            message.state = "unknown" if message.unresolved else "failed"
        else:
            self._back_off(message, now, BACKOFF << (message.failures - 1))

    def _release(self, message: Expected) -> None:
        message.retry_at = 0
        if not message.cancel_requested:
            message.state = "queued"
        else:
            message.state = "unknown" if message.unresolved else "cancelled"

    def _back_off(self, message: Expected, now: int, at_most: int) -> None:
        """Chance decides when it is due again; the bound is the model's."""
        message.state = "queued"
        query = f"SELECT retry_at FROM waq_message WHERE seq = {message.seq}"
        ((message.retry_at,),) = hand.rows(self.store, query)
        assert now <= message.retry_at <= now + at_most

    def _expire(self) -> None:
        """End all that has expired, in the database as the housekeeping does it."""
        wall = self.clock.wall_us()
        self.store.write(lambda connection: controls.expire_due(connection, self.store.now()))
        for message in self.messages:
            if message.state != "queued" or message.expires_at is None:
                continue
            if message.expires_at <= wall:
                message.state = "unknown" if message.unresolved else "expired"

    def _called(self, at: int) -> None:
        """Judge the pace by the clock that nobody can set; the offset is the same all along."""
        if self.last_called_at is not None:
            assert at - self.last_called_at >= PACE
        self.last_called_at = at

    # The machinery

    def _open(self) -> Store:
        fleet = hand.senders(
            pace_us=PACE,
            backoff_base_us=BACKOFF,
            max_attempts=MAX_ATTEMPTS,
            breaker_threshold=1_000_000,  # Its own tests have it.
        )
        return hand.open_store(Path(self.folder.name), self.clock, fleet)

    def _join(self) -> None:
        self.dispatchers += 1
        self.name = f"d{self.dispatchers}"
        self.me = hand.join(self.store, self.name)

    def _turn(self, *ended: Ended) -> None:
        """A turn that begins nothing, since there is no room."""
        assert hand.take(self.store, self.me, *ended, room=0).claims == []

    def _change(self, which: Filter, how: Controlled, batch: str | None = None) -> None:
        self.store.write(
            lambda connection: controls.change(
                connection,
                which,
                lambda message, _: how(message),
                self.store.now(),
                said=Happening("test", "change"),
                to_seq=2**62,
                batch=batch,
            )
        )

    def _change_lane(self, how: LaneControlled) -> None:
        self.store.write(
            lambda connection: controls.change_lanes(
                connection,
                [hand.SENDER],
                lambda lane, now: how(lane, now.steady),
                self.store.now(),
                Happening("test", "lane"),
            )
        )


_made: list[TemporaryDirectory[str]] = []


def _template() -> Path:
    """A database that is ready: migrating for each example would take half the time."""
    if not _made:
        _made.append(TemporaryDirectory())
        hand.open_store(Path(_made[0].name)).close()
    return Path(_made[0].name) / "queue.db"


class ServersMachine(QueueMachine):
    """The same on a server, which keeps its steady time by itself where it is watched."""

    wait_for_a_set_wall = 0
    running: Postgres

    def make(self) -> None:
        self.database = self.running.database(READY)
        (Path(self.folder.name) / NOTE).write_text(self.database.__enter__())

    def unmake(self) -> None:
        self.database.__exit__(None, None, None)


FEWER = 1_000 if EXHAUSTIVE in os.environ else 25
"""Examples on a server, where each takes some three times as long."""

SETTINGS = settings(
    max_examples=1_000 if EXHAUSTIVE in os.environ else 60,
    stateful_step_count=30 if EXHAUSTIVE in os.environ else 15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

TestQueueMachine = QueueMachine.TestCase
TestQueueMachine.settings = SETTINGS


def test_any_sequence_on_a_server(postgres: Postgres) -> None:
    machine = type("OnThisServer", (ServersMachine,), {"running": postgres})

    run_state_machine_as_test(machine, settings=settings(SETTINGS, max_examples=FEWER))
