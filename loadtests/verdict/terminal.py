"""The verdict as one table on the terminal."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from loadtests.verdict.evidence import Evidence
from loadtests.verdict.finding import Finding, State
from loadtests.verdict.judge import Verdict

EXAMPLES_SHOWN = 3  # Of each problem; the report has more.

_MARKS = {
    State.CLEAN: "[green]clean[/]",
    State.BROKEN: "[bold red]BROKEN[/]",
    State.TOLD: "[dim]told[/]",
}


def show(console: Console, verdict: Verdict, evidence: Evidence) -> None:
    """Print the verdict."""
    run = evidence.run
    result = "[bold green]clean[/]" if verdict.clean else "[bold red]NOT CLEAN[/]"
    table = Table(
        title=f"{escape(run.scenario)}, pace {run.pace_s:g} s, seed {run.seed}: {result}",
        title_justify="left",
        pad_edge=False,
    )
    table.add_column("judged", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("found")
    for finding in verdict.findings:
        table.add_row(finding.question, _MARKS[finding.state], _found(finding))
    console.print(table)
    for remark in run.remarks:
        console.print(f"[dim]{escape(remark)}[/]")


def _found(finding: Finding) -> str:
    lines = [escape(finding.said)]
    lines += [f"[red]· {escape(example)}[/]" for example in finding.examples[:EXAMPLES_SHOWN]]
    more = finding.problems - min(EXAMPLES_SHOWN, len(finding.examples))
    if more > 0:
        lines.append(f"[red]· and {more:,} more[/]")
    return "\n".join(lines)
