"""A sweep's folder: a file for each finished run, and the tables made of them at the end.

A run's file is named by a digest of all that decides its result: the scenario with its settings,
the seed, the replication, and the code. What has changed is thus not found, and run anew; what was
changed back is found again. Every file appears whole or not at all.
"""

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import pandas as pd

from simulations.files import write_whole
from simulations.scenario import Scenario

Row = dict[str, object]

RESULTS_OF = ("simulations.scenario", "simulations.summary")
"""The modules that make a run's result; what they import, they import for it."""
OURS = ("simulations", "waqcore")


class CellLike(Protocol):
    """One run, by what decides its result."""

    @property
    def scenario(self) -> Scenario:
        """With its settings made."""

    @property
    def replication(self) -> int:
        """Which child of the seed it has."""

    @property
    def seed(self) -> int:
        """The sweep's."""


class Folder:
    """Where a sweep's results are."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cells = path / "runs"
        self._manifest = path / "sweep.json"

    def begin(self, description: Mapping[str, object]) -> tuple[str, ...]:
        """Note what is run here; returns what differs from the last time."""
        now = {**description, "code": code()}
        self._cells.mkdir(parents=True, exist_ok=True)
        before = _loaded(self._manifest)
        write_whole(self._manifest, json.dumps(now, indent=2, default=str).encode())
        now = json.loads(json.dumps(now, default=str))
        if before is None:
            return ()
        return tuple(
            f"{key} has changed since this folder was last used"
            for key in now
            if now[key] != before.get(key)
        )

    def finished(self, cells: "Iterable[tuple[int, CellLike]]") -> Iterator[tuple[int, Row]]:
        """Those of the cells that have been run, each with its result."""
        for n, cell in cells:
            row = _loaded(self._file(cell))
            if row is not None:
                yield n, row

    def keep(self, cell: CellLike, row: Row) -> None:
        """Keep a finished run."""
        write_whole(self._file(cell), json.dumps(row).encode())

    def end(self, runs: pd.DataFrame, intervals: pd.DataFrame) -> None:
        """Write the tables."""
        for name, frame in (("runs", runs), ("intervals", intervals)):
            write_whole(self._path / f"{name}.parquet", frame.to_parquet(index=False))

    def _file(self, cell: CellLike) -> Path:
        parts = (cell.scenario.fingerprint, str(cell.seed), str(cell.replication), code())
        return self._cells / f"{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:32]}.json"


@cache
def code() -> str:
    """What the code is that results depend on: its own text, and the libraries it draws with."""
    texts: dict[str, bytes] = {}
    for module in RESULTS_OF:
        _gather(module, texts)
    taken = hashlib.sha256()
    for module in sorted(texts):
        taken.update(module.encode() + texts[module])
    for library in ("numpy", "scipy", "simpy"):
        taken.update(version(library).encode())
    return taken.hexdigest()[:16]


def _gather(module: str, texts: dict[str, bytes]) -> None:
    """The text of a module of ours, and of those it imports."""
    if module in texts or module.partition(".")[0] not in OURS:
        return
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:  # A name in a module, such as `simulations.run.Run`.
        return
    if spec is None or spec.origin is None:
        return
    texts[module] = Path(spec.origin).read_bytes()
    for imported in _imports(ast.parse(texts[module])):
        _gather(imported, texts)


def _imports(tree: ast.Module) -> Iterator[str]:
    """Every name a module may have imported another by."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def _loaded(path: Path) -> Row | None:
    """A file's object; None: there is none, or it was cut short by something else than us."""
    try:
        found = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None
