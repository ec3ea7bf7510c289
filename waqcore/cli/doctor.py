"""`waq doctor`: look at everything the service stands on, and say what to do."""

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from waqcore.cli.errors import NOT_DONE
from waqcore.cli.json_out import show_json
from waqcore.cli.options import Json
from waqcore.cli.screen import console, hanging, room, show
from waqcore.cli.session import environment
from waqcore.words import count, line

if TYPE_CHECKING:
    from rich.console import Console

    from waqcore.doctor import Finding

EXAMPLES = """Examples:
  waq doctor                                    before the first start, and whenever in doubt
  waq doctor --json | jq '.findings[] | select(.grade == "bad")'"""

_STYLES = {"ok": "green", "warn": "yellow", "bad": "bold red"}
_WIDTH = 13
"""Columns of the longest name of a finding, and a space."""


def doctor(json: Json = False) -> None:
    """Look at settings, database, disk, clocks, dispatchers, senders and gateways.

    Each line is ok, warn or bad, with what to do. It asks gateways whether their numbers are
    connected, which sends no message. Exit code 1 if anything is bad. No key is shown.
    """
    # Imported here: SQLAlchemy takes longer to load than `--help` may take.
    from waqcore.clock import SystemClock
    from waqcore.doctor import Grade, examine

    terminal = console()
    findings: list[Finding] = []
    for finding in examine(environment(), SystemClock()):
        findings.append(finding)
        if not json:
            _show(finding, terminal)
    grades = Counter(finding.grade for finding in findings)
    if json:
        show_json(
            {
                "worst": max(findings, key=lambda one: list(Grade).index(one.grade)).grade.value,
                "findings": [asdict(finding) for finding in findings],
            }
        )
    else:
        print(f"{count(grades[Grade.BAD], 'fault')}, {count(grades[Grade.WARN], 'warning')}.")
    if grades[Grade.BAD]:
        raise typer.Exit(NOT_DONE)


def _show(finding: "Finding", terminal: "Console") -> None:
    grade = Text(f"{finding.grade:<5}", _STYLES[finding.grade])
    rest = f"{finding.what:<{_WIDTH}}{line(finding.seen)}"
    show([grade + Text(rest)], terminal)
    if finding.todo:
        show(hanging(" " * (_WIDTH + 5) + "→ ", line(finding.todo), room(terminal)), terminal)
