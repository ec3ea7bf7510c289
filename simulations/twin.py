"""The digital twin: the live queue as it stands, run forward under today's rules or others.

Reads through `waqcore.export`, read-only. Nothing new arrives unless it is given: what comes out is
what becomes of the messages that are there.
"""

from collections.abc import Sequence
from itertools import cycle

import numpy as np

from simulations.model import Gateway, Start, simulate
from simulations.run import Run
from simulations.workload import Workload
from waqcore.core.instants import NEVER
from waqcore.core.message import OnUnknown, State
from waqcore.core.order import place
from waqcore.core.policy import Sender
from waqcore.export import Snapshot, Standing


class UnknownSenderError(ValueError):
    """The queue has messages of a sender that no rules were given for."""

    def __init__(self, sender: str, known: Sequence[str]) -> None:
        super().__init__(
            f"the queue has messages of sender {sender!r}, and rules were given for "
            f"{', '.join(known) or 'nobody'}: name it too, or spread its messages"
        )
        self.sender = sender


def forward(
    snapshot: Snapshot,
    senders: Sequence[Sender],
    gateway: Gateway,
    *,
    seed: int = 0,
    until: int | None = None,
    utc_offset_us: int = 0,
) -> Run:
    """Run a queue forward from the instant it was looked at, to its end or to an instant.

    The gateway is asked by row of the run's workload. A call in flight is heard of as if it had
    begun just now.

    Raises:
        UnknownSenderError: a message's sender is not among those given.
    """
    numbers = [sender.number for sender in senders]
    for one in snapshot.messages:
        if one.sender not in numbers:
            raise UnknownSenderError(one.sender, numbers)
    return simulate(
        _workload(snapshot.messages, numbers),
        gateway,
        senders,
        seed=seed,
        starts_at=snapshot.at,
        start=_start(snapshot),
        until=until,
        utc_offset_us=utc_offset_us,
    )


def spread(snapshot: Snapshot, senders: Sequence[str]) -> Snapshot:
    """What if these senders shared the queue: what waits is dealt out to them in its order.

    A message being sent stays with its sender. Senders that are new have lanes that never called.
    """
    dealer = cycle(senders)
    waiting = [one for one in snapshot.messages if one.message.state is State.QUEUED]
    dealt = {
        one.message.seq: next(dealer) for one in sorted(waiting, key=lambda one: place(one.message))
    }
    messages = [
        one._replace(sender=dealt.get(one.message.seq, one.sender)) for one in snapshot.messages
    ]
    return snapshot._replace(messages=messages)


def _workload(standing: Sequence[Standing], senders: Sequence[str]) -> Workload:
    index = {sender: n for n, sender in enumerate(senders)}
    enqueued = np.array([one.enqueued_at for one in standing], dtype=np.int64)
    return Workload(
        # In sequence even where the wall clock was once set back.
        at=np.maximum.accumulate(enqueued) if len(enqueued) else enqueued,
        priority=_column([one.message.priority for one in standing]),
        sender=_column([index[one.sender] for one in standing]),
        send_at=_column([one.send_at or 0 for one in standing]),
        expires_at=_column([min(one.message.expires_at, NEVER) for one in standing]),
        hold=np.array([one.message.on_unknown is OnUnknown.HOLD for one in standing], dtype=bool),
        ids=[one.message.id for one in standing],
        references=[one.reference for one in standing],
        senders=tuple(senders),
    )


def _column(values: Sequence[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, dtype=np.int64)


def _start(snapshot: Snapshot) -> Start:
    """Lanes and messages as they stand, numbered by row."""
    row = {one.message.seq: n for n, one in enumerate(snapshot.messages)}
    lanes = {}
    for sender, lane in snapshot.lanes.items():
        lease = lane.lease
        if lease is not None and lease.message_seq in row:
            lane = lane._replace(lease=lease._replace(message_seq=row[lease.message_seq]))
        elif lease is not None:
            lane = lane._replace(lease=None)
        lanes[sender] = lane
    messages = {n: one.message._replace(seq=n) for n, one in enumerate(snapshot.messages)}
    return Start(lanes, messages)
