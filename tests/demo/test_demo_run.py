"""The demo as people start it: real processes, no terminal, ended by a verdict or by a signal."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

PNG = b"\x89PNG\r\n\x1a\n"
# None of these may reach the demo: it has settings and a database of its own.
OURS = {"WAQ_PACE_SECONDS": "99", "WAQ_TYPO": "1", "WAQ_DATABASE_URL": "sqlite:////nowhere/q.db"}
FOUNDING_ORDER = [
    f"{kind} to {user}"
    for kind in ("payment link", "activation")
    for user in ("Siti", "Budi", "Ratna", "Agus", "Dewi")
]

QUEUED_ORDER = [
    f"{kind} to {user}"
    for user in ("Siti", "Budi", "Ratna", "Agus", "Dewi")
    for kind in ("payment link", "activation")
]


def demo(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "loadtests.demo", "--folder", str(folder), *arguments],
        env=os.environ | OURS,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(folder: Path, *arguments: str) -> tuple[int, str]:
    with demo(folder, *arguments) as process:
        said, _ = process.communicate(timeout=60)
    return process.returncode, said


def weather(folder: Path, *rule: str) -> str:
    file = folder / "weather.toml"
    file.write_text("\n".join(["[[rules]]", *rule]))
    return str(file)


def test_payment_links_go_first_at_the_pace_and_the_verdict_is_clean(tmp_path: Path) -> None:
    (tmp_path / "queue.db").write_text("of a run before")
    (tmp_path / "mine.txt").write_text("not the demo's")

    code, said = finished(tmp_path, "--pace", "0.5")

    assert code == 0, said
    assert re.findall(r"sent (.*) \(", said) == FOUNDING_ORDER
    assert re.findall(r"queued (.*) \((?:high|normal)\), ETA :", said) == QUEUED_ORDER
    assert re.search(r"queued payment link to Siti \(high\), ETA :00\.[23]", said)  # The gather.
    assert "The gateway's verdict: clean" in said
    smallest_s, pace_s = re.findall(r"([\d.]+) s +([\d.]+) s", said)[0]
    assert float(smallest_s) >= float(pace_s) == 0.5
    assert (tmp_path / "timeline.png").read_bytes().startswith(PNG)
    assert f"timeline: {tmp_path / 'timeline.png'}" in said
    assert (tmp_path / "mine.txt").read_text() == "not the demo's"


def test_a_device_that_goes_down_ends_the_run_and_is_named(tmp_path: Path) -> None:
    storm = weather(tmp_path, 'fault = "disconnected"', "first_call = 3")

    code, said = finished(tmp_path, "--pace", "0.1", "--weather", storm)

    assert code == 1
    assert "stuck: not over after 2 times the planned 0.95 s" in said
    assert "payment link to Ratna: queued" in said
    assert "the sender: paused: device is Disconnect" in said
    assert "8 expected messages were never delivered" in said


def test_ctrl_c_ends_every_process_without_a_traceback(tmp_path: Path) -> None:
    with demo(tmp_path, "--pace", "10") as process:
        assert process.stdout is not None
        (gateway,) = re.findall(r"http://[\d.:]+", process.stdout.readline())
        while "queued activation to Siti" not in process.stdout.readline():
            pass

        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)  # Returns when all who could write have ended.

    assert process.returncode == 130
    assert "interrupted: 0 of 10 sent" in said
    assert "Traceback" not in said
    assert (tmp_path / "dispatcher.log").read_text().endswith("waqcore.dispatcher stopped\n")
    with pytest.raises(OSError, match="refused"):
        urlopen(f"{gateway}/_log")


def test_a_pace_that_is_none_is_refused(tmp_path: Path) -> None:
    code, said = finished(tmp_path, "--pace", "0")

    assert code == 2
    assert "must be seconds, above 0 and at most 600, not '0'" in said
