"""How many messages failed for good? The error budget that users were promised."""

from loadtests.verdict.evidence import Evidence
from loadtests.verdict.finding import Finding, finding

ENDED = ("sent", "failed", "unknown")
"""Ends that a call decided; who cancels or lets expire has no claim."""


def check(evidence: Evidence) -> Finding:
    """The share of called messages that failed after the last attempt they were allowed."""
    ended = [message for message in evidence.messages.values() if message.state in ENDED]
    failed = [message for message in ended if message.state == "failed"]
    spent = [one for one in failed if one.failures >= evidence.run.max_attempts]
    share = len(spent) / len(ended) if ended else 0.0
    limit = evidence.run.limits.failed_share
    problems = []
    if limit is not None and share > limit:
        problems.append(f"{share:.2%} failed after the last attempt, {limit:.2%} was promised")
    return finding(
        "budget",
        "Was the error budget kept?",
        f"{len(spent):,} of {len(ended):,} failed after {evidence.run.max_attempts} attempts "
        f"({share:.2%}{'' if limit is None else f', budget {limit:.2%}'})",
        problems,
        {
            "ended by a call": len(ended),
            "failed after the last attempt": len(spent),
            "failed at once": len(failed) - len(spent),
            "share that failed after the last attempt": share,
        },
        judged=limit is not None,
    )
