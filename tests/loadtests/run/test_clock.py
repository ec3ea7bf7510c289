"""A wall clock that is set under running processes, and nothing but the wall."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from loadtests.run import clock
from loadtests.run.clock import ClockError, WallClock
from tests.programs import program

HOUR_S = 3_600
TOLD = """
import asyncio, sys, time
from datetime import UTC, datetime
for _ in sys.stdin:
    began = time.clock_gettime(time.CLOCK_BOOTTIME)
    asyncio.run(asyncio.sleep(0.01))
    print(
        time.time(),
        datetime.now(UTC).timestamp(),
        began,
        time.monotonic(),
        time.clock_gettime(time.CLOCK_BOOTTIME) - began,
        flush=True,
    )
"""


def test_a_step_moves_the_wall_of_a_running_process_and_no_other_clock(tmp_path: Path) -> None:
    program("cc", package="build-essential")
    wall = WallClock(tmp_path)
    environ = {**os.environ, **wall.environ}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", TOLD], env=environ, **pipes) as told:  # type: ignore[call-overload]
        before = _asked(told)
        wall.set_ahead(HOUR_S)
        ahead = _asked(told)
        wall.set_ahead(-HOUR_S)
        behind = _asked(told)
        told.stdin.close()

    for instants, step_s in ((ahead, HOUR_S), (behind, -HOUR_S)):
        time_s, datetime_s, boot_s, monotonic_s, slept_s = instants
        since_s = boot_s - before[2]
        assert time_s - before[0] - since_s == pytest.approx(step_s, abs=5.0)
        assert datetime_s - before[1] - since_s == pytest.approx(step_s, abs=5.0)
        assert 0 <= since_s < 60
        assert monotonic_s - before[3] == pytest.approx(since_s, abs=5.0)
        assert slept_s < 60


def _asked(told: subprocess.Popen[str]) -> list[float]:
    assert told.stdin is not None
    assert told.stdout is not None
    told.stdin.write("\n")
    told.stdin.flush()
    return [float(number) for number in told.stdout.readline().split()]


def test_without_a_compiler_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "COMPILER", "no-such-compiler")

    with pytest.raises(ClockError, match="run apt-get install build-essential"):
        WallClock(tmp_path)
