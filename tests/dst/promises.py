"""The promises as a story's observer judges them: from the gateway's calls and the database alone.

Nothing here is taken from the code under test but the words that are stored. Each check raises
`Broken` with the promise's name.
"""

from typing import NamedTuple

from tests.dst.gateway import Arrival
from tests.dst.plan import SECOND, Plan
from tests.dst.snapshot import Held, Row, Snapshot, Try

ENDED = frozenset({"sent", "failed", "cancelled", "expired"})

_STEPS = {
    "queued": {"sending", "expired", "unknown", "sent"},
    "sending": {"sent", "queued", "failed", "unknown", "cancelled"},
    "unknown": {"sent"},
    "cancelled": {"sent"},
    "expired": {"sent"},
    "failed": {"sent"},
    "sent": set(),
}
"""What can become of a message that nobody touches; an acceptance may come late to any of them."""

_BY_HAND = {
    "cancel": {("queued", "cancelled"), ("queued", "unknown")},
    "clear": {("queued", "cancelled")},
    "suppress": {("queued", "cancelled"), ("queued", "unknown")},
    "restore": {("cancelled", "queued")},
    "retry": {("failed", "queued"), ("expired", "queued")},
    "resolve": {("unknown", "sent"), ("unknown", "queued"), ("unknown", "cancelled")},
}

IN_DOUBT = {"unknown", "accepted", None}
"""Outcomes of an attempt after which nobody may say that nothing was sent."""

RECOVERY_S = 15 + 5
"""P6, and as long again as the slowest store call of a story may take."""


class Broken(AssertionError):
    """A promise was not kept."""

    def __init__(self, promise: str, what: str) -> None:
        super().__init__(promise, what)
        self.promise = promise
        self.what = what

    def __str__(self) -> str:
        return f"{self.promise}: {self.what}"


class Instant(NamedTuple):
    """Now, on the clocks that the stored instants mean."""

    wall: int
    steady: int


def pace(arrivals: list[Arrival], pace_us: int) -> None:
    """P1, for the newest call."""
    newest = arrivals[-1]
    for earlier in reversed(arrivals[:-1]):
        if earlier.sender == newest.sender:
            gap = newest.at - earlier.at
            if gap < pace_us:
                raise Broken(
                    "P1 pace",
                    f"{newest.body} {gap / SECOND:.6f} s after {earlier.body}, "
                    f"the pace being {pace_us / SECOND:g} s",
                )
            return


def life(before: Snapshot, after: Snapshot, hand: str | None) -> None:
    """P2: nothing disappears, and nothing changes state but as it may."""
    for body, was in before.messages.items():
        if body not in after.messages:
            raise Broken("P2 nothing lost", f"{body} is gone")
        became = after.messages[body].state
        if became == was.state or (was.state, became) in _BY_HAND.get(hand or "", ()):
            continue
        if hand is not None or became not in _reachable(was.state):
            raise Broken("P2 one state", f"{body} went from {was.state} to {became} ({hand})")


def acknowledged(after: Snapshot, told: dict[str, bool]) -> None:
    """P2: what somebody was told is in is in, and what was refused is not."""
    for body, accepted in told.items():
        if accepted and body not in after.messages:
            raise Broken("P2 nothing lost", f"{body} was acknowledged and is not there")
        if not accepted and body in after.messages:
            raise Broken("P2 nothing lost", f"{body} was refused and is there")


def cancelled(before: Snapshot, after: Snapshot, wished: set[str]) -> None:
    """P2: a message that was being sent is cancelled only if somebody still wants it to be."""
    for body, was in before.messages.items():
        became = after.messages[body].state
        if was.state == "sending" and became == "cancelled" and body not in wished:
            raise Broken("P2 nothing lost", f"{body} was cancelled, and nobody wished it any more")


def in_hand(after: Snapshot, stopped: str) -> None:
    """P5: a dispatcher that was told to end settles what it knows before it does."""
    for held in after.leases.values():
        if held.holder == stopped:
            raise Broken("P5 doubt", f"{stopped} ended with lane {held.sender[-4:]} in its hands")


def _reachable(state: str) -> set[str]:
    """Where a message may be after one transaction: it may settle, be claimed again, and expire."""
    found = {state}
    for _ in range(3):
        found |= {after for one in found for after in _STEPS[one]}
    return found if state in ("queued", "sending") else _STEPS[state]


def order(before: Snapshot, after: Snapshot, now: Instant, plan: Plan) -> None:
    """P3: of what could have been called for, the first in place was."""
    stepped = any(act.what in ("step", "reboot") for act in plan.acts)
    for body, claimed in after.messages.items():
        was = before.messages.get(body)
        new = claimed.lease_token and (was is None or was.lease_token != claimed.lease_token)
        if not new:
            continue
        for other in after.messages.values():
            if _could_go(other, claimed.sender, now) and _before(other, claimed, stepped=stepped):
                raise Broken("P3 order", f"{claimed.body} was claimed while {other.body} waited")


