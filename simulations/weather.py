"""How a simulated gateway behaves: how long its answers take, what fails, and when it is down.

An answer is a function of message, attempt and instant alone. Two policies that call for the same
message thus meet the same luck, and differ by their own doing.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

import numpy as np

from simulations.latency import Constant, Floats, Latency
from simulations.workload import Ints
from waqcore.core.instants import SECOND
from waqcore.core.outcome import (
    Accepted,
    Healthy,
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

DRAWN_MAX = 4
"""Attempts of every message whose answers are drawn at once, a fast table each: 9 bytes a message.
Three failures are the most a message has; refusals and outages can bring more calls."""

UNREACHABLE_US = 50_000
"""How soon a refused connection is known: a round trip or two."""


class Failures(NamedTuple):
    """The probability of each outcome of a call, whatever the hour; the rest is accepted.

    A rejection is the message's own: it is drawn once, and every call for that message meets it.
    """

    refused: float = 0.0
    not_sent: float = 0.0
    unreachable: float = 0.0
    unknown: float = 0.0
    rejected: float = 0.0
    sender_down: float = 0.0


NO_FAILURES = Failures()

_OUTCOMES: tuple[Outcome, ...] = (
    Refused("too many requests"),
    NotSent("the gateway could not send it"),
    Unreachable("connection refused"),
    Unknown("no answer before the timeout"),
    Rejected("not on WhatsApp"),
    SenderDown("the device is disconnected"),
    Accepted(),
)
"""In the order of `Failures`, then success."""
_UNREACHABLE = Failures._fields.index("unreachable")
_UNKNOWN = Failures._fields.index("unknown")
_REJECTED = Failures._fields.index("rejected")
_SENDER_DOWN = Failures._fields.index("sender_down")
_ACCEPTED = len(Failures._fields)
_HEALTHY = Healthy()


class Outage(NamedTuple):
    """No connection can be made, by calls or by probes."""

    starts_at: int
    ends_at: int


class Throttle(NamedTuple):
    """Every call is refused."""

    starts_at: int
    ends_at: int
    retry_after_us: int | None = None
    """What the gateway asks for; None: it does not say."""
    scope: Scope = Scope.LANE


class Disconnect(NamedTuple):
    """A sender's device is disconnected."""

    starts_at: int
    ends_at: int
    sender: int | None = None
    """Index of the sender; None: all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Climate:
    """What a gateway is like; instants in microseconds since the epoch."""

    latency: Latency = field(default_factory=lambda: Constant(us=300_000))
    timeout_us: int = 30 * SECOND
    """A call that takes as long has an unknown outcome: the dispatcher's own limit."""
    failures: Failures = NO_FAILURES
    outages: Sequence[Outage] = ()
    throttles: Sequence[Throttle] = ()
    disconnects: Sequence[Disconnect] = ()


class _Drawn(NamedTuple):
    """What befalls every message's n-th call, by message."""

    kinds: bytes
    """Indices into the outcomes."""
    latencies: "array[int]"
    """Microseconds."""


