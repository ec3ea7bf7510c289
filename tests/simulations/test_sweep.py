import os
import signal
import subprocess
import sys
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from simulations.confidence import interval
from simulations.scenario import changed, load, play
from simulations.summary import measures
from simulations.sweep import Cell, Sweep, SweepError, Swept, run_cell, run_sweep
from simulations.written import ScenarioError


class Here(Executor):
    """Runs cells at once, in this process, and counts them."""

    def __init__(self) -> None:
        self.ran = 0

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        self.ran += 1
        future: Future[object] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def small(**differences: object) -> Sweep:
    given: dict[str, object] = {
        "scenario": load("failing-messages"),
        "grid": {"pace": [8, 10], "senders": [1, 2]},
        "replications": 3,
        "seed": 1,
    }
    return Sweep(**{**given, **differences})  # type: ignore[arg-type]


def swept(sweep: Sweep, out: Path | None = None) -> tuple[Swept, int]:
    """A sweep's results, and how many cells it had to run."""
    here = Here()
    return run_sweep(sweep, out=out, executor=here), here.ran


def files(out: Path) -> list[Path]:
    return sorted((out / "runs").glob("*.json"))


def tables(out: Path) -> tuple[bytes, bytes]:
    return (out / "runs.parquet").read_bytes(), (out / "intervals.parquet").read_bytes()


def test_a_sweep_runs_each_point_of_its_grid_with_every_replication() -> None:
    runs = swept(small())[0].runs

    points = runs[["pace", "senders", "replication"]].to_numpy().tolist()
    assert points == [[p, s, r] for p in (8, 10) for s in (1, 2) for r in (0, 1, 2)]
    assert (runs["smallest_gap_s"] >= runs["pace"]).all()


def test_a_cell_is_the_run_of_its_settings_and_its_child_of_the_seed() -> None:
    runs = swept(small())[0].runs

    row = runs[(runs["pace"] == 8) & (runs["senders"] == 2) & (runs["replication"] == 1)].iloc[0]
    child = np.random.SeedSequence(1).spawn(3)[1]
    alone = play(changed(load("failing-messages"), {"pace": 8, "senders": 2}), child)
    assert {name: row[name] for name in measures(alone)} == pytest.approx(
        measures(alone), nan_ok=True
    )


def test_points_meet_the_same_people_and_replications_others() -> None:
    runs = swept(small(grid={"gather": [0, 0.5]}))[0].runs

    calls = {gather: of["calls"].tolist() for gather, of in runs.groupby("gather")}
    assert calls[0.0] == calls[0.5]
    assert runs["digest"].nunique() == 6


def test_intervals_are_over_the_replications_of_a_point() -> None:
    found = swept(small())[0]

    of = found.runs[(found.runs["pace"] == 10) & (found.runs["senders"] == 1)]["last_high_s"]
    table = found.intervals
    row = table[
        (table["pace"] == 10) & (table["senders"] == 1) & (table["measure"] == "last_high_s")
    ]
    expected = interval(of)
    assert row[["mean", "low", "high", "n"]].to_numpy().tolist() == [
        [expected.mean, expected.low, expected.high, 3]
    ]
    assert "digest" not in set(found.intervals["measure"])


def test_a_scenario_without_a_grid_is_replicated() -> None:
    found = swept(small(grid={}))[0]

    assert found.runs["replication"].tolist() == [0, 1, 2]
    assert found.intervals.set_index("measure").loc["messages", "mean"] == 120


def test_one_core_two_cores_and_this_process_give_the_same_bytes(tmp_path: Path) -> None:
    spawn = get_context("spawn")
    with (
        ProcessPoolExecutor(1, mp_context=spawn) as one,
        ProcessPoolExecutor(2, mp_context=spawn) as two,
    ):
        run_sweep(small(), out=tmp_path / "one", executor=one)
        run_sweep(small(), out=tmp_path / "two", executor=two)
        elsewhere = two.submit(play, load("retry-storm"), 5).result()
    run_sweep(small(), out=tmp_path / "here", executor=Here())

    assert tables(tmp_path / "one") == tables(tmp_path / "two") == tables(tmp_path / "here")
    here = play(load("retry-storm"), 5)
    for frame, other in (
        (here.messages(), elsewhere.messages()),
        (here.attempt_rows(), elsewhere.attempt_rows()),
        (here.lane_rows(), elsewhere.lane_rows()),
    ):
        assert frame.to_csv().encode() == other.to_csv().encode()


def test_dasks_cluster_gives_the_same_table() -> None:
    from dask.distributed import Client, LocalCluster

    with (
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,  # type: ignore[no-untyped-call]
    ):
        found = run_sweep(small(), executor=client.get_executor())

    pd.testing.assert_frame_equal(found.runs, swept(small())[0].runs)


