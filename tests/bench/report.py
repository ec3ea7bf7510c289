"""A bench's figures beside their bars."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured thing; `value` and `bar` are in the same unit."""

    name: str
    value: float
    unit: str
    bar: float
    at_least: bool
    """True: `value` must reach the bar; False: it must not pass it."""
    detail: str = ""

    @property
    def holds(self) -> bool:
        """Whether the bar is met."""
        return self.value >= self.bar if self.at_least else self.value <= self.bar


def show(figures: Sequence[Figure]) -> None:
    """Print the figures as a table."""
    table = Table(title="waqcore bench")
    for heading in ("", "measured", "bar", "", "how"):
        table.add_column(heading, justify="right" if heading in ("measured", "bar") else "left")
    for figure in figures:
        sign = "≥" if figure.at_least else "≤"
        table.add_row(
            figure.name,
            f"{figure.value:,.3g} {figure.unit}"
            if figure.value < 100
            else f"{figure.value:,.0f} {figure.unit}",
            f"{sign} {figure.bar:g}",
            "holds" if figure.holds else "[bold red]MISSED[/]",
            figure.detail,
        )
    Console().print(table)


def save(figures: Sequence[Figure], path: Path) -> None:
    """Write the figures as JSON."""
    path.parent.mkdir(exist_ok=True)
    rows = [{**asdict(figure), "holds": figure.holds} for figure in figures]
    path.write_text(json.dumps(rows, indent=1))
