"""Whether the database can be relied on: reached, written, whole, and with room to grow."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from waqcore.doctor.finding import Finding, bad, ok, warn
from waqcore.store import health, schema
from waqcore.store.address import is_server, path_of, server_of, shown
from waqcore.store.errors import StoreError
from waqcore.store.health import Health

FREE_BYTES_MIN = 200_000_000
"""Below this a busy hour, a log and a copy no longer fit: nothing can be queued soon."""

FREE_BYTES_GOOD = 1_000_000_000

WAL_BYTES_MAX = 100_000_000
"""SQLite starts its log over at 4 MB; one this long is held open by somebody who reads."""


def examine(url: str) -> tuple[list[Finding], Health | None]:
    """Look at the database; None as what was seen: it is not there, or cannot be read."""
    try:
        if is_server(url):
            return _opened(url, shown(server_of(url)))
        path = path_of(url).resolve()
    except StoreError as error:
        return [bad("database", str(error), "correct WAQ_DATABASE_URL")], None
    if not path.exists():
        return [*_not_there(path), *_room(path.parent)], None
    found, seen = _opened(url, str(path))
    return [*found, *_files(path), *_room(path.parent)], seen


def _opened(url: str, name: str) -> tuple[list[Finding], Health | None]:
    try:
        seen = health.look(url)
    except StoreError as error:
        todo = "is the server up, and WAQ_DATABASE_URL right?"
        if url.startswith("sqlite"):
            todo = "if it is damaged, restore a backup: see the runbook, `restored from a backup`"
        return [bad("database", f"{name} cannot be read: {error}", todo)], None
    if seen.broken:
        return [_damaged(seen, name)], seen
    return [_health(seen, name), _schema(seen.revision)], seen


def _damaged(seen: Health, name: str) -> Finding:
    return bad(
        "database",
        f"{name} is damaged: {seen.broken}",
        "stop everything that uses it and restore a backup: see the runbook",
    )


def _health(seen: Health, name: str) -> Finding:
    if seen.fault:
        return bad(
            "database",
            f"{name} cannot be written to: {seen.fault}",
            "check its rights, its disk, and who holds it locked",
        )
    server = f", PostgreSQL {seen.server}" if seen.server else ""
    return ok("database", f"{name} can be read and written{server}")


def _schema(revision: str | None) -> Finding:
    if revision == schema.HEAD:
        return ok("schema", f"{revision}, the newest")
    if revision is None:
        return warn("schema", "no tables yet", "`waq serve` or any command makes them")
    if revision > schema.HEAD:
        return bad(
            "schema",
            f"{revision}, this waqcore knows up to {schema.HEAD}",
            "install the newer waqcore, or restore the backup from before the upgrade",
        )
    return warn(
        "schema",
        f"{revision}, this waqcore has {schema.HEAD}",
        "take a backup, then start: the first command that writes upgrades it",
    )


def _not_there(path: Path) -> Iterator[Finding]:
    folder = path.parent
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        yield ok("database", f"{path} is not there yet; the first start makes it")
    else:
        yield bad(
            "database",
            f"{path} cannot be made: {folder} is no folder we may write to",
            "create the folder, or name another file in WAQ_DATABASE_URL",
        )


def _files(path: Path) -> Iterator[Finding]:
    mode = path.stat().st_mode
    if mode & stat.S_IWOTH:
        yield bad("rights", f"everybody may write {path}", f"run `chmod 600 {path}`")
    elif mode & stat.S_IROTH and _reachable(path):
        yield warn(
            "rights",
            f"everybody on this machine may read {path}, numbers and texts included",
            f"run `chmod 600 {path}`",
        )
    else:
        yield ok("rights", f"{path} is closed to others")
    log = Path(f"{path}-wal")
    size = log.stat().st_size if log.exists() else 0
    if size > WAL_BYTES_MAX:
        yield warn(
            "log",
            f"{log} has {size / 1e6:,.0f} MB",
            "a reader holds it open for long: look for a stuck `waq export` or backup",
        )
    else:
        yield ok("log", f"{size / 1e6:,.1f} MB not yet in the database's file")


def _reachable(path: Path) -> bool:
    """Whether others can get to it through its folders."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.parents)


def _room(folder: Path) -> Iterator[Finding]:
    if not folder.is_dir():
        return
    free = shutil.disk_usage(folder).free
    seen = f"{free / 1e9:,.1f} GB free at {folder}"
    todo = "free some: a full disk stops every enqueue and every call"
    if free < FREE_BYTES_MIN:
        yield bad("disk", seen, todo)
    elif free < FREE_BYTES_GOOD:
        yield warn("disk", seen, todo)
    else:
        yield ok("disk", seen)
