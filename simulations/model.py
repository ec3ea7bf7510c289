"""The model: lanes whose every decision is a call of `waqcore.core`, driven by SimPy.

A lane pumps the core on every input and arms one timer; nothing here decides. At equal instants the
order is the core's: outcomes, then arrivals, then controls, then decisions.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from simulations.clockwork import Clockwork, Happening, Rank
from simulations.lane import ModelLane
from simulations.run import Recorder, Run
from simulations.workload import Arrivals, Messages, Workload
from waqcore.core import settle as core
from waqcore.core.instants import DAY
from waqcore.core.lane import Lane
from waqcore.core.message import Message
from waqcore.core.outcome import Outcome, ProbeResult, Scope
from waqcore.core.policy import Policy, Sender


class Gateway(Protocol):
    """How a gateway behaves; both answers come with how long they take, 1 microsecond or more."""

    def call(self, seq: int, attempt: int, sender: int, at: int) -> tuple[Outcome, int]:
        """The outcome of a message's call that starts at an instant; `attempt` is 1 for its
        first."""

    def probe(self, sender: int, at: int) -> tuple[ProbeResult, int]:
        """The answer to a probe that starts at an instant."""


class Delays(Protocol):
    """What a dispatcher takes for itself, in microseconds."""

    def before(self, sender: int, nth: int, cut: int) -> tuple[int, int]:
        """For a lane's nth call, 0 for its first: from the instant its lane would let something go
        to the dispatcher's decision, and from that to the call's start. `cut` is how often
        something, such as a pause, has come before that decision."""


class Press(NamedTuple):
    """Something a person or the machine does to lanes at an instant."""

    at: int
    act: Callable[["Model"], None]


class Start(NamedTuple):
    """How things stand when a simulation begins."""

    lanes: Mapping[str, Lane] = {}
    """By sender; one without is new."""
    messages: Mapping[int, Message] = {}
    """By row of the workload: messages that have been called, or are being sent."""


ANEW = Start()
"""Nothing has happened yet."""

Watcher = Callable[["ModelLane", int, int], None]
"""Told of each arrival, with its lane, its sequence number and its instant, once it is queued."""


class Model:
    """Lanes, the gateway they call, and the accounts they share."""

    def __init__(
        self,
        senders: Sequence[Sender],
        gateway: Gateway,
        recorder: Recorder,
        given: Workload,
        *,
        seed: int,
        starts_at: int,
        start: Start,
        utc_offset_us: int,
        delays: Delays | None,
    ) -> None:
        self.env = Clockwork(initial_time=starts_at)
        self.gateway = gateway
        self.delays = delays
        self.recorder = recorder
        self.seed = seed
        self.running = True
        messages = Messages(given, start.messages)
        self.lanes = [
            ModelLane(self, n, sender, Arrivals(messages, seqs), start.lanes.get(sender.number))
            for n, (sender, seqs) in enumerate(zip(senders, messages.by_sender(), strict=True))
        ]
        self._utc_offset_us = utc_offset_us
        self._by_account: dict[str, list[ModelLane]] = {}
        for lane in self.lanes:
            self._by_account.setdefault(lane.sender.account, []).append(lane)
        self._probing: list[tuple[ModelLane, Scope]] = []

    def midnight(self, now: int) -> int:
        """When the present local day began."""
        return now - (now + self._utc_offset_us) % DAY

    def lane_of(self, sender: str) -> ModelLane:
        """The lane of a sender."""
        return next(lane for lane in self.lanes if lane.sender.number == sender)

    # Accounts

    def share(self, source: ModelLane, outcome: Outcome | ProbeResult) -> None:
        """Let the other lanes of an account know; one trouble there is one event."""
        now = self.env.now
        for other in self._by_account[source.sender.account]:
            if other is not source:
                other.lane = core.share(
                    other.lane, outcome, now, other.sender.policy, source=source.lane
                )
                other.ask()

    def probe(self, lane: ModelLane, scope: Scope) -> None:
        """Probe for a lane, together with those of its account that ask at this instant."""
        if not self._probing:
            Happening(self.env, 0, Rank.PROBE, self._probe_all)
        self._probing.append((lane, scope))

    def _probe_all(self, _: object) -> None:
        asked, self._probing = self._probing, []
        groups: dict[str, list[ModelLane]] = {}
        for lane, scope in asked:
            key = lane.sender.account if scope is Scope.ACCOUNT else f"lane {lane.index}"
            groups.setdefault(key, []).append(lane)
        for lanes in groups.values():
            result, latency = self.gateway.probe(lanes[0].index, self.env.now)
            self._probe_over_later(lanes, result, latency)

    def _probe_over_later(self, lanes: list[ModelLane], result: ProbeResult, latency: int) -> None:
        def over(_: object) -> None:
            if self.running:
                self._probed(lanes, result)

        Happening(self.env, latency, Rank.PROBED, over)

    def _probed(self, lanes: list[ModelLane], result: ProbeResult) -> None:
        now = self.env.now
        for n, one in enumerate(lanes):
            before, policy = one.lane, one.sender.policy
            answered = core.probed if n == 0 else core.probed_for
            one.lane = answered(before, result, now, policy)
            alert = core.held_alert(before, one.lane)
            if alert is not None and n == 0:
                reason = getattr(result, "reason", "the gateway answers again")
                self.recorder.lane_event(now, one.sender.number, alert, reason)
        if getattr(result, "scope", Scope.ACCOUNT) is Scope.ACCOUNT:
            self.share(lanes[0], result)
        for one in lanes:
            one.ask()

    # The dispatcher

    def stop(self) -> None:
        """End the dispatcher as SIGTERM does: calls in flight end, no other begins."""
        self.running = False

    def crash(self) -> None:
        """End it as kill -9 does."""
        self.running = False
        for lane in self.lanes:
            lane.crash()

    def start(self) -> None:
        """Start a dispatcher on the same host: it knows that a former one is dead."""
        self.running = True
        for lane in self.lanes:
            lane.bury()
            lane.ask()


def simulate(
    given: Workload,
    gateway: Gateway,
    senders: Sequence[Sender] | Mapping[str, Policy],
    *,
    seed: int = 0,
    presses: Sequence[Press] = (),
    starts_at: int | None = None,
    start: Start = ANEW,
    until: int | None = None,
    utc_offset_us: int = 0,
    watcher: Watcher | None = None,
    delays: Delays | None = None,
) -> Run:
    """Run a workload to its end, or to the instant `until`, from its first arrival, or `starts_at`.

    `seed` fixes the chance of backoff and jitter, as a dispatcher's own seed does. `utc_offset_us`
    is what quiet hours' local time is ahead of UTC. A `watcher` costs an event an arrival.
    `delays` are the dispatcher's own; None: it takes no time.

    Raises:
        ValueError: the workload names a sender there is not.
    """
    if isinstance(senders, Mapping):
        senders = [Sender(number, "default", policy) for number, policy in senders.items()]
    if tuple(sender.number for sender in senders) != given.senders:
        raise ValueError(f"the workload is for {given.senders}, not for the senders given")
    if starts_at is None:
        starts_at = int(given.at[0]) if len(given) else 0
    recorder = Recorder(given, starts_at)
    model = Model(
        senders,
        gateway,
        recorder,
        given,
        seed=seed,
        starts_at=starts_at,
        start=start,
        utc_offset_us=utc_offset_us,
        delays=delays,
    )
    for press in presses:
        Happening(model.env, press.at - starts_at, Rank.CONTROL, partial(_act, press, model))
    if watcher is not None:
        _watch(model, watcher, given)
    for lane in model.lanes:
        lane.begin(start.messages)
    if until is None:
        model.env.run()
    else:
        model.env.run(until=until)
    return recorder.finished(model.env.now)


def _act(press: Press, model: Model, _: object) -> None:
    press.act(model)


def _watch(model: Model, watcher: Watcher, given: Workload) -> None:
    """Spend an event on every arrival, so that somebody can look at its very instant."""
    for seq, (at, sender) in enumerate(zip(given.at.tolist(), given.sender.tolist(), strict=True)):
        lane = model.lanes[sender]

        def look(_: object, lane: ModelLane = lane, seq: int = seq, at: int = at) -> None:
            lane.take_in(at)
            watcher(lane, seq, at)

        Happening(model.env, at - model.env.now, Rank.CONTROL, look)
