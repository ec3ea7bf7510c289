"""Nothing lost, no silent double, the pace and the order, under `kill -9` at random instants."""

from pathlib import Path

from tests.chaos.kills import Plan, run

SEED = 30
"""One of many: `python -m tests.chaos.kills` takes a new one each time."""


def test_thirty_kills_of_the_dispatcher_lose_nothing_and_double_nothing_silently(
    tmp_path: Path,
) -> None:
    report = run(Plan(kills=30, seed=SEED, pace_s=0.3), tmp_path, lambda _: None)

    assert report.clean, f"seed {SEED}\n{report}"
    assert report.done == 30
    # A run that met no call in flight would prove nothing.
    assert report.caught.total() > 0
    assert report.finding.held > 0
    assert report.finding.doubled_marked > 0
