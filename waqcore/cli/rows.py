"""Records as CSV or JSON lines, to standard output or to a file that is whole or not there."""

import codecs
import csv
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import StrEnum
from io import UnsupportedOperation
from os import fstat
from pathlib import Path
from typing import BinaryIO

from waqcore.cli.errors import NotDone
from waqcore.core.records import AttemptRecord, LaneRecord, MessageRecord

Record = MessageRecord | AttemptRecord | LaneRecord


class Format(StrEnum):
    """How rows are written, always in UTF-8."""

    CSV = "csv"  # None is an empty field, a boolean true or false; the first line has the names.
    JSONL = "jsonl"  # One object a line; None is null.


def write(records: Iterable[Record], kind: type[Record], format_: Format, stream: BinaryIO) -> None:
    """Write records of a kind, one after the other."""
    if format_ is Format.CSV:
        _write_csv(records, kind, stream)
    else:
        _write_jsonl(records, stream)
    stream.flush()


def _write_csv(records: Iterable[Record], kind: type[Record], stream: BinaryIO) -> None:
    # Not a TextIOWrapper: it would close standard output behind itself.
    writer = csv.writer(codecs.getwriter("utf-8")(stream), lineterminator="\n")
    writer.writerow(kind._fields)
    writer.writerows(map(_cells, records))


def _cells(record: Record) -> Iterable[object]:
    if isinstance(record, MessageRecord):  # The one kind with a boolean.
        return (str(cell).lower() if isinstance(cell, bool) else cell for cell in record)
    return record


def _write_jsonl(records: Iterable[Record], stream: BinaryIO) -> None:
    # Imported here: `waq --help` needs none of it.
    from msgspec.json import Encoder

    encoder = Encoder()
    for record in records:
        stream.write(encoder.encode(record._asdict()) + b"\n")


def to_a_file(out: str | None) -> bool:
    """Whether output goes to a file, named or redirected to."""
    if out not in (None, "-"):
        return True
    try:
        return stat.S_ISREG(fstat(sys.stdout.fileno()).st_mode)
    except OSError:
        return False


def _stdout() -> AbstractContextManager[BinaryIO]:
    try:
        # Its own buffer may be none (PYTHONUNBUFFERED), and a write of each row a system call.
        return open(sys.stdout.fileno(), "wb", closefd=False)
    except UnsupportedOperation:  # It is no file to whoever runs us in their own process.
        return nullcontext(sys.stdout.buffer)


@contextmanager
def opened_for(out: str | None) -> Iterator[BinaryIO]:
    """Open the file of that name; None and `-` are standard output.

    What is there already stays until the new one is whole, and stays if that fails.

    Raises:
        NotDone: it cannot be written.
    """
    if out is None or out == "-":
        sys.stdout.flush()
        with _stdout() as stream:
            yield stream
        return
    path = Path(out)
    special = path.exists() and not path.is_file()  # Such as /dev/stdout, or a pipe.
    part = path if special else path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as stream:
            yield stream
        if not special:
            part.replace(path)
    except BaseException as error:
        if not special:
            part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise NotDone(f"{out!r} cannot be written: {error.strerror}") from None
        raise