def _could_go(row: Row, sender: str, now: Instant) -> bool:
    due = (row.send_at or 0) <= now.wall and row.retry_at <= now.steady
    alive = row.expires_at is None or row.expires_at > now.wall
    return row.state == "queued" and row.sender == sender and due and alive


def _before(one: Row, other: Row, *, stepped: bool) -> bool:
    if one.priority != other.priority:
        return one.priority < other.priority
    if one.send_at is None and other.send_at is None:
        return one.seq < other.seq  # Whatever the wall clock showed.
    if stepped:
        return False  # Instants of a clock that somebody set order nothing.
    due = max(one.enqueued_at, one.send_at or 0), max(other.enqueued_at, other.send_at or 0)
    return due[0] < due[1] or (due[0] == due[1] and one.seq < other.seq)


def counting(after: Snapshot, plan: Plan) -> None:
    """P4: a failure is one call's own, and a message fails after so many."""
    most = plan.rules.max_attempts
    for body, row in after.messages.items():
        tries = after.tries.get(row.seq, [])
        own = sum(one.outcome == "not_sent" for one in tries)
        if row.failures > own:
            raise Broken("P4 failures", f"{body} has {row.failures} failures of {own} calls' own")
        rejected = any(one.outcome == "rejected" for one in tries)
        if row.state == "failed" and row.failures < most and not rejected:
            raise Broken("P4 attempts", f"{body} failed after {row.failures} of {most}")
        if row.state == "queued" and row.failures >= most:
            raise Broken("P4 attempts", f"{body} is queued after {row.failures} of {most}")
        if row.attempts != len(tries):
            raise Broken("P4 every call", f"{body}: {row.attempts} attempts, {len(tries)} rows")


def doubles(arrival: Arrival, now: Snapshot, by_hand: int) -> None:
    """P5, for a call that arrived: never again while in doubt, but once and marked."""
    row = now.messages[arrival.body]
    tries = now.tries.get(row.seq, [])
    if not tries:
        raise Broken("P4 every call", f"{arrival.body} was called for without an attempt row")
    doubtful = [one for one in tries[:-1] if one.outcome in IN_DOUBT]
    if not doubtful:
        return
    if not row.maybe_duplicate:
        raise Broken("P5 no silent double", f"{arrival.body} called again, and not marked")
    # A person who says resend makes it as good as new: it may be resent once more by itself.
    allowed = 2 * by_hand + 1 if row.on_unknown == "resend" else by_hand
    if len(doubtful) > allowed:
        raise Broken("P5 once", f"{arrival.body} called again after {_words(doubtful)}")


def doubt(after: Snapshot, arrivals: list[Arrival], *, decided: bool) -> None:
    """P5: what may have been delivered is never shown as if it had not been."""
    delivered: dict[str, int] = {}
    for arrival in arrivals:
        delivered[arrival.body] = delivered.get(arrival.body, 0) + arrival.delivered
    for body, row in after.messages.items():
        if row.state in ENDED - {"sent"} and row.unresolved:
            raise Broken("P5 doubt", f"{body} ended {row.state} with its doubt unresolved")
        if row.state in ENDED - {"sent"} and delivered.get(body) and not decided:
            raise Broken("P5 doubt", f"{body} is {row.state} and was delivered")
        if delivered.get(body, 0) > 1 and not row.maybe_duplicate:
            raise Broken("P5 no silent double", f"{body} was delivered {delivered[body]} times")


def possession(before: Snapshot, after: Snapshot, by: str, well: set[str]) -> None:
    """P5: nobody takes a call from a dispatcher that lives, is heard of, and still waits for it."""
    for sender, held in before.leases.items():
        still = after.leases.get(sender)
        lost = still is None or still.token != held.token
        if lost and held.holder != by and held.holder in well:
            raise Broken("P5 possession", f"{by} took lane {sender[-4:]} from {held.holder}")


def recovery(held: Held, died_at: int, healthy_since: int, now: int) -> None:
    """P6: a dead dispatcher's lane is taken over in time by one that lives and can."""
    waited = now - max(died_at, healthy_since)
    if waited > RECOVERY_S * SECOND:
        raise Broken(
            "P6 recovery",
            f"lane {held.sender[-4:]} is still {held.holder}'s, dead for {waited / SECOND:.1f} s",
        )


def _words(tries: list[Try]) -> str:
    return ", ".join(f"attempt {one.number}: {one.outcome or 'no outcome'}" for one in tries)
