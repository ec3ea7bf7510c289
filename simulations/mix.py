"""What each person who comes brings, and from which sender: users become messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from zlib import crc32

import numpy as np

from simulations.arrivals import Arrivals
from simulations.trace import Trace
from simulations.workload import Ints, Workload
from waqcore.core.instants import NEVER
from waqcore.core.message import OnUnknown, Priority

BRINGS: dict[str, tuple[Priority, ...]] = {
    "registration": (Priority.HIGH, Priority.NORMAL),  # A payment link and an activation.
    "payment-link": (Priority.HIGH,),
    "confirmation": (Priority.NORMAL,),
    "reminder": (Priority.NORMAL,),
    "marketing": (Priority.LOW,),
}
"""What one person brings: the priorities of their messages, in the order they are enqueued."""

TRACED = "traced"
"""What a trace with priorities brings: each row is one message of its own priority."""

_KINDS = tuple(BRINGS)
_SIZES = np.array([len(brought) for brought in BRINGS.values()], dtype=np.int64)
_FIRST = np.cumsum(_SIZES) - _SIZES
_PRIORITIES = np.array([p for brought in BRINGS.values() for p in brought], dtype=np.int64)
_TRACED_KINDS = np.array(  # By priority, from `bypass`, which old systems and models do not know.
    [_KINDS.index(kind) for kind in ("payment-link", "payment-link", "confirmation", "marketing")]
)


class Assignment(StrEnum):
    """How a person is given one of the senders; all their messages leave from it."""

    ROUND_ROBIN = "round-robin"
    HASH = "hash"  # As an application does that keeps a person with a number.


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """People who come for the same kind of thing."""

    name: str
    arrivals: Arrivals
    brings: tuple[tuple[str, float], ...]
    """Kinds of `BRINGS` with their weights; `TRACED` stands alone."""
    starts_us: int = 0
    """After the scenario's start."""
    send_after_us: int = 0
    """`send_at` this long after the enqueue; 0: at once."""
    expires_after_us: int | None = None
    """None: messages do not expire."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The senders that people are spread over."""

    numbers: tuple[str, ...]
    assignment: Assignment = Assignment.ROUND_ROBIN
    on_unknown: OnUnknown = OnUnknown.RESEND


def messages(
    flows: Sequence[Flow],
    fleet: Fleet,
    *,
    starts_at: int,
    arrivals_rng: np.random.Generator,
    mix_rng: np.random.Generator,
) -> Workload:
    """Everything that all flows enqueue, in order; at one instant an earlier flow comes first.

    Messages of one registration share a reference, `REG-1` for the first; those of any other kind
    share their flow's name, as a campaign's do.
    """
    at, kind, flow = _users(flows, starts_at, arrivals_rng, mix_rng)
    user = np.repeat(np.arange(len(at)), _SIZES[kind])
    part = np.arange(len(user)) - np.repeat(np.cumsum(_SIZES[kind]) - _SIZES[kind], _SIZES[kind])
    enqueued_at = at[user]
    of = flow[user]
    return Workload(
        at=enqueued_at,
        priority=_PRIORITIES[_FIRST[kind[user]] + part],
        sender=_senders(len(at), fleet)[user],
        send_at=_later(enqueued_at, np.array([one.send_after_us for one in flows])[of]),
        expires_at=_expiry(enqueued_at, flows, of),
        hold=np.full(len(user), fleet.on_unknown is OnUnknown.HOLD),
        references=_references(kind, flow, user, [one.name for one in flows]),
        senders=fleet.numbers,
    )


def _users(
    flows: Sequence[Flow],
    starts_at: int,
    arrivals_rng: np.random.Generator,
    mix_rng: np.random.Generator,
) -> tuple[Ints, Ints, Ints]:
    """Instant, kind and flow of every user, by instant."""
    # A generator a flow: more people in one must not redraw the others.
    arrivals_rngs, mix_rngs = arrivals_rng.spawn(len(flows)), mix_rng.spawn(len(flows))
    at = [
        one.arrivals.instants(starts_at + one.starts_us, rng)
        for one, rng in zip(flows, arrivals_rngs, strict=True)
    ]
    kind = [_kinds(one, len(n), rng) for one, n, rng in zip(flows, at, mix_rngs, strict=True)]
    every_at = np.concatenate([np.empty(0, dtype=np.int64), *at])
    order = np.argsort(every_at, kind="stable")
    flow = np.repeat(np.arange(len(flows)), [len(one) for one in at])
    every_kind = np.concatenate([np.empty(0, dtype=np.int64), *kind])
    return every_at[order], every_kind[order], flow[order]


def _kinds(flow: Flow, n: int, rng: np.random.Generator) -> Ints:
    names = [name for name, _ in flow.brings]
    if names == [TRACED]:
        assert isinstance(flow.arrivals, Trace)
        assert flow.arrivals.priority is not None
        return _TRACED_KINDS[flow.arrivals.priority]
    weights = np.array([weight for _, weight in flow.brings])
    chosen = np.searchsorted(np.cumsum(weights) / weights.sum(), rng.random(n), side="right")
    return np.array([_KINDS.index(name) for name in names], dtype=np.int64)[chosen]


def _senders(users: int, fleet: Fleet) -> Ints:
    count = len(fleet.numbers)
    match fleet.assignment:
        case Assignment.ROUND_ROBIN:
            return np.arange(users, dtype=np.int64) % count
        case Assignment.HASH:
            hashes = [crc32(b"user %d" % user) % count for user in range(users)]
            return np.array(hashes, dtype=np.int64)


def _later(enqueued_at: Ints, by_us: Ints) -> Ints:
    return np.where(by_us > 0, enqueued_at + by_us, 0)


def _expiry(enqueued_at: Ints, flows: Sequence[Flow], of: Ints) -> Ints:
    after = np.array([-1 if f.expires_after_us is None else f.expires_after_us for f in flows])[of]
    return np.where(after < 0, NEVER, enqueued_at + after)


def _references(kind: Ints, flow: Ints, user: Ints, names: Sequence[str]) -> list[str | None]:
    registers = _SIZES[kind] > 1
    number = np.cumsum(registers).tolist()
    of_user = [
        f"REG-{number[n]}" if registers_n else names[flow_n]
        for n, (registers_n, flow_n) in enumerate(
            zip(registers.tolist(), flow.tolist(), strict=True)
        )
    ]
    return [of_user[n] for n in user.tolist()]
