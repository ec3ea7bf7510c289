"""Random cases that the model and the real dispatcher are both given."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st

from waqcore.core.instants import SECOND
from waqcore.core.message import OnUnknown, Priority
from waqcore.core.outcome import (
    Accepted,
    Answer,
    NotSent,
    Refused,
    Rejected,
    Scope,
    SenderDown,
    Unknown,
    Unreachable,
)

GRID_US = 250_000
"""What happens, happens on this grid, so that much of it happens at one instant."""

OFF_GRID_US = 137
"""Added to latencies where somebody presses something. A press and an outcome at one microsecond
are ordered by whichever transaction comes first, and production settles and decides in one."""

BUSY_S = 20
"""Arrivals and presses fall into this many seconds."""

END_S = 150
"""How long a case runs."""

JUDGED_S = 110
"""Calls that started by then are judged: all of them are over by the end."""


class Enqueue(NamedTuple):
    """A message that arrives; instants in microseconds since the case began."""

    at: int
    sender: int
    priority: Priority
    send_at: int | None
    expires_at: int | None
    on_unknown: OnUnknown


class Act(NamedTuple):
    """Something pressed, or done to the dispatcher."""

    at: int
    kind: str
    """`pause`, `resume`, `process`, `cancel`, `stop` or `crash`; `start` follows the last two."""
    sender: int = 0
    until: int | None = None
    message: int = 0


class Case(NamedTuple):
    """Everything the outcome depends on but the ids, which production makes up."""

    senders: int
    settings: Mapping[str, Any]
    enqueues: tuple[Enqueue, ...]
    acts: tuple[Act, ...]
    answers: tuple[tuple[tuple[Answer, int], ...], ...]
    """By message, by attempt: the answer and its latency in microseconds."""
    well_at: int
    """When probes begin to find the gateway well."""

    def answer(self, message: int, attempt: int) -> tuple[Answer, int]:
        """The answer to a message's attempt; all is well after those that were drawn."""
        drawn = self.answers[message]
        if attempt <= len(drawn):
            return drawn[attempt - 1]
        return Accepted("1"), GRID_US + (OFF_GRID_US if self.acts else 0)


_instants = st.integers(0, BUSY_S * SECOND // GRID_US).map(lambda n: n * GRID_US)
_outcomes: st.SearchStrategy[Answer] = st.one_of(
    st.just(Accepted("1")),
    st.just(NotSent("busy")),
    st.just(Unknown("reset")),
    st.just(Rejected("not on WhatsApp")),
    st.builds(
        Refused,
        st.just("slow down"),
        st.none() | st.integers(0, 30).map(lambda n: n * SECOND),
        st.sampled_from(Scope),
    ),
    st.just(Unreachable("refused")),
    st.builds(SenderDown, st.just("disconnected"), st.sampled_from([Scope.LANE, Scope.ACCOUNT])),
)
_settings = st.fixed_dictionaries(
    {
        "pace_seconds": st.sampled_from([1.0, 2.0, 10.0]),
        "guard_ms": st.sampled_from([0.0, 250.0]),
        "gather_seconds": st.sampled_from([0.0, 0.0, 5.0]),
        "jitter_seconds": st.sampled_from([0.0, 0.0, 2.0]),
        "high_head_start_seconds": st.sampled_from([0.0, 0.0, 6.0]),
        "breaker_threshold": st.sampled_from([2, 3]),
        "cap_calls": st.sampled_from([None, None, 5]),
        "cap_hours": st.just(30 / 3_600),
        "seed": st.integers(0, 3),
    }
)


@st.composite
def enqueues(draw: st.DrawFn, senders: int) -> Enqueue:
    """One arrival."""
    at = draw(_instants)
    later = st.none() | st.integers(1, 40).map(lambda n: at + n * GRID_US)
    send_at = draw(later)
    expires = st.none() | st.integers(1, 80).map(lambda n: (send_at or at) + n * GRID_US)
    return Enqueue(
        at,
        draw(st.integers(0, senders - 1)),
        draw(st.sampled_from([Priority.HIGH, Priority.NORMAL, Priority.LOW])),
        send_at,
        draw(expires),
        draw(st.sampled_from(OnUnknown)),
    )


@st.composite
def _presses(draw: st.DrawFn, senders: int, messages: int) -> Act:
    at = draw(_instants)
    kind = draw(st.sampled_from(["pause", "resume", "process", "cancel"]))
    until = draw(st.none() | st.integers(1, 60).map(lambda n: at + n * GRID_US))
    sender, message = draw(st.integers(0, senders - 1)), draw(st.integers(0, messages - 1))
    return Act(at, kind, sender, until, message)


@st.composite
def _restarts(draw: st.DrawFn) -> tuple[Act, ...]:
    """One restart: off for longer than any call takes, so that nobody answers after it."""
    if not draw(st.booleans()):
        return ()
    at = draw(_instants)
    return (Act(at, draw(st.sampled_from(["stop", "crash"]))), Act(at + 5 * SECOND, "start"))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One case: without presses much ties with much, with them latencies keep off the grid."""
    senders = draw(st.integers(1, 2))
    arriving = draw(st.lists(enqueues(senders), min_size=1, max_size=10))
    acts: list[Act] = []
    if draw(st.booleans()):
        acts = draw(st.lists(_presses(senders, len(arriving)), max_size=4))
        acts += draw(_restarts())
    off_grid = OFF_GRID_US if acts else 0
    latency = st.sampled_from([0, 1, 2, 5, 9]).map(lambda n: max(1, n * GRID_US) + off_grid)
    answers = st.lists(st.tuples(_outcomes, latency), max_size=4).map(tuple)
    return Case(
        senders,
        draw(_settings),
        tuple(sorted(arriving, key=lambda one: one.at)),
        tuple(sorted(acts, key=lambda one: one.at)),
        tuple(draw(answers) for _ in arriving),
        draw(_instants) + OFF_GRID_US,
    )
