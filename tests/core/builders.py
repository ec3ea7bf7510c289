"""Messages and lanes for the tests of the core, on an axis far from 0, as production's is."""

from waqcore.core.chance import Chance
from waqcore.core.instants import NEVER, SECOND
from waqcore.core.lane import Lane, Lease, Pause, PausedBy, Trouble
from waqcore.core.message import Message, Priority, State
from waqcore.core.outcome import Scope
from waqcore.core.policy import Policy

POLICY = Policy(guard_us=0)
"""The defaults, but for the guard: so a gap is the pace, and no more."""
MIDDLE = Chance(backoff=0.5, jitter=0.5)


def s(seconds: float) -> int:
    """A duration."""
    return round(seconds * SECOND)


def at(seconds: float) -> int:
    """An instant, counted from the start of the test."""
    return 1_700_000_000 * SECOND + s(seconds)


def a_message(seq: int = 1, priority: Priority = Priority.NORMAL, due_at: int = at(0)) -> Message:
    """A queued message."""
    return Message(seq, f"m{seq}", priority, due_at)


def sending(
    seq: int = 1, *, failures: int = 0, unresolved: bool = False, cancel_requested: bool = False
) -> Message:
    """A message whose call is in flight."""
    return a_message(seq)._replace(
        state=State.SENDING,
        attempts=failures + unresolved + 1,
        failures=failures,
        unresolved=unresolved,
        maybe_duplicate=unresolved,
        cancel_requested=cancel_requested,
    )


def a_lane(**instants: int) -> Lane:
    """A lane that has sent before and may call at once."""
    return Lane("6281")._replace(idle_since=None, **instants)


def a_lease(
    claimed_at: int = at(0), call_by: int = at(3), until: int = at(15), message_seq: int = 1
) -> Lease:
    """A lease of the first message."""
    return Lease("token", message_seq, "dispatcher-1", claimed_at, call_by, until)


def leased(**instants: int) -> Lane:
    """A lane whose call for the first message is in flight."""
    return a_lane(**instants)._replace(lease=a_lease())


def by_person(until: int = NEVER) -> Pause:
    """A pause somebody pressed."""
    return Pause(PausedBy.PERSON, "lunch", at(-60), until)


def by_gateway() -> Pause:
    """A pause for a sender that is down."""
    return Pause(PausedBy.GATEWAY, "disconnected", at(-60))


def broken(probe_at: int, probes: int = 0, scope: Scope = Scope.LANE) -> Trouble:
    """A breaker that is open."""
    return Trouble(open=True, probes=probes, probe_at=probe_at, scope=scope)
