"""How many messages failed for good? The error budget that users were promised."""

from collections.abc import Iterator

from loadtests.verdict.evidence import Evidence
from loadtests.verdict.finding import Finding, finding
from loadtests.verdict.interval import interval
from loadtests.verdict.records import Limits

ENDED = ("sent", "failed", "unknown")
"""Ends that a call decided; who cancels or lets expire has no claim."""
FAILED = "not_sent"
"""A call's own failure, as outcomes have it."""


def check(evidence: Evidence) -> Finding:
    """The share of called messages that failed after the last attempt they were allowed."""
    ended = [message for message in evidence.messages.values() if message.state in ENDED]
    failed = [message for message in ended if message.state == "failed"]
    spent = [one for one in failed if one.failures >= evidence.run.max_attempts]
    share = len(spent) / len(ended) if ended else 0.0
    low, high = interval(len(spent), len(ended))
    limits = evidence.run.limits
    budget = "" if limits.failed_share is None else f", budget {limits.failed_share:.2%}"
    return finding(
        "budget",
        "Was the error budget kept?",
        f"{len(spent):,} of {len(ended):,} failed after {evidence.run.max_attempts} attempts "
        f"({share:.2%}, 95 % interval {low:.2%} to {high:.2%}{budget})",
        _problems(limits, share, high),
        {
            "ended by a call": len(ended),
            "failed after the last attempt": len(spent),
            "failed at once": len(failed) - len(spent),
            "share that failed after the last attempt": share,
            "lower end of its 95 % interval": low,
            "upper end of its 95 % interval": high,
            "share of calls that failed": _failed_calls(evidence),
        },
        judged=limits.failed_share is not None or limits.failed_share_shown is not None,
    )


def _problems(limits: Limits, share: float, high: float) -> Iterator[str]:
    limit, shown = limits.failed_share, limits.failed_share_shown
    if limit is not None and share > limit:
        yield f"{share:.2%} failed after the last attempt, {limit:.2%} was promised"
    if shown is not None and high >= shown:
        yield f"up to {high:.2%} may fail after the last attempt: below {shown:.2%} is not shown"


def _failed_calls(evidence: Evidence) -> float:
    outcomes = [one.outcome for attempts in evidence.attempts.values() for one in attempts]
    return outcomes.count(FAILED) / len(outcomes) if outcomes else 0.0
