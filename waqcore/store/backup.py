"""A copy of a SQLite database made while others write to it, checked, and safe to start from."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, NullPool, create_engine

from waqcore.store.errors import StoreError

PRIVATE = 0o600
"""The copy's rights: it holds numbers and texts."""


class BackupError(StoreError):
    """The copy could not be made; nothing is left of it."""


def copy(source: Path, target: Path, finish: Callable[[Connection], None]) -> int:
    """Copy a database as it stands at one instant; returns the bytes of the copy.

    It only reads, and holds up nobody. `finish` changes the copy before anyone can see it: the
    target is whole or not there.

    Raises:
        BackupError: the target is there already, or cannot be written.
    """
    if target.exists():
        raise BackupError(f"{target} is there already: name a file that is not, such as one dated")
    part = target.with_name(f".{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch(PRIVATE)
        _vacuum_into(source, part)
        _change(part, finish)
        _refuse_broken(part)
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(f"{target} cannot be written: {error}; nothing was kept of it") from error
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size


def _vacuum_into(source: Path, part: Path) -> None:
    # Not the backup API: with that, a write by another process starts the copy over.
    address = f"file:{quote(str(source.resolve()))}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        connection.execute("VACUUM INTO ?", (str(part),))


def _change(part: Path, finish: Callable[[Connection], None]) -> None:
    engine = create_engine(f"sqlite:///{part}", poolclass=NullPool, hide_parameters=True)
    with engine.begin() as connection:
        finish(connection)


def _refuse_broken(part: Path) -> None:
    with closing(sqlite3.connect(part)) as connection:
        ((said, *_), *_) = connection.execute("PRAGMA integrity_check(1)")
    if said != "ok":
        raise BackupError(
            f"the copy is broken ({said}), and so may be the database: check its disk, "
            "and see the runbook, `disk full`"
        )
