"""How far were the ETAs off that applications were told with their 202? P7."""

from collections.abc import Iterator
from statistics import fmean, median
from typing import NamedTuple

from loadtests.verdict.evidence import Evidence
from loadtests.verdict.finding import Finding, finding
from loadtests.verdict.records import US

PROMISED = 0.9
"""The share of calls that should fall inside the range that was told."""


class Told(NamedTuple):
    """A forecast, and the call it was for."""

    priority: str
    told_at: int
    ahead_s: float
    error_s: float
    """How much later than its median the call came; below 0: earlier."""
    inside: bool | None
    """None: no range was told."""


def told(evidence: Evidence) -> Iterator[Told]:
    """Every forecast whose message was then called."""
    for id_, one in evidence.acknowledged.items():
        calls, message = evidence.calls_of.get(id_), evidence.messages.get(id_)
        if one.eta_at is None or not calls or message is None:
            continue
        called_at = calls[0].arrived_at
        inside = None
        if one.eta_low_at is not None and one.eta_high_at is not None:
            inside = one.eta_low_at <= called_at <= one.eta_high_at
        yield Told(
            message.priority,
            one.acknowledged_at,
            (one.eta_at - one.acknowledged_at) / US,
            (called_at - one.eta_at) / US,
            inside,
        )


def check(evidence: Evidence) -> Finding:
    """Compare what was told with when the gateway had the call."""
    found = list(told(evidence))
    ranged = [one for one in found if one.inside is not None]
    coverage = fmean(bool(one.inside) for one in ranged) if ranged else None
    wanted = evidence.run.limits.eta_coverage
    problems = []
    if wanted is not None and coverage is not None and coverage < wanted:
        problems.append(f"{coverage:.1%} of calls were inside their range, {wanted:.0%} should be")
    if not found:
        return finding("etas", "Were ETAs honest?", "none was told", [], judged=False)
    off = sorted(abs(one.error_s) for one in found)
    inside = "no range told" if coverage is None else f"{coverage:.1%} of calls inside their range"
    return finding(
        "etas",
        "Were ETAs honest?",
        f"{inside} ({PROMISED:.0%} promised), off by {median(off):.2f} s at the median"
        + _left_out(evidence),
        problems,
        {
            "ETAs told and called": len(found),
            "left out, told about when the clock was stepped": evidence.left_out.etas,
            "inside their 90 % range": coverage,
            "error, s, median": median(off),
            "error, s, p95": off[min(len(off) - 1, int(0.95 * len(off)))],
            "error, s, largest": off[-1],
            "later than told, s, mean": fmean(one.error_s for one in found),
        },
        judged=wanted is not None,
    )


def _left_out(evidence: Evidence) -> str:
    number = evidence.left_out.etas
    return f"; {number:,} told about when the clock was stepped left out" if number else ""
