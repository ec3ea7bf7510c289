"""A run of kills for people: a line while it goes on, a table at its end."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.chaos.judge import Finding

PROBLEMS_SHOWN = 20
LINES_OF_PROGRESS = 10
"""Where it goes to a file and not to a terminal."""


@dataclass(kw_only=True)
class Report:
    """What a run has done, and what was found."""

    kills: int
    seed: int
    finding: Finding = field(default_factory=Finding)
    problems: list[str] = field(default_factory=list)
    done: int = 0
    aims: Counter[str] = field(default_factory=Counter)
    moments: Counter[str] = field(default_factory=Counter)
    caught: Counter[str] = field(default_factory=Counter)  # Calls that were cut, by message.
    recoveries_s: list[float] = field(default_factory=list)
    cold_recoveries_s: list[float] = field(default_factory=list)
    restarts: Counter[str] = field(default_factory=Counter)  # Of the database server.
    takeovers_s: list[float] = field(default_factory=list)  # From a kill, its host staying down.
    restored_s: list[float] = field(default_factory=list)  # From a kill, its host being up again.
    refused: int = 0  # Messages, for want of the database; each was handed over again.
    errors_logged: int = 0
    took_s: float = 0.0

    @property
    def clean(self) -> bool:
        """Whether every promise was kept."""
        return not self.problems

    def __str__(self) -> str:
        rows = list(self._rows())
        width = max(len(name) for name, _ in rows)
        table = [f"{name:<{width}}  {value:>8}" for name, value in rows]
        more = len(self.problems) - PROBLEMS_SHOWN
        shown = [f"PROBLEM: {problem}" for problem in self.problems[:PROBLEMS_SHOWN]]
        shown += [f"… and {more} more"] if more > 0 else []
        verdict = "clean" if self.clean else f"NOT CLEAN (--seed {self.seed})"
        return "\n".join([*table, *shown, f"{verdict}, {self.took_s:.0f} s"])

    def _rows(self) -> Iterator[tuple[str, object]]:
        found = self.finding
        yield "kills", self.done
        yield from ((f"  {moment}", n) for moment, n in sorted(self.moments.items()))
        yield from ((f"  aimed: {aim}", n) for aim, n in sorted(self.aims.items()))
        yield from ((f"the server's {how}", n) for how, n in sorted(self.restarts.items()))
        yield "calls cut by a kill", self.caught.total()
        yield "messages acknowledged", found.messages
        yield "calls received", found.calls
        yield "messages delivered", found.delivered
        yield "messages held as unknown", found.held
        yield "lost", found.lost
        yield "doubled, not marked", found.doubled_unmarked
        yield "doubled, marked maybe_duplicate", found.doubled_marked
        slack = "-" if found.slack_us is None else f"{found.slack_us / 1_000:.1f}"
        yield "smallest gap less the pace, ms", slack
        times = {
            "restart to first call": self.recoveries_s,
            "  the same with Python's imports": self.cold_recoveries_s,
            "kill to takeover, its host down": self.takeovers_s,
            "  its host up again": self.restored_s,
        }
        for what, seconds in times.items():
            if seconds:
                yield f"{what}, ms, p50 / p100", _p50_p100(seconds)
        if self.refused:
            yield "enqueues refused, and tried again", self.refused
        yield "errors the dispatchers logged", self.errors_logged


def _p50_p100(seconds: Sequence[float]) -> str:
    return f"{median(seconds) * 1e3:.0f} / {max(seconds) * 1e3:.0f}"


def show_progress(report: Report) -> None:
    """Say how far it has come: in place on a terminal, now and then elsewhere."""
    line = (
        f"kill {report.done}/{report.kills}: {report.caught.total()} calls cut, "
        f"{report.moments['mid-call']} kills mid-call, {len(report.problems)} problems"
    )
    last = report.done == report.kills or not report.clean
    if sys.stdout.isatty():
        print(f"\r{line}", end="\n" if last else "", flush=True)
    elif last or report.done % max(1, report.kills // LINES_OF_PROGRESS) == 0:
        print(line, flush=True)
