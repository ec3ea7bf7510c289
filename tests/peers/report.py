"""The table: on the terminal, as a fragment of Markdown, and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.peers.pacing import BACK_US_MAX, PLAYS, Run
from tests.peers.peer import KEYS, Peer
from tests.peers.rates import CELL_S, Rates

US = 1_000_000
PACED = ("peer", *(play.name for play in PLAYS), "all held")
RATED = (
    "peer",
    "durable",
    "enqueue one by one",
    "enqueue by 100",
    f"the same for {KEYS:,} keys",
    "dispatch",
    f"dispatch, {KEYS:,} keys one at a time",
    "beside: fsync/s",
)


@dataclass(kw_only=True)
class Line:
    """What was found of a peer."""

    peer: Peer
    runs: list[Run] = field(default_factory=list)
    rates: list[Rates] = field(default_factory=list)
    absent: str = ""
    """Why there is nothing, or not all; empty: there is."""

    @property
    def holds(self) -> bool:
        """Whether pace, order and every message were kept in every run, and it came back."""
        return len(self.runs) == len(PLAYS) and all(run.keeps_all for run in self.runs)


def run_in_words(run: Run) -> str:
    """A run in one cell: what it did first, then what is wrong."""
    verdict = run.verdict
    words = ["no call" if verdict.gap_us is None else f"gap {verdict.gap_us / US:.3f} s"]
    if verdict.disordered:
        words.append(f"{verdict.disordered} out of order")
    if verdict.lost:
        words.append(f"{verdict.lost} of {run.play.messages} lost")
    if verdict.doubled:
        words.append(f"{verdict.doubled} doubled")
    if verdict.cut:
        words.append(
            f"not re-run in {run.play.within_s:.0f} s"
            if verdict.rerun_us is None
            else f"re-run after {verdict.rerun_us / US:.1f} s"
        )
    elif run.play.kill and not run.play.between:
        words.append("no call cut")
    return ", ".join(words)


def rate_in_words(rate: float | None, *, none: str) -> str:
    """A rate with the digits it deserves."""
    if rate is None:
        return none
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"


def paced_cells(line: Line) -> list[str]:
    """One row of the first table."""
    by_play = {run.play.name: run_in_words(run) for run in line.runs}
    cells = [by_play.get(play.name, "not run") for play in PLAYS]
    return [line.peer.title, *cells, "yes" if line.holds else "no"]


def rated_cells(line: Line) -> list[str]:
    """One row of the second table; short queue and long, with a slash between."""

    def both(name: str, none: str) -> str:
        return " / ".join(rate_in_words(getattr(one, name), none=none) for one in line.rates)

    def of_keys(name: str, none: str) -> str:
        keyed = [one.keyed for one in line.rates if one.keyed is not None]
        return " / ".join(rate_in_words(getattr(one, name), none=none) for one in keyed) or "–"

    long = line.rates[-1].queued if line.rates else 0
    return [
        line.peer.title + (f" (long: {long:,})" if 0 < long < 99_000 else ""),
        "yes" if line.peer.durable else "no",
        both("one", "–"),
        both("many", "–"),
        of_keys("many", "–"),
        both("dispatch", f"> {CELL_S} s"),
        of_keys("dispatch", f"> {CELL_S} s"),
        both("floor", "–"),
    ]


def markdown(lines: Sequence[Line]) -> str:
    """Both tables and what they need to be read, for the README."""
    present = [line for line in lines if line.runs or line.rates]
    parts = []
    for headings, cells in ((PACED, paced_cells), (RATED, rated_cells)):
        rows = [cells(line) for line in present if line.runs or headings is RATED]
        if headings is RATED:
            rows = [cells(line) for line in present if line.rates]
        parts.append(_as_markdown(headings, rows))
    notes = [f"- {line.peer.title}: {line.peer.paced_by}." for line in present]
    notes += [f"- {line.peer.title}: {line.peer.remark}." for line in present if line.peer.remark]
    notes += [f"- {line.peer.title}: {line.absent}" for line in lines if line.absent]
    return "\n\n".join([*parts, "\n".join(notes)]) + "\n"


def _as_markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def show(lines: Sequence[Line]) -> None:
    """Print both tables."""
    console = Console()
    paced = _table(f"pace, order, loss; back in {BACK_US_MAX // US} s", PACED)
    rated = _table("messages per second, queue of 0 / of 100,000", RATED)
    for line in lines:
        if line.runs:
            paced.add_row(*paced_cells(line), style="bold" if line.holds else "")
        if line.rates:
            rated.add_row(*rated_cells(line))
    for table in (paced, rated):
        if table.row_count:
            console.print(table)
    for line in lines:
        if line.absent:
            console.print(f"{line.peer.title}: {line.absent}", style="yellow", highlight=False)


def _table(title: str, headings: Sequence[str]) -> Table:
    table = Table(title=title)
    for heading in headings:
        table.add_column(heading)
    return table


def save(lines: Sequence[Line], folder: Path) -> None:
    """Write the fragment and the figures."""
    (folder / "peers.md").write_text(markdown(lines))
    figures = [{**asdict(line), "holds": line.holds} for line in lines]
    (folder / "peers.json").write_text(json.dumps(figures, indent=1))
