"""What reaches the terminal: lines and tables, cropped to its width, plain where it is none."""

import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from textwrap import wrap
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

Cell = str | Text

GAP = "  "


def console() -> Console:
    """The terminal; where output is piped, lines are never cropped or wrapped."""
    piped = not sys.stdout.isatty()
    return Console(highlight=False, markup=False, emoji=False, soft_wrap=piped)


def room(terminal: Console) -> int:
    """Columns a line may have."""
    return terminal.width if terminal.is_terminal else 10_000


def show(lines: Iterable[Cell], terminal: Console | None = None) -> None:
    """Print lines."""
    terminal = terminal or console()
    for line in map(_text, lines):
        if terminal.soft_wrap:
            terminal.print(line)
        else:  # Printing drops what a text says of its own wrapping.
            terminal.print(line, no_wrap=line.no_wrap, overflow=line.overflow)


@dataclass(frozen=True)
class Row:
    """A row of a table; its note stands beside it where there is room, else below."""

    cells: Sequence[Cell]
    note: str = ""


def table(
    header: Sequence[str], rows: Sequence[Row], *, room: int, numbers: Collection[str] = ()
) -> list[Text]:
    """Rows in columns under a header, without rules, so that grep and awk can read them.

    The header's last word is the notes'; `numbers` are the columns aligned to the right.
    """
    *titles, note_title = header
    cells = [[_text(cell) for cell in row.cells] for row in rows]
    columns = [
        _Column(max([len(title), *(row[n].cell_len for row in cells)]), title in numbers)
        for n, title in enumerate(titles)
    ]
    free = room - sum(column.width + len(GAP) for column in columns)
    beside = [0 < len(row.note) <= free for row in rows]
    top = [*titles, note_title] if any(beside) else titles
    lines = [_joined([Text(word, "bold") for word in top], columns)]
    for row, texts, fits in zip(rows, cells, beside, strict=True):
        lines.append(_joined([*texts, Text(row.note)] if fits else texts, columns))
        if row.note and not fits:
            lines += [Text(part, "dim") for part in hanging(GAP, row.note, room)]
    return lines


def fields(pairs: Iterable[tuple[str, Cell]], *, indent: str = GAP) -> list[Text]:
    """Names and values, the values under each other; those without a value are left out."""
    known = [(name, _text(value)) for name, value in pairs if value]
    width = max((len(name) for name, _ in known), default=0)
    return [
        Text.assemble(indent, (f"{name:<{width}}", "bold"), GAP, value) for name, value in known
    ]


def heading(text: str) -> list[Text]:
    """A section's title, an empty line before it."""
    return [Text(), Text(text, "bold underline")]


def hanging(prefix: str, text: str, room: int) -> list[str]:
    """A text after a prefix, its further lines starting under its first."""
    indent = " " * len(prefix)
    return wrap(text, room, initial_indent=prefix, subsequent_indent=indent) or [prefix]


class _Column(NamedTuple):
    width: int
    to_the_right: bool


def _text(cell: Cell) -> Text:
    return cell if isinstance(cell, Text) else Text(cell)


def _joined(cells: Sequence[Text], columns: Sequence[_Column]) -> Text:
    """A line of cells, each as wide as its column; one too many is as wide as it is."""
    line = Text(no_wrap=True, overflow="ellipsis")
    for cell, column in zip_longest(cells, columns):
        if cell is None:
            break
        padding = " " * (column.width - cell.cell_len) if column is not None else ""
        right = column is not None and column.to_the_right
        line.append(padding if right else "").append_text(cell)
        line.append(GAP if right else padding + GAP)
    line.rstrip()
    return line
