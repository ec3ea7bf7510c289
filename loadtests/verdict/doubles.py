"""Did anybody get a text twice who should not? P5: no silent double."""

from collections import Counter
from collections.abc import Iterator, Sequence

from loadtests.verdict.evidence import Evidence
from loadtests.verdict.finding import Finding, counted, finding
from loadtests.verdict.records import US, Call, Disturbance

ANSWERS = ("ok", "slow")
"""Calls whose answer says that the text was taken."""


def check(evidence: Evidence) -> Finding:
    """Count deliveries by message, and look for a reason behind each repeated one."""
    marked = unmarked = 0
    problems: list[str] = []
    for id_, calls in evidence.calls_of.items():
        deliveries = sum(len(call.deliveries) for call in calls)
        message = evidence.messages.get(id_)
        if deliveries < 2:
            continue
        if message is None or not message.maybe_duplicate:
            unmarked += 1
            problems.append(f"{evidence.described(id_)} was delivered {deliveries} times, unmarked")
            continue
        marked += 1
        if not _has_a_reason(calls, evidence):
            problems.append(f"{evidence.described(id_)} was delivered again without a reason")
    problems += _same_text(evidence)
    return finding(
        "doubles",
        "Was anything doubled?",
        f"{counted(unmarked, 'unmarked double')}, {marked:,} marked maybe_duplicate",
        problems,
        {"doubled, not marked": unmarked, "doubled, marked maybe_duplicate": marked},
    )


def _has_a_reason(calls: Sequence[Call], evidence: Evidence) -> bool:
    """Whether the first delivery's answer can have been missed: by its fault, or in chaos."""
    first = next(call for call in calls if call.deliveries)
    if first.fault not in ANSWERS:
        return True
    lost_by = first.arrived_at + round(evidence.run.call_timeout_s * US)
    disturbed = any(
        first.arrived_at - US <= one.at <= lost_by
        for one in evidence.run.chaos
        if one.what is not Disturbance.STEP  # Which loses no answer.
    )
    return disturbed or first.fault == "slow"


def _same_text(evidence: Evidence) -> Iterator[str]:
    """Doubles among the calls of no message: one text, twice on the same phone."""
    times = Counter(
        (call.sender, delivery.recipient, call.text)
        for call in evidence.strays
        for delivery in call.deliveries
    )
    for (sender, recipient, _), number in times.items():
        if number > 1:
            yield f"a text that is no message's reached {recipient} {number} times from {sender}"
