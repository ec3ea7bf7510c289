"""What operations are given: written out whole, never over what is there, and correct."""

import json
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from tests.deploy.conftest import PROJECT
from tests.programs import program
from waqcore import deploy
from waqcore.cli import app
from waqcore.settings import Settings

UNITS = PROJECT / "waqcore" / "deploy" / "systemd"
SERVICES = ["waqcore.service", "waqcore-dispatch@.service", "waqcore-backup.service"]
EXPOSURE_MAX = 1.3
"""What `systemd-analyze security` may say at most, of 10; the README tells it."""


def _waq(*args: str) -> Any:
    return CliRunner().invoke(app, list(args))


def test_every_file_is_written_and_named(tmp_path: Path) -> None:
    result = _waq("deploy-files", str(tmp_path / "ops"))

    written = {str(path.relative_to(tmp_path / "ops")) for path in _files(tmp_path / "ops")}
    assert result.exit_code == 0
    assert written == set(deploy.shipped())
    assert {line.removeprefix(f"{tmp_path}/ops/") for line in result.stdout.split()} == written


def test_again_it_has_nothing_to_do(tmp_path: Path) -> None:
    _waq("deploy-files", str(tmp_path))

    again = _waq("deploy-files", str(tmp_path))

    assert (again.exit_code, again.stdout) == (0, "")


def test_what_was_changed_is_not_overwritten_and_nothing_else_written(tmp_path: Path) -> None:
    (tmp_path / "RUNBOOK.md").write_text("ours")

    result = _waq("deploy-files", str(tmp_path))

    assert result.exit_code == 1
    assert "RUNBOOK.md; nothing was written" in result.stderr
    assert [path.name for path in _files(tmp_path)] == ["RUNBOOK.md"]


def test_forced_it_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "RUNBOOK.md").write_text("ours")

    result = _waq("deploy-files", str(tmp_path), "--force")

    assert result.exit_code == 0
    assert (tmp_path / "RUNBOOK.md").read_bytes() == deploy.shipped()["RUNBOOK.md"]


def test_others_can_read_what_is_written_whatever_the_umask(tmp_path: Path) -> None:
    run = f"import sys; from waqcore.cli import app; sys.argv = {['waq', 'deploy-files', 'ops']}"

    subprocess.run(
        ["sh", "-c", 'umask 077 && exec "$0" -c "$1"', sys.executable, f"{run}; app()"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )

    # Prometheus and systemd read them as somebody else.
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "ops").rglob("*")}
    assert modes == {0o644, 0o755}


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def verified(tmp_path: Path) -> Callable[[str], str]:
    """What `systemd-analyze verify` says of a unit, its program being one that is there."""
    analyze = program("systemd-analyze", package="systemd")

    def verify(unit: str) -> str:
        named = unit.replace("@.", "@1.")
        text = (UNITS / unit).read_text().replace("/opt/waqcore/bin/waq", "/bin/true")
        (tmp_path / named).write_text(text.replace("file:/etc/waqcore/RUNBOOK.md", "man:true(1)"))
        result = subprocess.run(
            [analyze, "verify", "--man=no", tmp_path / named],
            capture_output=True,
            text=True,
            check=False,
        )
        ours = [line for line in result.stderr.splitlines() if "waqcore" in line]
        return "\n".join(ours) + ("" if result.returncode == 0 or not ours else " (failed)")

    return verify


@pytest.mark.parametrize("unit", [*SERVICES, "waqcore-backup.timer"])
def test_a_unit_is_what_systemd_takes(verified: Callable[[str], str], unit: str) -> None:
    assert verified(unit) == ""


@pytest.mark.parametrize("unit", SERVICES)
def test_a_unit_gives_away_little(unit: str) -> None:
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", UNITS / unit],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert exposure is not None
    assert float(exposure[1]) <= EXPOSURE_MAX


@pytest.mark.parametrize("unit", SERVICES[:2])
def test_a_unit_lets_calls_in_flight_end(unit: str) -> None:
    text = (UNITS / unit).read_text()

    assert "TimeoutStopSec=75" in text  # A call with its questions ends within a minute.
    assert "ProcSubset=pid" not in re.sub(r"#.*", "", text)  # It would hide the boot's id.


