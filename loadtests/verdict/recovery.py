"""How long after each disturbance did calls go on? P6: recovery in seconds."""

from collections.abc import Iterator, Sequence
from math import inf
from statistics import median
from typing import NamedTuple

from loadtests.verdict.evidence import Evidence
from loadtests.verdict.finding import Finding, counted, finding
from loadtests.verdict.records import US, Call, Chaos, Disturbance, End, Message

LIMITED = (Disturbance.KILL, Disturbance.STEP)
"""What the service has to get over by itself, whatever else there is."""


class Recovered(NamedTuple):
    """One lane after one disturbance."""

    chaos: Chaos
    sender: str
    seconds: float
    """From when it could have gone on (it was restored, its pace was over, something was due) to
    its next call; inf: it never did."""


def recoveries(evidence: Evidence) -> Iterator[Recovered]:
    """Every lane that had something to send, after every disturbance.

    One that is disturbed again before it went on is left to the later disturbance; that the clock
    was stepped meanwhile excuses nothing.
    """
    events = sorted(evidence.run.chaos, key=lambda one: one.at)
    waiting = _waiting(evidence)
    for index, event in enumerate(events):
        later = (one.at for one in events[index + 1 :] if one.what is not Disturbance.STEP)
        next_at = min(later, default=inf)
        for sender, messages in waiting.items():
            lane = evidence.lanes.get(sender, [])
            ready_at = _ready_at(evidence, event, lane, messages)
            if ready_at is None:
                continue
            again = min(
                (c.arrived_at for c in lane if c.arrived_at >= event.restored_at), default=inf
            )
            if again > next_at:
                continue
            if again == inf and evidence.run.end is End.INTERRUPTED:
                continue  # Nobody waited to see.
            yield Recovered(event, sender, max(0.0, (again - ready_at) / US))


def check(evidence: Evidence) -> Finding:
    """Hold recoveries from kills and clock steps against the limit; the others are told."""
    if not evidence.run.chaos:
        return finding(
            "recovery", "Did it recover in seconds?", "nothing was disturbed", [], judged=False
        )
    found = list(recoveries(evidence))
    limit_s = evidence.run.limits.recovery_s
    problems = [
        f"{one.sender} went on {_seconds(one.seconds)} after {one.chaos.what} {one.chaos.detail}"
        for one in sorted(found, key=lambda one: -one.seconds)
        if one.seconds == inf or (limit_s and one.chaos.what in LIMITED and one.seconds > limit_s)
    ]
    told = "; ".join(_told(what, found) for what in Disturbance if _count(evidence, what))
    return finding(
        "recovery",
        "Did it recover in seconds?",
        told,
        problems,
        {f"{what}s": _count(evidence, what) for what in Disturbance if _count(evidence, what)}
        | {
            f"recovery from {what}, s, {name}": value
            for what in Disturbance
            for name, value in _quantiles(what, found)
        },
        judged=limit_s is not None,
    )


def _waiting(evidence: Evidence) -> dict[str, list[tuple[int, float]]]:
    """By sender, from when and until when each of its messages waited for its first call."""
    found: dict[str, list[tuple[int, float]]] = {}
    for message in evidence.messages.values():
        found.setdefault(message.sender, []).append((message.due_at, _until(evidence, message)))
    return found


def _until(evidence: Evidence, message: Message) -> float:
    if calls := evidence.calls_of.get(message.id):
        return calls[0].arrived_at
    return inf if message.ended_at is None else message.ended_at


def _ready_at(
    evidence: Evidence,
    event: Chaos,
    lane: Sequence[Call],
    messages: Sequence[tuple[int, float]],
) -> int | None:
    """When a lane could have gone on; None: it had nothing to send."""
    last_at = max((c.arrived_at for c in lane if c.arrived_at < event.restored_at), default=0)
    paced_at = last_at + evidence.pace_us
    due = [due_at for due_at, until in messages if due_at <= event.restored_at < until]
    return max(event.restored_at, paced_at) if due else None


def _count(evidence: Evidence, what: Disturbance) -> int:
    return sum(one.what is what for one in evidence.run.chaos)


def _quantiles(what: Disturbance, found: list[Recovered]) -> list[tuple[str, float | None]]:
    seconds = [one.seconds for one in found if one.chaos.what is what and one.seconds < inf]
    return [("p50", median(seconds)), ("p100", max(seconds))] if seconds else []


def _told(what: Disturbance, found: list[Recovered]) -> str:
    number = sum(one.chaos.what is what for one in found)
    quantiles = _quantiles(what, found)
    if not quantiles:
        return f"after a {what} {counted(number, 'lane')} had something to send"
    (_, p50), (_, p100) = quantiles
    lanes = counted(number, "lane")
    return f"{what}: p50 {_seconds(p50 or 0.0)}, p100 {_seconds(p100 or 0.0)} ({lanes})"


def _seconds(seconds: float) -> str:
    return "never" if seconds == inf else f"{seconds:.2f} s"
