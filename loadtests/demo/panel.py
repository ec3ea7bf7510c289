"""The verdict as a panel on a terminal; fits 80 columns."""

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from loadtests.demo.judgement import Judgement, Reached
from loadtests.demo.plan import TOLERANCE_S
from loadtests.mock_gateway.verdict import Disorder, Finding


def render(judgement: Judgement) -> RenderableType:
    """Draw a judgement."""
    clean = not judgement.problems
    said = Text("clean", style="bold green") if clean else Text("not clean", style="bold red")
    return Panel(
        Group(_counts(judgement), _arrivals(judgement), *_problems(judgement)),
        title=Text.assemble("The gateway's verdict: ", said),
        border_style="green" if clean else "red",
        padding=(1, 2),
        expand=False,
    )


def _counts(judgement: Judgement) -> Table:
    verdict = judgement.verdict
    gap_s = judgement.smallest_gap_s
    counts = {
        "calls": str(verdict.calls),
        "delivered": str(verdict.delivered),
        "lost": _count(verdict.lost),
        "doubled": _count(verdict.doubled),
        "out of order": str(_disorder(verdict.inversions) + _disorder(verdict.overtaken)),
        "smallest gap": "none" if gap_s is None else f"{gap_s:.3f} s",
        "pace": f"{judgement.pace_s:.3f} s",
    }
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for heading in counts:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_row(*(Text(value, style="bold") for value in counts.values()))
    return table


def _arrivals(judgement: Judgement) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        caption=f"payment links are held to {TOLERANCE_S:g} s",
        caption_justify="left",
    )
    table.add_column("reached the gateway")
    for heading in ("due (s)", "arrived (s)", "off by (s)"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for one in judgement.reached:
        table.add_row(*_cells(one), style="" if one.is_judged else "dim")
    return table


def _cells(one: Reached) -> tuple[str | Text, ...]:
    mark = Text("ok", style="green") if one.is_on_time else Text("off", style="bold red")
    return (
        f"{one.message.kind} to {one.message.user}",
        f"{one.due_s:.3f}",
        "never" if one.arrived_s is None else f"{one.arrived_s:.3f}",
        "" if one.off_s is None else f"{one.off_s:+.3f}",
        mark if one.is_judged else "",
    )


def _problems(judgement: Judgement) -> list[RenderableType]:
    return [Text(f"- {problem}", style="red") for problem in judgement.problems]


def _count(finding: Finding | None) -> str:
    return "0" if finding is None else str(finding.count)


def _disorder(found: Disorder | None) -> int:
    return 0 if found is None else found.count