def test_the_environment_file_names_settings_that_exist() -> None:
    lines = (UNITS / "waqcore.env").read_text().splitlines()
    named = dict(line.lstrip("#").split("=", 1) for line in lines if re.match(r"#?[A-Z_]+=", line))

    settings = Settings.from_env({name: value for name, value in named.items() if value})

    assert settings.retention_days == 90


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The compose file, read."""
    found: dict[str, Any] = yaml.safe_load((PROJECT / "compose.yaml").read_text())
    return found


def test_compose_has_everything_a_host_needs(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"postgres", "dispatcher", "api", "prometheus", "grafana"}


def test_every_service_of_compose_is_watched_and_pinned(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert re.search(r":v?\d+\.\d+", service["image"]), name
        assert "healthcheck" in service or name == "api", name  # The image has the API's.
        assert service["restart"] == "unless-stopped", name


def test_compose_opens_ports_on_the_loopback_alone(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", ())]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_compose_keeps_secrets_out_of_the_environment(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            secret = re.search("KEY|PASSWORD|TOKEN|DATABASE_URL", name)
            assert not secret or str(value).startswith("/run/secrets/"), name


def test_compose_mounts_files_that_are_there(compose: dict[str, Any]) -> None:
    mounted = [
        volume.split(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", ())
        if volume.startswith("./")
    ]

    assert mounted
    assert all((PROJECT / path).exists() for path in mounted)


def test_compose_gives_settings_that_exist(compose: dict[str, Any]) -> None:
    given = compose["services"]["dispatcher"]["environment"]
    defaults = {
        name: found[1]
        for name, value in given.items()
        if (found := re.fullmatch(r"\$\{\w+:-(.*)\}", value))
    }

    assert Settings.from_env(defaults).retention_days == 90


def test_the_image_is_pinned_and_not_root() -> None:
    dockerfile = (PROJECT / "Dockerfile").read_text()

    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert len(bases) == 2
    assert all(re.fullmatch(r"python:3\.\d+\.\d+-slim-bookworm", base) for base in bases)
    assert re.findall(r"^USER (\S+)", dockerfile, re.MULTILINE) == ["10001:10001"]
    assert "HEALTHCHECK" in dockerfile


def test_the_image_is_built_from_what_is_copied_alone() -> None:
    dockerfile = (PROJECT / "Dockerfile").read_text()
    let_in = {
        line.removeprefix("!")
        for line in (PROJECT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }

    copied = re.findall(r"^COPY (?!--from)(?:--chmod=\d+ )?(.+) \S+$", dockerfile, re.MULTILINE)

    names = {Path(name).parts[0] for line in copied for name in line.split()}
    assert names == let_in
    assert all((PROJECT / name).exists() for name in names)


def test_secrets_become_variables_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "WHATSAPP_API_KEY").write_text("a key with 'quotes' and $signs")
    (tmp_path / "postgres_password").write_text("not ours")
    told = tmp_path / "waq"
    told.write_text('#!/bin/sh\nprintf "%s|%s|%s" "$WHATSAPP_API_KEY" "$postgres_password" "$*"\n')
    told.chmod(told.stat().st_mode | stat.S_IXUSR)

    result = subprocess.run(
        ["sh", PROJECT / "waqcore/deploy/docker/entrypoint.sh", "serve", "--port", "1"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "SECRETS_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout == "a key with 'quotes' and $signs||serve --port 1"


def test_without_secrets_the_program_starts_all_the_same(tmp_path: Path) -> None:
    result = subprocess.run(
        ["sh", PROJECT / "waqcore/deploy/docker/entrypoint.sh"],
        env={"PATH": "/usr/bin:/bin", "SECRETS_DIR": str(tmp_path / "none")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert "waq: not found" in result.stderr


def test_yaml_and_json_can_be_read() -> None:
    for name, content in deploy.shipped().items():
        if name.endswith((".yml", ".yaml")):
            assert yaml.safe_load(content), name
        if name.endswith(".json"):
            assert json.loads(content), name
