"""Were calls ever closer than the pace? P1, by the gateway's log and by the database."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from loadtests.verdict.evidence import Evidence
from loadtests.verdict.finding import Finding, Measure, counted, finding
from loadtests.verdict.records import US, Attempt

NOISE_US = 2_000
"""How much a duration may be off that ends on another clock than it began on."""


class Gap(NamedTuple):
    """Two calls of one sender, one after the other."""

    sender: str
    gap_us: int
    calls: tuple[int, int]


def gaps(evidence: Evidence) -> list[Gap]:
    """Every gap, as the gateway stamped the arrivals."""
    return [
        Gap(sender, after.arrived_us - before.arrived_us, (before.call, after.call))
        for sender, lane in evidence.lanes.items()
        for before, after in pairwise(lane)
    ]


def check(evidence: Evidence) -> Finding:
    """Hold every gap against the pace, and every start of a call against pace and guard."""
    found = gaps(evidence)
    short = [gap for gap in found if gap.gap_us < evidence.pace_us]
    hasty = list(_hasty(evidence))
    banned = sorted({call.sender for call in evidence.calls if call.fault == "banned"})
    problems = [
        *(
            f"{sender} was banned by the gateway for calls closer than its pace"
            for sender in banned
        ),
        *(_said(gap, evidence.pace_us) for gap in sorted(short, key=lambda gap: gap.gap_us)),
        *hasty,
    ]
    smallest = min((gap.gap_us for gap in found), default=None)
    said = f"{counted(len(evidence.lanes), 'sender')}, {counted(len(short), 'short gap')}"
    if smallest is not None:
        said += f", the smallest {smallest / US:.3f} s at a pace of {evidence.run.pace_s:g} s"
    if evidence.left_out.starts:
        starts = counted(len(evidence.left_out.starts), "start")
        said += f"; {starts} by the database left out: the clock was stepped"
    return finding(
        "pace",
        "Was the pace held?",
        said,
        problems,
        {
            "gaps": len(found),
            "short gaps": len(short),
            "starts that ignored the guard": len(hasty),
            "starts left out there, by a wall stepped since": len(evidence.left_out.starts),
            "senders banned": len(banned),
            "smallest gap, s": None if smallest is None else smallest / US,
            **_by_sender(found),
        },
    )


def _key(attempt: Attempt) -> tuple[str, int]:
    return attempt.message_id, attempt.number


def _by_sender(found: list[Gap]) -> dict[str, Measure]:
    smallest: dict[str, int] = {}
    for gap in found:
        smallest[gap.sender] = min(gap.gap_us, smallest.get(gap.sender, gap.gap_us))
    return {f"smallest gap of {sender}, s": us / US for sender, us in smallest.items()}


def _said(gap: Gap, pace_us: int) -> str:
    first, second = gap.calls
    return (
        f"{gap.sender}: calls {first} and {second} came {(pace_us - gap.gap_us) / 1_000:.1f} ms "
        "closer than the pace"
    )


def _hasty(evidence: Evidence) -> Iterator[str]:
    """Calls that started before the last one's start, its pace and its round trip (as far as the
    guard goes) were over: their gaps at the gateway were long enough by luck alone."""
    lanes: dict[str, list[tuple[int, Attempt]]] = defaultdict(list)
    for attempt in evidence.folder.attempts:
        if attempt.called_at is not None:
            lanes[attempt.sender].append((attempt.called_at, attempt))
    guard_us = round(evidence.run.guard_s * US)
    for sender, lane in sorted(lanes.items()):
        lane.sort(key=lambda entry: entry[0])
        for (before_at, before), (after_at, after) in pairwise(lane):
            trip_us = 0 if before.finished_at is None else max(0, before.finished_at - before_at)
            held_us = evidence.pace_us + min(trip_us, guard_us) - NOISE_US
            if {_key(before), _key(after)} & evidence.left_out.starts:
                continue
            if after_at - before_at < held_us:
                yield (
                    f"{sender}: by the database {after.message_id} was called "
                    f"{(after_at - before_at) / US:.3f} s after {before.message_id}, though "
                    f"{held_us / US:.3f} s were due"
                )