def test_all_cores_are_used_unless_told_otherwise(tmp_path: Path) -> None:
    found = run_sweep(small(grid={}), out=tmp_path)

    pd.testing.assert_frame_equal(found.runs, swept(small(grid={}))[0].runs)


def test_finished_runs_are_not_run_again(tmp_path: Path) -> None:
    assert swept(small(), tmp_path)[1] == 12
    before = tables(tmp_path)

    again, ran = swept(small(), tmp_path)

    assert ran == 0
    assert again.reused == 12
    assert again.notes == ()
    assert tables(tmp_path) == before


def test_a_run_that_is_missing_or_cut_short_is_run_again(tmp_path: Path) -> None:
    swept(small(), tmp_path)
    before = tables(tmp_path)
    gone, short, empty, *_ = files(tmp_path)
    gone.unlink()
    short.write_bytes(short.read_bytes()[:100])
    empty.write_bytes(b"")

    assert swept(small(), tmp_path)[1] == 3
    assert tables(tmp_path) == before


def test_more_replications_and_values_run_only_what_is_new(tmp_path: Path) -> None:
    swept(small(), tmp_path)

    more, ran = swept(small(replications=4), tmp_path)
    wider, ran_wider = swept(small(grid={"pace": [8, 9, 10], "senders": [1, 2]}), tmp_path)

    assert (ran, more.reused) == (4, 12)
    assert more.notes == ("replications has changed since this folder was last used",)
    assert (ran_wider, wider.reused) == (6, 12)


@pytest.mark.parametrize(
    ("other", "what"),
    [({"seed": 2}, "seed"), ({"scenario": load("retry-storm")}, "scenario")],
)
def test_another_seed_or_scenario_is_noticed_and_run_anew(
    tmp_path: Path, other: dict[str, object], what: str
) -> None:
    swept(small(), tmp_path)
    before = tables(tmp_path)

    anew, ran = swept(small(**other), tmp_path)
    back, ran_back = swept(small(), tmp_path)

    assert (ran, ran_back) == (12, 0)
    assert f"{what} has changed since this folder was last used" in anew.notes
    assert back.notes == anew.notes
    assert tables(tmp_path) == before


def test_other_code_is_noticed_and_run_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept(small(grid={}), tmp_path)
    monkeypatch.setattr("simulations.results.code", lambda: "another commit")

    anew, ran = swept(small(grid={}), tmp_path)

    assert ran == 3
    assert anew.notes == ("code has changed since this folder was last used",)


KILLED = """
import os, signal, sys
from pathlib import Path
from simulations.scenario import load
from simulations.sweep import Sweep, run_sweep
from tests.simulations.test_sweep import Here, small

def kill(finished, cells):
    if finished == 5:
        os.kill(os.getpid(), signal.SIGKILL)

run_sweep(small(), out=Path(sys.argv[1]), executor=Here(), report=kill)
"""


def test_a_sweep_that_was_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert len(files(tmp_path)) == 5
    assert not (tmp_path / "runs.parquet").exists()

    on, ran = swept(small(), tmp_path)

    assert (ran, on.reused) == (7, 5)
    pd.testing.assert_frame_equal(on.runs, swept(small())[0].runs)


def test_a_write_that_is_cut_short_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match="No space left"):
        swept(small(), tmp_path)

    assert list(tmp_path.rglob("*.*")) == []


def test_a_cell_that_fails_is_named_and_the_others_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails_for_two(cell: Cell) -> dict[str, object]:
        if cell.settings["senders"] == 2:
            raise ZeroDivisionError
        return run_cell(cell)

    monkeypatch.setattr("simulations.sweep.run_cell", fails_for_two)

    with pytest.raises(SweepError, match="replication 0 of pace=8, senders=2 failed: ZeroDiv"):
        swept(small(), tmp_path)

    assert len(files(tmp_path)) == 6


def test_a_point_that_cannot_be_made_stops_before_anything_runs(tmp_path: Path) -> None:
    here = Here()

    with pytest.raises(ScenarioError, match=r"policy.pace_s = 0: write seconds"):
        run_sweep(small(grid={"pace": [8, 0]}), out=tmp_path, executor=here)

    assert here.ran == 0


def test_too_many_runs_are_refused() -> None:
    with pytest.raises(SweepError, match="4,000,000 runs: at most 1,000,000"):
        swept(small(replications=1_000_000))


def test_a_steady_scenarios_warm_up_is_cut_from_its_waits() -> None:
    whole = changed(load("priority-mix"), {"warm_up": 0})

    with_cut = run_cell(Cell(load("priority-mix"), {}, 0, 1))
    without = run_cell(Cell(whole, {}, 0, 1))

    assert with_cut["digest"] == without["digest"]
    assert with_cut["messages"] == without["messages"]
    assert with_cut["low_sent"] < without["low_sent"]  # type: ignore[operator]
