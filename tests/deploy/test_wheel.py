"""The wheel: everything is in it, and it works with nothing beside it."""

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.request import urlopen
from zipfile import ZipFile

import pytest

from loadtests.mock_gateway.process import running
from tests.deploy.conftest import PROJECT, Installed

SENDER = "628114040707"


def _shipped(wheel: Path) -> set[str]:
    return {name for name in ZipFile(wheel).namelist() if not name.endswith("/")}


def test_everything_of_the_package_is_in_it_and_nothing_else(wheel: Path) -> None:
    ours = {
        str(path.relative_to(PROJECT))
        for path in (PROJECT / "waqcore").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    shipped = {name for name in _shipped(wheel) if ".dist-info/" not in name}

    assert shipped == ours


@pytest.mark.parametrize(
    "name",
    [
        "waqcore/py.typed",
        "waqcore/store/migrations/env.py",
        "waqcore/store/migrations/versions/0001_the_first_schema.py",
        "waqcore/deploy/RUNBOOK.md",
        "waqcore/deploy/systemd/waqcore.service",
        "waqcore/deploy/prometheus/waqcore.rules.yml",
        "waqcore/deploy/grafana/waqcore.json",
    ],
)
def test_what_is_no_code_is_in_it_too(wheel: Path, name: str) -> None:
    assert name in _shipped(wheel)


def test_pages_and_their_parts_are_in_it(wheel: Path) -> None:
    endings = {Path(name).suffix for name in _shipped(wheel) if name.startswith("waqcore/web/")}

    assert {".html", ".css", ".js"} <= endings


def test_the_program_comes_from_the_wheel_alone(installed: Installed) -> None:
    where = installed.run(str(installed.python), "-c", "import waqcore; print(waqcore.__file__)")
    shown = installed.run(installed.waq, "--help")

    assert where.stdout.startswith(str(installed.python.parents[1]))
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "doctor" in shown.stdout


def test_the_files_for_operations_come_out_of_it(installed: Installed) -> None:
    result = installed.run(installed.waq, "deploy-files", "ops")

    assert (result.returncode, result.stderr) == (0, "")
    unit = PROJECT / "waqcore/deploy/systemd/waqcore.service"
    assert (installed.folder / "ops/systemd/waqcore.service").read_text() == unit.read_text()


def test_it_serves_sends_and_is_well_with_an_address_a_key_and_a_sender(
    installed: Installed,
) -> None:
    with running() as gateway:
        given = {
            "WAQ_GATEWAY_URL": gateway,
            "WHATSAPP_API_KEY": "the-gateways-own-key",
            "WHATSAPP_SENDER": SENDER,
        }
        before = installed.run(installed.waq, "doctor", **given)
        with subprocess.Popen(
            [installed.waq, "serve", "--port", "0", "--log", "json"],
            cwd=installed.folder,
            env=installed.environ(**given),
            stderr=subprocess.PIPE,
            text=True,
        ) as service:
            assert service.stderr is not None
            port = _port(service.stderr)
            sent = installed.run(installed.waq, "send", "081234567890", "Halo", **given)
            _until(lambda: _calls(gateway) == 1)
            with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                health = answer.status
            during = installed.run(installed.waq, "doctor", "--json", **given)
            service.send_signal(signal.SIGTERM)
            service.stderr.read()
            code = service.wait(20)

    assert (before.returncode, sent.returncode, health, code) == (0, 0, 200, 0)
    assert during.returncode == 0, during.stdout
    findings = json.loads(during.stdout)["findings"]
    # Whether NTP keeps this machine's clock is not the wheel's to say.
    assert {one["what"] for one in findings if one["grade"] != "ok"} <= {"clock"}


def _port(log: Iterable[str]) -> int:
    said = []
    for line in log:
        said.append(line)
        if '"event": "serving"' in line:
            port: int = json.loads(line)["port"]
            return port
    raise AssertionError(f"the service ended before it served: {''.join(said)}")


def _calls(gateway: str) -> int:
    with urlopen(f"{gateway}/_log", timeout=5) as answer:
        return len(json.load(answer))


def _until(holds: Callable[[], bool], within_s: float = 15.0) -> None:
    ends = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < ends, f"not so within {within_s} s"
        time.sleep(0.1)
