"""Three hosts on one server: dispatchers killed, the server restarted, and every promise kept."""

from pathlib import Path

from tests.chaos.hosts import Plan, run
from tests.postgres import server

SEED = 30
"""One of many: `python -m tests.chaos.hosts` takes a new one each time."""


def test_kills_and_restarts_of_the_server_lose_nothing_and_double_nothing_silently(
    tmp_path: Path,
) -> None:
    plan = Plan(kills=20, restarts=2, seed=SEED, pace_s=0.25)
    with server() as postgres, postgres.database() as url:
        report = run(plan, tmp_path, postgres, url, lambda _: None)

    assert report.clean, f"seed {SEED}\n{report}"
    assert (report.done, report.restarts.total()) == (20, 2)
    # A run that met no call in flight, or where nobody had to take over, would prove nothing.
    assert report.caught.total() > 0
    assert report.takeovers_s
    assert report.finding.doubled_marked + report.finding.held > 0
