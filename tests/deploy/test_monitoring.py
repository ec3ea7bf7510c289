"""Alert rules and dashboard: correct, tested, and about metrics that there are."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.conftest import PROJECT
from tests.programs import program

FOLDER = PROJECT / "waqcore" / "deploy"
RULES = FOLDER / "prometheus" / "waqcore.rules.yml"
METRICS = (PROJECT / "waqcore" / "web" / "metrics.py").read_text()
_SUFFIX = re.compile(r"_(total|bucket|sum|count)$")


def _promtool(*args: str) -> subprocess.CompletedProcess[str]:
    promtool = program("promtool", package="prometheus")
    return subprocess.run(
        [promtool, *args], cwd=RULES.parent, capture_output=True, text=True, check=False
    )


def test_the_rules_are_rules() -> None:
    checked = _promtool("check", "rules", RULES.name)

    assert checked.returncode == 0, checked.stderr


def test_the_rules_fire_when_they_should_and_not_before() -> None:
    tested = _promtool("test", "rules", "waqcore.rules.test.yml")

    assert tested.returncode == 0, tested.stdout


def test_prometheus_takes_its_settings() -> None:
    checked = _promtool("check", "config", "--syntax-only", "prometheus.yml")

    assert checked.returncode == 0, checked.stderr


def _alerts() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def test_every_alert_has_a_test() -> None:
    tested = re.findall(r"alertname: (\w+)", (RULES.parent / "waqcore.rules.test.yml").read_text())

    assert {rule["alert"] for rule in _alerts()} == set(tested)


@pytest.mark.parametrize("rule", _alerts(), ids=lambda rule: rule["alert"])
def test_every_alert_leads_to_a_section_of_the_runbook(rule: dict[str, Any]) -> None:
    section = rule["annotations"]["runbook"].removeprefix("RUNBOOK.md, ")

    assert f"\n## {section}\n" in (FOLDER / "RUNBOOK.md").read_text()
    assert rule["labels"]["severity"] in ("critical", "warning")


def _expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in _alerts())
    dashboard = json.loads((FOLDER / "grafana" / "waqcore.json").read_text())
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def test_every_metric_that_is_asked_for_is_told() -> None:
    told = set(re.findall(r'"(waq_\w+)"', METRICS))

    asked = {
        _SUFFIX.sub("", name)
        for expression in _expressions()
        for name in re.findall(r"\bwaq_\w+", expression)
    }

    assert len(asked) > 8
    assert asked <= told


def test_every_metric_that_is_told_is_on_the_dashboard_or_in_an_alert() -> None:
    told = set(re.findall(r'"(waq_\w+)"', METRICS))

    assert told <= {
        _SUFFIX.sub("", name)
        for expression in _expressions()
        for name in re.findall(r"\bwaq_\w+", expression)
    }


def test_every_state_of_a_lane_that_is_asked_for_exists() -> None:
    states = (PROJECT / "waqcore" / "status.py").read_text()

    asked = {
        state
        for expression in _expressions()
        for state in re.findall(r'waq_lane\{[^}]*state="([^"]+)"', expression)
    }

    assert asked
    assert all(f'"{state}"' in states for state in asked)


def test_panels_do_not_overlap() -> None:
    panels = json.loads((FOLDER / "grafana" / "waqcore.json").read_text())["panels"]

    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_the_expressions_of_the_dashboard_are_ones(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{n}", "expr": re.sub(r"\$__rate_interval", "5m", expression)}
        for n, expression in enumerate(_expressions())
    ]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))

    checked = _promtool("check", "rules", str(file))

    assert checked.returncode == 0, checked.stdout + checked.stderr
