"""One lane of the model: it pumps the core on every input, arms one timer, and decides nothing."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from simulations.clockwork import Happening, Rank
from simulations.waiting import LaneQueue
from simulations.workload import Arrivals
from waqcore.core import control, schedule
from waqcore.core import settle as core
from waqcore.core.chance import NO_CHANCE, chance
from waqcore.core.instants import NEVER
from waqcore.core.lane import Lane, Lease
from waqcore.core.message import Message
from waqcore.core.outcome import Outcome, Refused, Scope, SenderDown, Unknown, Unreachable
from waqcore.core.policy import Policy, Sender
from waqcore.core.schedule import Expire, Idle, Probe, Send, TakeOver, Wait, Waiting

if TYPE_CHECKING:
    from simulations.model import Model

HOLDER = "simulation"


class _InFlight(msgspec.Struct, frozen=True):
    message: Message
    called_at: int
    outcome: Outcome
    over: Happening | None
    """None: its dispatcher has died, and nobody will hear the answer."""


class ModelLane:
    """One sender's lane, its queue, and the timer of its next decision.

    What arrives is taken in when the lane decides: no event of its own is spent on it while the
    pace, or a call in flight, would hold it up anyway.
    """

    def __init__(
        self, model: "Model", index: int, sender: Sender, arrivals: Arrivals, lane: Lane | None
    ) -> None:
        """`lane`: as it stands; None: it is new."""
        self.index = index
        self.sender = sender
        self.lane = Lane(sender.number) if lane is None else lane
        self.queue = LaneQueue()
        self.in_flight: _InFlight | None = None
        self._model = model
        self._env = model.env
        self._policy: Policy = sender.policy
        self._arrivals = arrivals
        self._timer: Happening | None = None
        self._timer_at = NEVER
        self._wake_at = NEVER
        self._asked = False
        self._turn_at: int | None = None
        """When the dispatcher, which takes its time, gets to what the lane would let go; None: the
        lane would let nothing go when it was last asked."""
        self._calls = 0
        self._turns_cut = 0
        """Since the last call: the lane was held before the dispatcher got to it."""

    def begin(self, standing: Mapping[int, Message]) -> None:
        """Take the first look; a call in flight is heard of as if it had begun just now."""
        lease = self.lane.lease
        if lease is not None:
            message = standing[lease.message_seq]
            self.lane = self.lane._replace(lease=lease._replace(until=NEVER))
            self._hear_later(message, lease.claimed_at, self._env.now)
        self.ask()

    def ask(self) -> None:
        """Decide once everything else of this instant has happened, if a dispatcher is there."""
        if self._model.running:
            self._soon()

    def _soon(self) -> None:
        if self._asked:
            return
        if self._env.peek() > self._env.now:
            self._decide()
            self._arm()
        else:
            self._asked = True
            Happening(self._env, 0, _DECISION, self._on_ask)

    def _on_ask(self, _: object) -> None:
        self._asked = False
        self._decide()
        self._go_on()

    def _on_timer(self, event: object) -> None:
        if event is self._timer:
            self._timer, self._timer_at = None, NEVER
            if self._model.running:
                self._decide()
                self._go_on()

    def _go_on(self) -> None:
        """Decide again when it is time to: at once, where nothing else happens before.

        Only for the last that is done at an instant: the clock may be another afterwards.
        """
        while self._model.running and self._env.skip_to(self._wake_at):
            self._decide()
        self._arm()

    def _arm(self) -> None:
        """Arm the timer for the next decision."""
        until = self._wake_at
        if until >= NEVER or until == self._timer_at:
            return
        self._timer_at = until
        env = self._env
        self._timer = Happening(env, until - env.now, _DECISION, self._on_timer)

    def _wait(self, until: int) -> None:
        """Decide again then; at the next arrival, where that comes first and may change anything.

        While the pace holds it cannot, but for a gather: that counts from when a lane fell idle,
        which a look finds out.
        """
        if self._turn_at is not None:
            self._turn_at = None
            self._turns_cut += 1
        if until > self.lane.paced_until or self._policy.gather_us:
            until = min(until, self._arrivals.next_at)
        self._wake_at = until

    def take_in(self, now: int) -> None:
        """Queue what has arrived by now."""
        if self._arrivals.next_at <= now:
            self._arrivals.take_in(self.queue, now)

    def _decide(self) -> None:
        now = self._env.now
        self._wake_at = NEVER
        while self._obey(now):
            pass

    def _obey(self, now: int) -> bool:
        """Do what the core says; True if it must be asked again at once."""
        if self._arrivals.next_at <= now:
            self._arrivals.take_in(self.queue, now)
        waiting = self._waiting(now)
        self.lane = lane = schedule.arrive(self.lane, waiting, now, self._policy)
        match schedule.next_step(lane, waiting, now, self._policy):
            case Send(message):
                self._send(message, now)
            case Wait(until):
                self._wait(until)
            case Idle():
                self._wait(NEVER)
            case Expire(expired):
                return self._expire(expired, now)
            case TakeOver(lease):
                return self._take_over(lease, now)
            case Probe():
                self.lane = schedule.probing(lane, now, self._policy)
                self._model.probe(self, lane.trouble.scope)
                self._wait(self.lane.trouble.probe_at)
        return False

    def _expire(self, expired: Sequence[Message], now: int) -> bool:
        for message in expired:
            self.queue.take(message)
            self._settled(core.expired(self.lane, message), now)
        return True

    def _take_over(self, lease: Lease, now: int) -> bool:
        lost, self.in_flight = self.in_flight, None
        assert lost is not None, "a lease without its message"
        message = lost.message
        settled = core.take_over(
            self.lane,
            message,
            lease,
            called=True,
            now=now,
            u=chance(self._model.seed, message.id, message.attempts),
            policy=self._policy,
        )
        outcome = Unknown(settled.message.reason)
        self._model.recorder.attempt(message, self.index, lost.called_at, now, outcome)
        self._settled(settled, now)
        return True

    def _waiting(self, now: int) -> Waiting:
        if self.lane.lease is not None:
            return _NOTHING
        heads = self.queue.heads(now)
        quiet = self._policy.quiet
        if quiet is None:
            return Waiting(heads, NEVER if heads else self.queue.next_due_at())
        until = schedule.quiet_until(quiet, now, self._model.midnight(now))
        return Waiting(heads, self.queue.next_due_at(), until)

    def _send(self, message: Message, now: int) -> None:
        """Call for a message, or for what is first by the time the dispatcher gets to it."""
        delays = self._model.delays
        if delays is None:
            self._call(message, now, now)
            return
        turn_us, start_us = delays.before(self.index, self._calls, self._turns_cut)
        if self._turn_at is None:
            self._turn_at = now + turn_us
        if now < self._turn_at:
            self._wake_at = self._turn_at
            return
        self._turn_at, self._turns_cut = None, 0
        self._calls += 1
        self._call(message, now, now + start_us)

    def _call(self, message: Message, now: int, called_at: int) -> None:
        if not self._model.running:
            return
        self.queue.take(message)
        self.lane, leased = schedule.claim(
            self.lane,
            message,
            now,
            token=HOLDER,
            holder=HOLDER,
            until=NEVER,  # Its dispatcher lives, and renews it.
            policy=self._policy,
        )
        self._hear_later(leased.begun(), called_at, now)

    def _hear_later(self, message: Message, called_at: int, now: int) -> None:
        seq = message.seq
        leaves_at = called_at if called_at > now else now
        outcome, latency = self._model.gateway.call(seq, message.attempts, self.index, leaves_at)
        if latency <= 0:
            raise ValueError(f"a call takes time: the gateway's latency was {latency} µs")
        over = Happening(self._env, leaves_at - now + latency, _OUTCOME + seq, self._answered)
        self.in_flight = _InFlight(message, called_at, outcome, over)

    def _answered(self, event: object) -> None:
        in_flight = self.in_flight
        if in_flight is None or in_flight.over is not event:
            return  # Its dispatcher died meanwhile.
        self.in_flight = None
        now = self._env.now
        self._over(in_flight.message, in_flight.outcome, in_flight.called_at, now)
        lane = self.lane
        calm = lane.pause is None and not lane.trouble.open and not self._policy.gather_us
        if calm and lane.paced_until > now:
            self._wait(lane.paced_until)  # Till then the core lets nothing go: it is asked then.
            self._go_on()
        else:
            self._soon()  # A dispatcher that stops settles, and drives its lane, but calls no more.

    def _over(self, message: Message, outcome: Outcome, called_at: int, now: int) -> None:
        model, policy = self._model, self._policy
        draws = core.draws(outcome, policy)
        settled = core.settle(
            self.lane,
            message,
            outcome,
            called_at=called_at,
            now=now,
            u=chance(model.seed, message.id, message.attempts) if draws else NO_CHANCE,
            policy=policy,
        )
        model.recorder.attempt(message, self.index, called_at, now, outcome)
        self._settled(settled, now)
        if type(outcome) in _SCOPED and outcome.scope is Scope.ACCOUNT:  # type: ignore[union-attr]
            model.share(self, outcome)

    def _settled(self, settled: core.Settled, now: int) -> None:
        self.lane = settled.lane
        message = settled.message
        if message.state == "queued":
            self.queue.put_back(message, now)
        else:
            self._model.recorder.ended(message, now)
        for alert in settled.alerts:
            about = message.reason
            if alert in (core.Alert.MESSAGE_FAILED, core.Alert.MESSAGE_UNKNOWN):
                about = f"{message.id}: {about}"
            self._model.recorder.lane_event(now, self.sender.number, alert, about)

    # What people press, and what befalls the dispatcher

    def change(self, how: Callable[[Lane], Lane], event: str, detail: str = "") -> None:
        """Apply a control to the lane."""
        self.take_in(self._env.now)
        self.lane = how(self.lane)
        self._model.recorder.lane_event(self._env.now, self.sender.number, event, detail)
        self.ask()

    def cancel(self, seq: int, reason: str) -> None:
        """Cancel a message, queued or being sent; one that has ended stays as it is."""
        self.take_in(self._env.now)
        in_flight = self.in_flight
        if in_flight is not None and in_flight.message.seq == seq:
            message = control.cancel(in_flight.message, reason)
            self.in_flight = replace(in_flight, message=message)
            return
        message_or_none = self.queue.remove(seq)
        if message_or_none is not None:
            self._model.recorder.ended(control.cancel(message_or_none, reason), self._env.now)
            self.ask()

    def crash(self) -> None:
        """Lose the call in flight: nobody hears its answer."""
        if self.in_flight is not None and self.in_flight.over is not None:
            self.in_flight = replace(self.in_flight, over=None)

    def bury(self) -> None:
        """Its holder is known to be dead: whoever looks next takes over."""
        if self.lane.lease is not None and self.in_flight is not None:
            self.lane = self.lane._replace(lease=self.lane.lease._replace(until=0))


_DECISION, _OUTCOME = int(Rank.DECISION), int(Rank.OUTCOME)
"""By name, an enum's member takes 70 ns to look up: each of these once a message."""
_NOTHING = Waiting()
_SCOPED = (Refused, Unreachable, SenderDown)