class Weather:
    """A gateway in a climate; what befalls each message's calls is settled before the run."""

    def __init__(
        self,
        climate: Climate,
        messages: int,
        *,
        latency_rng: np.random.Generator,
        outcomes_rng: np.random.Generator,
    ) -> None:
        self._climate = climate
        self._messages = messages
        self._edges = np.cumsum(climate.failures)
        self._key = outcomes_rng.bytes(16)
        # A generator an attempt: how many there are of one must not redraw the next.
        self._rngs = list(
            zip(outcomes_rng.spawn(DRAWN_MAX), latency_rng.spawn(DRAWN_MAX), strict=True)
        )
        self._drawn = [self._draw(0)]
        windows: list[Outage | Throttle | Disconnect] = [
            *climate.outages,
            *climate.throttles,
            *climate.disconnects,
        ]
        self._rough_from = min((one.starts_at for one in windows), default=0)
        self._rough_until = max((one.ends_at for one in windows), default=0)
        self._usual_us = max(1, int(climate.latency.of(np.array([0.5]))[0]))

    def call(self, seq: int, attempt: int, sender: int, at: int) -> tuple[Outcome, int]:
        """The outcome of a call that starts at an instant, and how long it takes."""
        if self._rough_from <= at < self._rough_until:
            disturbed = self._disturbed(sender, at)
            if disturbed is not None:
                return disturbed
        kinds, latencies = self._drawn[0]
        kind = kinds[seq]
        if attempt == 1 or kind == _REJECTED:
            return _OUTCOMES[kind], latencies[seq]
        return self._again(seq, attempt)

    def probe(self, sender: int, at: int) -> tuple[ProbeResult, int]:
        """The answer to a probe that starts at an instant."""
        if any(one.starts_at <= at < one.ends_at for one in self._climate.outages):
            return Unreachable("connection refused"), UNREACHABLE_US
        if self._disconnected(sender, at):
            return SenderDown("the device is disconnected"), self._usual_us
        return _HEALTHY, self._usual_us

    def _disturbed(self, sender: int, at: int) -> tuple[Outcome, int] | None:
        """What the hour makes of any call; a gateway that turns calls away does so in no time
        that varies."""
        climate = self._climate
        if any(one.starts_at <= at < one.ends_at for one in climate.outages):
            return _OUTCOMES[_UNREACHABLE], UNREACHABLE_US
        if self._disconnected(sender, at):
            return _OUTCOMES[_SENDER_DOWN], self._usual_us
        for one in climate.throttles:
            if one.starts_at <= at < one.ends_at:
                return Refused("too many requests", one.retry_after_us, one.scope), self._usual_us
        return None

    def _disconnected(self, sender: int, at: int) -> bool:
        return any(
            one.starts_at <= at < one.ends_at and one.sender in (None, sender)
            for one in self._climate.disconnects
        )

    def _again(self, seq: int, attempt: int) -> tuple[Outcome, int]:
        """A later attempt's answer; none of them is a rejection, which the first would have met."""
        if attempt <= DRAWN_MAX:
            while len(self._drawn) < attempt:
                self._drawn.append(self._draw(len(self._drawn)))
            kinds, latencies = self._drawn[attempt - 1]
            kind, latency = kinds[seq], latencies[seq]
        else:
            kind, latency = self._hashed(seq, attempt)
        return _OUTCOMES[_ACCEPTED if kind == _REJECTED else kind], latency

    def _draw(self, attempt: int) -> _Drawn:
        outcomes_rng, latency_rng = self._rngs[attempt]
        n = self._messages
        kinds, latencies = self._answers(outcomes_rng.random(n), latency_rng.random(n))
        # Reading one number from a numpy array costs several times as much.
        return _Drawn(kinds.astype(np.uint8).tobytes(), array("q", latencies.tobytes()))

    def _hashed(self, seq: int, attempt: int) -> tuple[int, int]:
        """By hash: nobody knows beforehand how many more there will be, and they are few."""
        digest = blake2b(b"%d/%d" % (seq, attempt), key=self._key, digest_size=16).digest()
        u = (np.frombuffer(digest, dtype="<u8") >> np.uint64(11)) / 2.0**53
        kinds, latencies = self._answers(u[:1], u[1:])
        return int(kinds[0]), int(latencies[0])

    def _answers(self, outcome_u: Floats, latency_u: Floats) -> tuple[Ints, Ints]:
        """Kinds, as indices into the outcomes, and latencies in microseconds."""
        climate = self._climate
        kinds = np.searchsorted(self._edges, outcome_u, side="right")
        latencies = np.maximum(climate.latency.of(latency_u), 1)  # A call takes time.
        latencies[kinds == _UNREACHABLE] = UNREACHABLE_US
        kinds[latencies >= climate.timeout_us] = _UNKNOWN
        latencies[kinds == _UNKNOWN] = climate.timeout_us
        return kinds, latencies
