"""Frames of messages, calls and lane events from files: a queue's exports, or a simulation's own.

Whatever wrote them, the columns are those of `waqcore.core.records` and each has one type, so that
frames can be laid over each other and concatenated.
"""

import csv
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import get_type_hints

import msgspec
import pandas as pd
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from waqcore.core.records import AttemptRecord, LaneRecord, MessageRecord

Kind = type[MessageRecord] | type[AttemptRecord] | type[LaneRecord]

KINDS: dict[str, Kind] = {
    "messages": MessageRecord,
    "attempts": AttemptRecord,
    "lanes": LaneRecord,
}
"""By the word `waq export` has for each."""

LINES = 50_000
"""JSON lines read at once: as objects they take many times the room of their columns."""

# A column with gaps has a type that holds them without making fractions of whole numbers.
_DTYPES = {int: "int64", int | None: "Int64", bool: "bool", str: "str", str | None: "str"}


class FrameError(ValueError):
    """A file does not hold what it should; the text names it and says what is wrong."""


def dtypes(kind: Kind) -> dict[str, str]:
    """The columns of a kind in their order, and the type of each."""
    return {name: _DTYPES[hint] for name, hint in get_type_hints(kind).items()}


def typed(frame: pd.DataFrame, kind: Kind) -> pd.DataFrame:
    """The same rows, with the columns of the kind in their order and each of its type.

    Raises:
        FrameError: a column is missing, is one too many, or holds what its type cannot.
    """
    wrong = _difference(list(frame.columns), kind)
    if wrong:
        raise FrameError(wrong)
    try:
        return frame[list(kind._fields)].astype(dtypes(kind))
    except (TypeError, ValueError) as error:
        raise FrameError(f"a column of {_word(kind)} holds what it cannot: {error}") from None


def read(path: Path | str, kind: Kind | None = None) -> pd.DataFrame:
    """Read a CSV, JSON-lines or parquet file, or those of a folder, one after the other by name.

    Of a folder, `kind` says which; None: it holds one kind alone.

    Raises:
        FrameError: there is no such file, or its columns are not those of a kind, or of this one.
    """
    path = Path(path)
    if not path.is_dir():
        return _read_file(path, kind or _kind_of(path))
    kinds = {file: _kind_of(file, kind) for file in sorted(path.iterdir()) if file.suffix in _READ}
    of = kind if kind is not None else next(iter(kinds.values()), None)
    wanted = [file for file, its in kinds.items() if its is of]
    if of is None or not wanted or (kind is None and len(wanted) < len(kinds)):
        holds = " and ".join(sorted({_word(its) for its in kinds.values()})) or "no export"
        which = "say which" if kind is None else f"no {_word(kind)}"
        raise FrameError(f"the folder {path} holds {holds}: {which}")
    return pd.concat([_read_file(file, of) for file in wanted], ignore_index=True)


def _read_file(path: Path, kind: Kind) -> pd.DataFrame:
    try:
        wrong = _difference(columns, kind) if (columns := _columns(path)) else ""
        if wrong:
            raise FrameError(wrong)
        return typed(_READ[path.suffix](path, kind), kind)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise FrameError(f"{path}: {error}") from None


def _kind_of(path: Path, empty: Kind | None = None) -> Kind:
    """The kind whose columns a file has; `empty`: what it is if it has none (JSON lines)."""
    try:
        columns = _columns(path)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise FrameError(f"{path}: {error}") from None
    if not columns and empty is not None:
        return empty
    if not columns:
        raise FrameError(f"{path}: it is empty, so say what it should hold")
    closest = max(KINDS.values(), key=lambda kind: len(set(columns) & set(kind._fields)))
    wrong = _difference(columns, closest)
    if wrong:
        raise FrameError(f"{path}: {wrong}")
    return closest


def _difference(columns: list[str], kind: Kind) -> str:
    """In which columns a file is not of a kind, in words; empty: in none."""
    missing = [name for name in kind._fields if name not in columns]
    others = [name for name in columns if name not in kind._fields]
    said = (
        f"without {', '.join(missing)}" if missing else "",
        f"with {', '.join(others)}" if others else "",
    )
    wrong = " and ".join(part for part in said if part)
    return f"its columns are those of {_word(kind)} {wrong}" if wrong else ""


def _word(kind: Kind) -> str:
    return next(word for word, its in KINDS.items() if its is kind)


def _columns(path: Path) -> list[str]:
    if path.suffix not in _READ:
        raise ValueError(f"it is none of {', '.join(_READ)}")
    if path.suffix == ".parquet":
        names: list[str] = pq.read_schema(path).names
        return names
    with path.open(encoding="utf-8", newline="") as lines:
        if path.suffix == ".csv":
            return next(csv.reader(lines), [])
        first = next(lines, None)
    return [] if first is None else list(msgspec.json.decode(first, type=dict[str, object]))


def _read_csv(path: Path, kind: Kind) -> pd.DataFrame:
    gaps = [name for name, hint in get_type_hints(kind).items() if hint in (int | None, str | None)]
    return pd.read_csv(
        path,
        dtype=dtypes(kind),
        keep_default_na=False,  # A reference may well be `NA`.
        na_values={name: [""] for name in gaps},
    )


def _read_jsonl(path: Path, kind: Kind) -> pd.DataFrame:
    line = msgspec.defstruct(
        "line", list(get_type_hints(kind).items()), forbid_unknown_fields=True, gc=False
    )
    decoder = msgspec.json.Decoder(line)
    with path.open("rb") as lines:
        frames = [_frame(some, decoder, kind) for some in _portions(lines)]
    return pd.concat(frames, ignore_index=True)


def _portions(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    """Lines, some at a time; of none, none once."""
    portion = list(islice(lines, LINES))
    yield portion
    while portion := list(islice(lines, LINES)):
        yield portion


def _frame(
    lines: list[bytes], decoder: "msgspec.json.Decoder[msgspec.Struct]", kind: Kind
) -> pd.DataFrame:
    rows = decoder.decode_lines(b"".join(lines))
    columns = {
        name: pd.Series([getattr(row, name) for row in rows], dtype=dtype)
        for name, dtype in dtypes(kind).items()
    }
    return pd.DataFrame(columns)


_READ: dict[str, Callable[[Path, Kind], pd.DataFrame]] = {
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    ".parquet": lambda path, _: pd.read_parquet(path),
}
"""By a file's extension."""
