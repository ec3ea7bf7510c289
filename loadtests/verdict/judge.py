"""Everything that is judged about a run, together."""

from dataclasses import asdict, dataclass

from loadtests.verdict import (
    accounted,
    attempts,
    budget,
    doubles,
    etas,
    http,
    order,
    pace,
    recovery,
    resources,
)
from loadtests.verdict.evidence import Evidence
from loadtests.verdict.finding import Finding, State

CHECKS = (
    accounted.check,
    doubles.check,
    pace.check,
    order.check,
    attempts.check,
    budget.check,
    recovery.check,
    etas.check,
    resources.check,
    http.check,
)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """All findings; clean if none is broken."""

    findings: list[Finding]

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return all(one.state is not State.BROKEN for one in self.findings)

    def finding(self, name: str) -> Finding:
        """One finding by its name."""
        return next(one for one in self.findings if one.name == name)

    def shown(self, evidence: Evidence) -> dict[str, object]:
        """The verdict for machines."""
        run = evidence.run
        return {
            "clean": self.clean,
            "scenario": run.scenario,
            "seed": run.seed,
            "end": run.end,
            "parameters": run.parameters,
            "versions": run.versions,
            "remarks": run.remarks,
            "findings": {one.name: asdict(one) for one in self.findings},
        }


def judge(evidence: Evidence) -> Verdict:
    """Ask every check."""
    return Verdict(findings=[check(evidence) for check in CHECKS])
