"""Arrivals as they were: a CSV file, such as an export of a queue's messages."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from simulations.workload import Ints
from simulations.written import ScenarioError
from waqcore.core.message import Priority

INSTANT_COLUMNS = ("enqueued_at", "at")
"""The first of these that a file has: the exports' own name, and a shorter one for people."""

EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
INSTANT_MAX = 2**53
"""The year 2255: beyond it somebody wrote nanoseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Arrivals read from a file, one a row, replayed so that the first comes at the start."""

    path: Path
    at: Ints = field(repr=False, compare=False)
    """Microseconds since the epoch, in order."""
    priority: Ints | None = field(repr=False, compare=False)
    """By arrival; None: the file has no such column."""

    def instants(self, starts_at: int, rng: np.random.Generator) -> Ints:
        """The file's instants, moved as one."""
        return self.at - self.at[0] + starts_at if len(self.at) else self.at


def read(path: Path) -> Trace:
    """Read a trace: a header, then one arrival a row.

    Instants are ISO-8601 with an offset, or whole microseconds since the epoch. A column `priority`
    (`high`, `normal`, `low`) is read where there is one; other columns are left alone.

    Raises:
        ScenarioError: a row cannot be read; it names the line and the value.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            rows = csv.DictReader(lines, strict=True)
            return _trace(path, rows, rows.fieldnames or ())
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ScenarioError(f"{path}: is not a CSV file in UTF-8: {error}") from None


def _trace(path: Path, rows: "csv.DictReader[str]", names: Sequence[str]) -> Trace:
    column = next((name for name in INSTANT_COLUMNS if name in names), None)
    if column is None:
        found = ", ".join(names) or "none"
        raise ScenarioError(
            f"{path}: line 1: no column of instants among: {found}; "
            f"write one named {' or '.join(INSTANT_COLUMNS)}"
        )
    at: list[int] = []
    priority: list[int] = []
    for row in rows:
        where = f"{path}: line {rows.line_num}"
        at.append(_instant(row.get(column), where, column))
        if "priority" in names:
            priority.append(_priority(row, where))
    order = np.argsort(np.array(at, dtype=np.int64), kind="stable")
    return Trace(
        path=path,
        at=np.array(at, dtype=np.int64)[order],
        priority=np.array(priority, dtype=np.int64)[order] if "priority" in names else None,
    )


def _instant(text: str | None, where: str, column: str) -> int:
    text = (text or "").strip()
    write = "write 2026-03-01T10:00:00+07:00, or microseconds since the epoch"
    if text.isascii() and text.isdigit() and int(text) < INSTANT_MAX:
        return int(text)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ScenarioError(f"{where}: {column} = {text!r}: {write}") from None
    if at.tzinfo is None:
        raise ScenarioError(f"{where}: {column} = {text!r} has no offset: {write}")
    return (at - EPOCH) // timedelta(microseconds=1)


def _priority(row: Mapping[str, str | None], where: str) -> int:
    text = (row.get("priority") or "").strip()
    for priority in Priority:
        if text == priority.word:
            return int(priority)
    raise ScenarioError(f"{where}: priority = {text!r}: write high, normal or low")
