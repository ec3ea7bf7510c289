"""Sweeps: a grid of settings over a scenario, each point run several times with its own chance.

Replication r of every point has the r-th child of the seed, so all points meet the same people and
the same weather (common random numbers). Finished runs are kept in a folder and not run again.
"""

import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from simulations import scenario as scenarios
from simulations.confidence import interval
from simulations.results import Folder, Row
from simulations.scenario import Scenario
from simulations.summary import digest, measures

CELLS_MAX = 1_000_000
"""As many small files as a folder bears."""
IN_FLIGHT_MAX = 512
"""Cells handed to an executor at once: enough for a cluster, and little to take back on Ctrl-C."""

Report = Callable[[int, int], None]
"""Told how many cells are finished, and of how many."""


class SweepError(RuntimeError):
    """A cell could not be run; those that are finished are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """What to run."""

    scenario: Scenario
    grid: Mapping[str, Sequence[object]]
    """Values by setting, as `scenario.changed` takes them; empty: the scenario as it is."""
    replications: int = 20
    seed: int = 0

    def points(self) -> list[dict[str, object]]:
        """Every combination of the grid's values, the last setting changing fastest."""
        return [
            dict(zip(self.grid, values, strict=True)) for values in product(*self.grid.values())
        ]

    def cells(self) -> "list[Cell]":
        """Every run, point by point.

        Raises:
            ScenarioError: a setting cannot be made.
            SweepError: there are too many.
        """
        points = self.points()
        if len(points) * self.replications > CELLS_MAX:
            raise SweepError(
                f"{len(points) * self.replications:,} runs: at most {CELLS_MAX:,} in one sweep"
            )
        return [
            Cell(changed, settings, replication, self.seed)
            for settings in points
            for changed in [scenarios.changed(self.scenario, settings)]
            for replication in range(self.replications)
        ]


class Cell(NamedTuple):
    """One run of a sweep: all that a worker needs, wherever it is."""

    scenario: Scenario
    settings: dict[str, object]
    replication: int
    seed: int


class Swept(NamedTuple):
    """A sweep's results."""

    runs: pd.DataFrame
    """One row a run: the settings, `replication`, everything of `summary.measures`, `digest`."""
    intervals: pd.DataFrame
    """One row a point and measure: settings, `measure`, `mean`, `low`, `high` (95 %), `n`."""
    reused: int
    """Runs found finished in the folder."""
    notes: tuple[str, ...]
    """What has changed since the folder was last written to."""


def run_cell(cell: Cell) -> Row:
    """Run one cell: its measures, and the digest of its frames."""
    seed = np.random.SeedSequence(cell.seed, spawn_key=(cell.replication,))
    run = scenarios.play(cell.scenario, seed)
    return {**measures(run, warm_up_us=cell.scenario.warm_up_us), "digest": digest(run)}


def run_sweep(
    sweep: Sweep,
    *,
    out: Path | None = None,
    executor: Executor | None = None,
    report: Report = lambda finished, cells: None,
) -> Swept:
    """Run every cell that is not finished in the folder `out`, and put all together there.

    Any `concurrent.futures.Executor` will do, such as a Dask client's `get_executor()`; without
    one, processes on all cores of this machine. The results do not depend on it. After a stop half
    way, the same call goes on where it was.

    Raises:
        ScenarioError: a setting cannot be made.
        SweepError: a cell failed; those that are finished are kept.
    """
    cells = sweep.cells()
    folder = None if out is None else Folder(out)
    notes = () if folder is None else folder.begin(_description(sweep))
    rows: dict[int, Row] = {} if folder is None else dict(folder.finished(enumerate(cells)))
    reused = len(rows)
    report(reused, len(cells))
    missing = [n for n in range(len(cells)) if n not in rows]
    for n, row in _run(cells, missing, executor):
        rows[n] = row
        if folder is not None:
            folder.keep(cells[n], row)
        report(len(rows), len(cells))
    # By place, not by who was ready first: an executor must not show in the result.
    runs = pd.DataFrame([_labelled(cell, rows[n]) for n, cell in enumerate(cells)])
    swept = Swept(runs, _intervals(runs, list(sweep.grid)), reused, notes)
    if folder is not None:
        folder.end(swept.runs, swept.intervals)
    return swept


def _labelled(cell: Cell, row: Row) -> Row:
    return {**cell.settings, "replication": cell.replication, **row}


def _run(
    cells: Sequence[Cell], missing: Sequence[int], executor: Executor | None
) -> Iterator[tuple[int, Row]]:
    """Run cells, giving each as it is ready."""
    if not missing:
        return
    with _workers(executor, len(missing)) as workers:
        todo = iter(missing)
        running: dict[Future[Row], int] = {}
        try:
            while True:
                for n in todo:
                    running[workers.submit(run_cell, cells[n])] = n
                    if len(running) >= IN_FLIGHT_MAX:
                        break
                if not running:
                    return
                ready, _ = wait(running, return_when=FIRST_COMPLETED)
                # Those that failed come last: what is finished beside them is to be kept.
                for future in sorted(ready, key=lambda one: (_failed(one), running[one])):
                    n = running.pop(future)
                    yield n, _result(future, cells[n])
        finally:
            for future in running:
                future.cancel()


def _failed(future: "Future[Row]") -> bool:
    return future.exception() is not None


def _result(future: "Future[Row]", cell: Cell) -> Row:
    try:
        return future.result()
    except BrokenProcessPool:
        raise SweepError("a worker process was ended, perhaps for want of memory") from None
    except Exception as error:
        where = ", ".join(f"{key}={value}" for key, value in cell.settings.items())
        raise SweepError(
            f"replication {cell.replication} of {where or cell.scenario.name} failed: {error!r}"
        ) from error


@contextmanager
def _workers(executor: Executor | None, cells: int) -> Iterator[Executor]:
    if executor is not None:
        yield executor
        return
    # Forking a process whose progress bar has a thread can leave a lock held for ever.
    with ProcessPoolExecutor(
        min(os.cpu_count() or 1, cells),
        mp_context=get_context("spawn"),
        initializer=_leave_ctrl_c_to_the_parent,
    ) as pool:
        yield pool


def _leave_ctrl_c_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _description(sweep: Sweep) -> dict[str, object]:
    return {
        "scenario": sweep.scenario.name,
        "scenario's text": sweep.scenario.fingerprint,
        "grid": {key: list(values) for key, values in sweep.grid.items()},
        "replications": sweep.replications,
        "seed": sweep.seed,
    }


def _intervals(runs: pd.DataFrame, settings: list[str]) -> pd.DataFrame:
    """Means over replications with their 95 % intervals, by point in the grid's order."""
    told = [*settings, "replication", "digest"]
    names = [name for name in runs.columns if name not in told]
    groups = [((), runs)] if not settings else runs.groupby(settings, sort=False)
    rows = []
    for point, of in groups:
        for name in names:
            found = interval(of[name])
            numbers = {"mean": found.mean, "low": found.low, "high": found.high, "n": found.n}
            rows.append({**dict(zip(settings, point, strict=True)), "measure": name, **numbers})
    return pd.DataFrame(rows)
