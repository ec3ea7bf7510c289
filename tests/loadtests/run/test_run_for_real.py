"""One load test with nothing virtual about it: gateway, service and Locust as processes."""

import json
import subprocess
import sys
from pathlib import Path

WITHIN_S = 180.0


def test_five_people_register_and_one_kill_later_everything_is_accounted_for(
    tmp_path: Path,
) -> None:
    command = [
        *(sys.executable, "-m", "loadtests.run", "minute", "--people", "5", "--seconds", "4"),
        *("--pace", "0.3", "--kills", "1", "--seed", "2", "--out", str(tmp_path)),
    ]

    done = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN_S, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    (folder,) = tmp_path.iterdir()
    verdict = json.loads((folder / "verdict.json").read_text())
    accounted = verdict["findings"]["accounted"]["measures"]
    assert verdict["end"] == "drained"
    assert accounted["acknowledged"] >= 10
    assert accounted["calls of no known message"] == 0
    assert "POST /v1/registrations" in (folder / "report.html").read_text()
