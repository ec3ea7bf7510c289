"""What is enqueued, and when: the input of every simulation, one array a column."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulations.waiting import LaneQueue
from waqcore.core.instants import NEVER
from waqcore.core.message import Message, OnUnknown, Priority, State

Ints = NDArray[np.int64]


class Job(NamedTuple):
    """One message to be enqueued."""

    at: int
    """Instant of its enqueue, in microseconds since the epoch."""
    priority: Priority
    sender: int = 0
    """Index into the senders."""
    reference: str | None = None
    send_at: int = 0
    """0: at once."""
    expires_at: int = NEVER
    on_unknown: OnUnknown = OnUnknown.RESEND
    id: str | None = None
    """None: named by its place in the workload."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Messages in the order of their enqueue; the row is the sequence number, from 0."""

    at: Ints
    """Microseconds since the epoch, not falling."""
    priority: Ints
    sender: Ints
    send_at: Ints
    """0: at once."""
    expires_at: Ints
    """`NEVER`: whenever its turn comes."""
    hold: NDArray[np.bool_]
    """True: `on_unknown` is `hold`."""
    ids: Sequence[str] | None = None
    """None: `sim-0`, `sim-1`, …"""
    references: Sequence[str | None] | None = None
    """None: no message has one."""
    senders: tuple[str, ...] = field(default=("sender-0",))
    """What `sender` counts through."""

    def __post_init__(self) -> None:
        assert bool(np.all(np.diff(self.at) >= 0)), "messages are in the order of their enqueue"

    def __len__(self) -> int:
        return len(self.at)

    def id_of(self, seq: int) -> str:
        """The id of a message: what its chance is drawn from."""
        return f"sim-{seq}" if self.ids is None else self.ids[seq]


def workload(jobs: Iterable[Job], senders: Sequence[str] = ("sender-0",)) -> Workload:
    """A workload of jobs; those of one instant keep the order they are given in."""
    ordered = sorted(jobs, key=lambda job: job.at)
    named = any(job.id is not None for job in ordered)
    grouped = any(job.reference is not None for job in ordered)
    return Workload(
        at=np.array([job.at for job in ordered], dtype=np.int64),
        priority=np.array([job.priority for job in ordered], dtype=np.int64),
        sender=np.array([job.sender for job in ordered], dtype=np.int64),
        send_at=np.array([job.send_at for job in ordered], dtype=np.int64),
        expires_at=np.array([job.expires_at for job in ordered], dtype=np.int64),
        hold=np.array([job.on_unknown is OnUnknown.HOLD for job in ordered], dtype=np.bool_),
        ids=[job.id or f"sim-{n}" for n, job in enumerate(ordered)] if named else None,
        references=[job.reference for job in ordered] if grouped else None,
        senders=tuple(senders),
    )


def plain(
    at: Ints, priority: Ints | Priority = Priority.NORMAL, senders: Sequence[str] = ("sender-0",)
) -> Workload:
    """A workload of one lane whose messages differ in nothing but instant and priority."""
    n = len(at)
    return Workload(
        at=at,
        priority=np.broadcast_to(np.asarray(priority, dtype=np.int64), n),
        sender=np.zeros(n, dtype=np.int64),
        send_at=np.zeros(n, dtype=np.int64),
        expires_at=np.full(n, NEVER, dtype=np.int64),
        hold=np.zeros(n, dtype=np.bool_),
        senders=tuple(senders),
    )


_PRIORITIES = tuple(Priority)
_QUEUED, _HOLD, _RESEND = State.QUEUED, OnUnknown.HOLD, OnUnknown.RESEND
"""By name, an enum's member takes 70 ns to look up: each of these once a message."""


class Arrivals:
    """One lane's messages that have not arrived yet."""

    def __init__(self, messages: "Messages", seqs: Sequence[int]) -> None:
        self._messages = messages
        self._seqs = seqs
        self._taken = 0
        self.next_at = messages.at[seqs[0]] if seqs else NEVER
        """When the next arrives; `NEVER`: none will."""

    def take_in(self, queue: LaneQueue, now: int) -> None:
        """Queue what arrives by now."""
        messages, seqs, n = self._messages, self._seqs, self._taken
        while self.next_at <= now:
            seq = seqs[n]
            message = messages.arrived(seq)
            if message.state is _QUEUED:  # Not the one whose call was in flight at the start.
                queue.arrive(message, messages.send_at[seq], self.next_at)
            n += 1
            self.next_at = messages.at[seqs[n]] if n < len(seqs) else NEVER
        self._taken = n


class Messages:
    """A workload's messages as the core sees them, made one by one as they arrive.

    `standing`, by row: those that have a past, and are as they are.
    """

    def __init__(self, given: Workload, standing: Mapping[int, Message]) -> None:
        self._standing = standing
        # Lists: reading one number from an array costs ten times as much.
        self.at = given.at.tolist()
        self._senders = given.senders
        self._sender = given.sender.tolist()
        self._priority = given.priority.tolist()
        self.send_at = given.send_at.tolist()
        self._expires_at = given.expires_at.tolist()
        self._hold = given.hold.tolist()
        self._id_of = given.id_of

    def by_sender(self) -> list[list[int]]:
        """Each sender's sequence numbers, in the order they arrive."""
        seqs: list[list[int]] = [[] for _ in self._senders]
        for seq, sender in enumerate(self._sender):
            seqs[sender].append(seq)
        return seqs

    def arrived(self, seq: int) -> Message:
        """A message as it comes in."""
        if seq in self._standing:
            return self._standing[seq]
        at, send_at = self.at[seq], self.send_at[seq]
        return Message(
            seq,
            self._id_of(seq),
            _PRIORITIES[self._priority[seq]],
            at if send_at < at else send_at,
            0,
            self._expires_at[seq],
            on_unknown=_HOLD if self._hold[seq] else _RESEND,
        )
