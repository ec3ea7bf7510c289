"""What the evidence says of the promises. Every expectation is written here by hand.

**Invariant:** nothing of `waqcore` is asked: what is right is not for the program to say.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from tests.chaos.evidence import Call, Row

ORDER_SLACK_US = 1_000_000
"""How long before a call a message must have been handed over to go before it: the call may have
been claimed a quarter of a second ago, and have waited for somebody's transaction since."""


class Handed(NamedTuple):
    """A message whose enqueue was acknowledged."""

    id: str
    body: str  # No other message has it.
    at_us: int  # When the acknowledgement came, on the host's steady clock.


@dataclass(kw_only=True)
class Finding:
    """What was found, and what is wrong about it."""

    problems: list[str] = field(default_factory=list)
    messages: int = 0
    calls: int = 0
    delivered: int = 0  # Different messages.
    held: int = 0
    lost: int = 0
    doubled_marked: int = 0
    doubled_unmarked: int = 0
    slack_us: int | None = None  # The smallest gap less the pace; None: no gap.


def judge(
    handed: Collection[Handed],
    rows: Sequence[Row],
    calls: Sequence[Call],
    caught: Mapping[str, int],
    *,
    pace_us: int,
    ended: bool,
    told_late: Collection[str] = (),
) -> Finding:
    """Judge a run; `caught` counts, by message, the calls begun whose dispatcher died in them.

    With `ended` nothing may be left to send, and the order is judged too. `told_late` are the
    messages caught whose dispatcher lived on, and told what had become of them when it could.
    """
    by_text: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        by_text[call.text].append(call)
    finding = Finding(messages=len(handed), calls=len(calls))
    _count_lost(finding, handed, rows, by_text, ended=ended)
    for row in rows:
        own = by_text.get(row.body, [])
        finding.problems += [
            f"{row.id} ({row.on_unknown}, {row.state}, caught {caught.get(row.id, 0)} times, "
            f"attempts {row.attempts}, calls {[call.number for call in own]}): {problem}"
            for problem in _of_message(
                row, own, caught.get(row.id, 0), ended=ended, told=row.id in told_late
            )
        ]
        _count(finding, row, own)
    strange = set(by_text) - {row.body for row in rows}
    finding.problems += [f"a call with a text nobody stored: {text!r}" for text in sorted(strange)]
    _judge_gaps(finding, calls, pace_us)
    if ended:
        finding.problems += _disorder(handed, rows, by_text, caught)
    return finding


def _count_lost(
    finding: Finding,
    handed: Collection[Handed],
    rows: Sequence[Row],
    by_text: Mapping[str, Sequence[Call]],
    *,
    ended: bool,
) -> None:
    stored = Counter(row.id for row in rows)
    states = {row.id: row.state for row in rows}
    for one in handed:
        delivered = any(call.delivered for call in by_text.get(one.body, ()))
        state = states.get(one.id, "nowhere")
        gone = stored[one.id] != 1 or (state == "sent" and not delivered)
        if gone or (ended and state not in ("sent", "unknown")):
            finding.lost += 1
            finding.problems.append(f"{one.id} is lost: it is {state}, delivered: {delivered}")


def _count(finding: Finding, row: Row, own: Sequence[Call]) -> None:
    delivered = sum(call.delivered for call in own)
    finding.delivered += delivered > 0
    finding.held += row.state == "unknown"
    finding.doubled_marked += delivered > 1 and row.maybe_duplicate
    finding.doubled_unmarked += delivered > 1 and not row.maybe_duplicate


def _of_message(
    row: Row, own: Sequence[Call], caught: int, *, ended: bool, told: bool
) -> Iterator[str]:
    """What is wrong about one message, with no dispatcher running but perhaps one that died."""
    yield from _of_calls(row, own, caught)
    if row.state == "sending":
        return  # Its dispatcher has just died: what it was caught in is settled by the next one.
    resend = row.on_unknown == "resend"
    if row.maybe_duplicate != (resend and caught > 0):
        yield f"maybe_duplicate is {row.maybe_duplicate}"
    doubtful = caught >= (2 if resend else 1) and not (told and own)
    allowed = ("unknown",) if doubtful else ("sent",) if ended else ("sent", "queued")
    if row.state not in allowed:
        yield f"its state should be {' or '.join(allowed)}"
    if row.state == "queued" and own and not caught:
        yield "its call was forgotten"


def _of_calls(row: Row, own: Sequence[Call], caught: int) -> Iterator[str]:
    """What is wrong about how often a message was called: again only once, only if so asked."""
    again = row.on_unknown == "resend"
    if len(own) > (2 if again and caught else 1):
        yield "called too often"
    if len(own) > row.attempts:
        yield "called without an attempt row"
    if caught > (2 if again else 1):
        yield "called again though its outcome was in doubt"
    if len(own) > 1 and not row.maybe_duplicate:
        yield "called twice, not marked maybe_duplicate"


def _judge_gaps(finding: Finding, calls: Sequence[Call], pace_us: int) -> None:
    lanes: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        lanes[call.sender].append(call)
    for lane in lanes.values():
        for before, after in pairwise(lane):
            slack_us = after.arrived_us - before.arrived_us - pace_us
            if finding.slack_us is None or slack_us < finding.slack_us:
                finding.slack_us = slack_us
            if slack_us < 0:
                finding.problems.append(
                    f"sender {before.sender}: calls {before.number} and {after.number} came "
                    f"{-slack_us} µs closer than the pace"
                )


class _Turn(NamedTuple):
    """When a message first had its turn, and what it should have had it by."""

    called_us: int
    priority: int
    seq: int
    handed_us: int
    id: str


def _disorder(
    handed: Iterable[Handed],
    rows: Iterable[Row],
    by_text: Mapping[str, Sequence[Call]],
    caught: Mapping[str, int],
) -> Iterator[str]:
    """Messages that went before one that should have gone first; a backoff excuses those caught."""
    handed_us = {one.id: one.at_us for one in handed}
    lanes: dict[str, list[_Turn]] = defaultdict(list)
    for row in rows:
        own = by_text.get(row.body)
        if own and row.id in handed_us and not caught.get(row.id):
            turn = _Turn(own[0].arrived_us, row.priority, row.seq, handed_us[row.id], row.id)
            lanes[row.sender].append(turn)
    for lane in lanes.values():
        yield from _overtaken(sorted(lane, reverse=True))


def _overtaken(latest_first: Sequence[_Turn]) -> Iterator[str]:
    earliest: dict[
        int, _Turn
    ] = {}  # Of those called later, by priority: the one handed over first.
    for turn in latest_first:
        same = earliest.get(turn.priority)
        if same is not None and same.seq < turn.seq:
            yield f"{turn.id} was called before {same.id}, which was handed over before it"
        for higher in range(turn.priority):
            other = earliest.get(higher)
            if other is not None and other.handed_us + ORDER_SLACK_US < turn.called_us:
                yield f"{turn.id} was called before {other.id}, which has a higher priority"
        if same is None or turn.seq < same.seq:
            earliest[turn.priority] = turn
