"""One turn of the dispatcher in one transaction: settle what ended, then decide what comes next.

The order at equal instants is the core's: outcomes first, then whatever has arrived by then, then
the decision. Every decision is the core's; this file only fetches what it needs and stores what it
says.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from waqcore.clock import Now
from waqcore.core import schedule
from waqcore.core import settle as core
from waqcore.core.chance import chance
from waqcore.core.instants import NEVER
from waqcore.core.lane import Lane, Lease
from waqcore.core.message import State
from waqcore.core.outcome import Healthy, NotSent, Outcome, ProbeResult, Scope, Unknown
from waqcore.core.policy import Sender
from waqcore.core.schedule import Expire, Idle, Probe, Send, TakeOver, Wait, Waiting
from waqcore.core.settle import Alert
from waqcore.store import attempts, events, exclusive, lanes, messages
from waqcore.store.attempts import Claim, Ended
from waqcore.store.messages import Change, Stored

SKIPPED_US = 50_000
"""How soon a lane is looked at again that another dispatcher had at that moment."""

ROUNDS_MAX = 20
"""Expiries and takeovers of one lane in one transaction; a lane with more is asked again in the
next, so that the write lock is never held for long."""


class Holder(NamedTuple):
    """The dispatcher that takes this turn."""

    id: str
    lease_until: int
    """When it is dead unless heard of again."""


class Probed(NamedTuple):
    """A probe that is over."""

    senders: tuple[str, ...]
    """The lanes it was made for."""
    result: ProbeResult


class Turn(NamedTuple):
    """What a dispatcher asks of one transaction."""

    me: Holder
    senders: Collection[str]
    """The lanes to decide for, besides those of what ended."""
    ended: Sequence[Ended] = ()
    probed: Sequence[Probed] = ()
    room: int = 1_000
    """How many messages may be claimed."""
    mine: Collection[str] | None = None
    """The leases it knows it holds, by token. One that is not among them was claimed by a turn
    whose commit it never heard of: nobody will call for it. None: it knows all there are."""


class Notice(NamedTuple):
    """Something a person should hear of, once."""

    alert: Alert
    sender: str
    detail: str


class Heard(NamedTuple):
    """A call that is over, as forecasts are told of it."""

    sender: str
    held_us: int
    """How long the lane was held from the call's start: the pace, and what came on top."""
    failed: bool
    """It failed, and its message came back."""


class Decided(NamedTuple):
    """What to do now, and when to ask again."""

    claims: list[Claim]
    probes: list[tuple[str, Scope]]
    """The lanes to probe for, and how far the trouble of each reaches."""
    waits: dict[str, int]
    """The instant, on the steady axis, at which each lane wants the next look; NEVER: on news."""
    notices: list[Notice]
    heard: list[Heard]


def take(
    connection: Connection, turn: Turn, now: Now, senders: Mapping[str, Sender], seed: int
) -> Decided:
    """Take one turn."""
    return _Turn(connection, turn, now, senders, seed).take()


def _is_shared(what: Outcome | ProbeResult) -> bool:
    """Whether the other lanes of a gateway account are to know of it."""
    return isinstance(what, Healthy) or getattr(what, "scope", None) is Scope.ACCOUNT


def _heard(one: Ended) -> tuple[int, int]:
    return (one.finished_at, one.claim.lease.message_seq)


class _Turn:
    """The working set of one turn: read once, changed by the core, saved once."""

    def __init__(
        self, connection: Connection, turn: Turn, now: Now, senders: Mapping[str, Sender], seed: int
    ) -> None:
        self.connection = connection
        self.turn = turn
        self.now = now
        self.senders = senders
        self.seed = seed
        self.decided = Decided([], [], {}, [], [])
        self.changes: list[Change] = []
        self.shared: set[tuple[str, type]] = set()
        asked = dict.fromkeys(sender for sender in turn.senders if sender in senders)
        asked.update(dict.fromkeys(one.claim.stored.sender for one in turn.ended))
        asked.update(dict.fromkeys(sender for one in turn.probed for sender in one.senders))
        self._lock(asked)
        self.before = lanes.load(connection, asked, now)
        self.lanes = {sender: self._unless_lost(lane) for sender, lane in self.before.items()}
        self.asked = list(self.lanes)

    def _lock(self, asked: dict[str, None]) -> None:
        """Have the lanes to ourselves before they are read, where others may have them.

        Those of what ended are waited for, all of them first: whoever has got lanes without waiting
        waits for no more, so that no two wait for each other.
        """
        if not exclusive.several_write(self.connection):
            return
        certain = self._certain()
        lanes.lock(self.connection, certain)
        free = set(lanes.lock_free(self.connection, asked.keys() - certain))
        for sender in asked.keys() - certain - free:
            del asked[sender]
            self.decided.waits[sender] = self.now.steady + SKIPPED_US

    def _certain(self) -> set[str]:
        """The lanes that what ended is of, and those that hear of it."""
        certain = {one.claim.stored.sender for one in self.turn.ended}
        certain.update(sender for one in self.turn.probed for sender in one.senders)
        sharing = {
            one.claim.stored.sender for one in self.turn.ended if _is_shared(one.outcome)
        } | {one.senders[0] for one in self.turn.probed if _is_shared(one.result)}
        accounts = {self.senders[sender].account for sender in sharing}
        certain.update(one.number for one in self.senders.values() if one.account in accounts)
        return certain

    def take(self) -> Decided:
        self._settle()
        for one in self.turn.probed:
            self._probed(one)
        pending = self.asked
        for _ in range(ROUNDS_MAX):
            if pending:
                pending = self._decide(pending)
        self.decided.waits.update(dict.fromkeys(pending, self.now.steady))
        self._flush()
        changed = [lane for sender, lane in self.lanes.items() if lane is not self.before[sender]]
        lanes.save(self.connection, changed, self.now)
        notices = [
            events.Happening(self.turn.me.id, notice.alert, notice.sender, notice.detail)
            for notice in self.decided.notices
        ]
        events.record(self.connection, notices, self.now.wall)
        return self.decided

    def _unless_lost(self, lane: Lane) -> Lane:
        """The lane, its lease at an end where it is ours and we know nothing of it."""
        lease, mine = lane.lease, self.turn.mine
        lost = lease is not None and mine is not None and lease.holder == self.turn.me.id
        if lease is None or not lost or lease.token in (mine or ()):
            return lane
        return lane._replace(lease=lease._replace(until=self.now.steady))

    def _flush(self) -> None:
        """Save messages: before a look at the queue that is to see them where they now are, and in
        the end. In between it would be one more trip to a server."""
        messages.save(self.connection, self.changes, self.now)
        self.changes = []

    # Outcomes

    def _settle(self) -> None:
        # One order, in every driver, for lanes of one account that hear at one instant.
        ended = sorted(self.turn.ended, key=_heard)
        attempts.finish(self.connection, ended, self.now)
        seqs = [one.claim.lease.message_seq for one in ended]
        stored = messages.lock_by_seq(self.connection, seqs, self.now) if seqs else {}
        settled: set[int] = set()
        for one in ended:
            seq = one.claim.lease.message_seq
            if seq in settled:
                # Two calls of one message: the later sees what the first made of it.
                self._flush()
                stored.update(messages.by_seq(self.connection, [seq], self.now))
            if seq in stored:
                settled.add(seq)
                self._settle_one(one, stored[seq])

    def _settle_one(self, one: Ended, stored: Stored) -> None:
        sender, token = stored.sender, one.claim.lease.token
        lane = self.lanes[sender]
        held = lane.lease is not None and lane.lease.token == token
        if stored.lease_token != token or not held:
            self._settle_late(one, stored)
            if held:
                self.lanes[sender] = lane._replace(lease=None)
            return
        settled = core.settle(
            lane,
            stored.message,
            one.outcome,
            called_at=one.called_at,
            now=one.finished_at,
            u=chance(self.seed, stored.message.id, stored.message.attempts),
            policy=self.senders[sender].policy,
        )
        self._settled(stored, settled, provider_id=getattr(one.outcome, "provider_id", None))
        self._hear(one, settled)
        if _is_shared(one.outcome):
            self._share(sender, one.outcome)

    def _hear(self, one: Ended, settled: core.Settled) -> None:
        if one.called_at is None:
            return
        held_us = max(settled.lane.paced_until, one.finished_at) - one.called_at
        came_back = settled.message.state is State.QUEUED
        failed = came_back and isinstance(one.outcome, (NotSent, Unknown))
        self.decided.heard.append(Heard(settled.lane.sender, held_us, failed))

    def _settle_late(self, one: Ended, stored: Stored) -> None:
        late = core.settle_late(stored.message, one.claim.number, one.outcome)
        if late is not None:
            provider_id = getattr(one.outcome, "provider_id", None)
            self.changes.append(Change(stored, late, provider_id=provider_id))

    def _settled(
        self, stored: Stored, settled: core.Settled, provider_id: str | None = None
    ) -> None:
        self.lanes[stored.sender] = settled.lane
        self.changes.append(Change(stored, settled.message, provider_id=provider_id))
        for alert in settled.alerts:
            about_lane = alert in (Alert.LANE_PAUSED, Alert.BREAKER_OPENED, Alert.LANE_RECOVERED)
            detail = (
                settled.message.reason
                if about_lane
                else f"{stored.message.id}: {settled.message.reason}"
            )
            self.decided.notices.append(Notice(alert, stored.sender, detail))

    def _probed(self, one: Probed) -> None:
        for n, sender in enumerate(one.senders):
            before = self.lanes[sender]
            policy = self.senders[sender].policy
            answered = core.probed if n == 0 else core.probed_for
            after = answered(before, one.result, self.now.steady, policy)
            self.lanes[sender] = after
            alert = core.held_alert(before, after)
            if alert is not None and n == 0:  # One event, however many lanes share the probe.
                reason = getattr(one.result, "reason", "the gateway answers again")
                self.decided.notices.append(Notice(alert, sender, reason))
        if _is_shared(one.result):
            self._share(one.senders[0], one.result)

    def _share(self, sender: str, outcome: Outcome | ProbeResult) -> None:
        """Let the other lanes of a gateway account know; one trouble there is one event."""
        account = self.senders[sender].account
        if (account, type(outcome)) in self.shared:
            return
        self.shared.add((account, type(outcome)))
        others = [
            other.number
            for other in self.senders.values()
            if other.account == account and other.number != sender
        ]
        missing = [other for other in others if other not in self.lanes]
        if missing:
            loaded = lanes.load(self.connection, missing, self.now)
            self.before.update(loaded)
            self.lanes.update(loaded)
        steady, source = self.now.steady, self.lanes[sender]
        for other in others:
            lane, policy = self.lanes[other], self.senders[other].policy
            self.lanes[other] = core.share(lane, outcome, steady, policy, source=source)
            # Asked in a later turn: all lanes of an account at once would hold up the others.
            self.decided.waits[other] = steady

    # Decisions

    def _decide(self, pending: Sequence[str]) -> list[str]:
        """Decide for some lanes; returns those that must be asked again."""
        pending = [sender for sender in pending if not self._waits_for_its_slot(sender)]
        if not {change.before.sender for change in self.changes}.isdisjoint(pending):
            self._flush()
        heads = messages.heads(self.connection, self._callable(pending), self.now)
        waitings = {sender: self._waiting(sender, heads.get(sender, ())) for sender in pending}
        bare = [sender for sender, waiting in waitings.items() if self._looks_ahead(waiting)]
        next_due = messages.next_due(self.connection, bare, self.now) if bare else {}
        again: list[str] = []
        for sender, waiting in waitings.items():
            due_at = next_due.get(sender, NEVER)
            if self._obey(sender, waiting._replace(next_due_at=due_at), heads.get(sender, ())):
                again.append(sender)
        return again

    def _waits_for_its_slot(self, sender: str) -> bool:
        """Whether a lane has to wait for its slot, as it has after every call; it is asked again
        then. A look at what is queued was measured to take a third of the server's time for a call.
        """
        until = schedule.slot(self.lanes[sender], self.now.steady, self.senders[sender].policy)
        if until is not None:
            self.decided.waits[sender] = until
        return until is not None

    def _callable(self, pending: Sequence[str]) -> list[str]:
        """The lanes whose heads matter: with a call in flight nothing is decided by them."""
        return [sender for sender in pending if self.lanes[sender].lease is None]

    def _waiting(self, sender: str, stored: Sequence[Stored]) -> Waiting:
        quiet = self.senders[sender].policy.quiet
        until = schedule.quiet_until(quiet, self.now.steady, self.now.midnight)
        return Waiting(tuple(one.message for one in stored), NEVER, until)

    def _looks_ahead(self, waiting: Waiting) -> bool:
        return not waiting.heads or waiting.quiet_until > self.now.steady

    def _obey(self, sender: str, waiting: Waiting, stored: Sequence[Stored]) -> bool:
        """Do what the core says; True if it must be asked again at once."""
        policy, steady = self.senders[sender].policy, self.now.steady
        lane = schedule.arrive(self.lanes[sender], waiting, steady, policy)
        self.lanes[sender] = lane
        match schedule.next_step(lane, waiting, steady, policy):
            case Send(message):
                self._send(next(one for one in stored if one.message is message))
            case Expire(expired):
                gone = [one for one in stored if one.message in expired]
                for one in gone:
                    self._settled(one, core.expired(lane, one.message))
                return True
            case TakeOver(lease):
                self._take_over(lane, lease)
                return True
            case Probe():
                self.lanes[sender] = schedule.probing(lane, steady, policy)
                self.decided.probes.append((sender, lane.trouble.scope))
                self.decided.waits[sender] = self.lanes[sender].trouble.probe_at
            case Wait(until):
                self.decided.waits[sender] = until
            case Idle():
                self.decided.waits[sender] = NEVER
        return False

    def _send(self, stored: Stored) -> None:
        sender = stored.sender
        if len(self.decided.claims) >= self.turn.room:
            self.decided.waits[sender] = self.now.steady  # Asked again once there is room.
            return
        me, lane, policy = self.turn.me, self.lanes[sender], self.senders[sender].policy
        token = attempts.token(
            me.id,
            stored.message,
            ready_at=lane.ready_at(policy),
            claimed_at=self.now.steady,
        )
        lane, message = schedule.claim(
            lane,
            stored.message,
            self.now.steady,
            token=token,
            holder=me.id,
            until=me.lease_until,
            policy=policy,
        )
        assert lane.lease is not None
        self.lanes[sender] = lane
        self.changes.append(Change(stored, message, lease_token=token))
        self.decided.claims.append(Claim(stored, lane.lease))

    def _take_over(self, lane: Lane, lease: Lease) -> None:
        policy = self.senders[lane.sender].policy
        found = messages.lock_by_seq(self.connection, [lease.message_seq], self.now)
        stored = found.get(lease.message_seq)
        if stored is None or stored.lease_token != lease.token:
            # Settled late, or deleted by hand; its call may have been made all the same.
            self.lanes[lane.sender] = lane.paced_from(
                lease.call_by,
                answered_at=lease.call_by + policy.guard_us,
                u=0.0,
                policy=policy,
            )
            return
        called = attempts.called(self.connection, lease)
        settled = core.take_over(
            lane,
            stored.message,
            lease,
            called=called,
            now=self.now.steady,
            u=chance(self.seed, stored.message.id, stored.message.attempts),
            policy=policy,
        )
        self._settled(stored, settled)
        if called:
            # Its attempt row carries the number it was begun with: attempts counts it already.
            begun = stored._replace(
                message=stored.message._replace(attempts=stored.message.attempts - 1)
            )
            outcome = Unknown(settled.message.reason)
            lost = Ended(Claim(begun, lease), outcome, None, self.now.steady, None, outcome.reason)
            attempts.finish(self.connection, [lost], self.now)
