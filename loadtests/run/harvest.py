"""Writes the run's folder: what the gateway saw, what the database holds, what was run."""

import json
import os
import platform
import sqlite3
import subprocess
from importlib.metadata import version
from pathlib import Path

import httpx

from loadtests.run import people
from loadtests.run.order import Order
from loadtests.run.process import PROJECT
from loadtests.run.service import CALL_TIMEOUT_S, Service

LOG_WITHIN_S = 120.0


def calls(folder: Path, gateway_url: str) -> None:
    """Keep the gateway's log: it ends with the gateway."""
    log = httpx.get(f"{gateway_url}/_log", timeout=LOG_WITHIN_S).raise_for_status().json()
    with (folder / "calls.jsonl").open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(call) + "\n" for call in log)


def database(folder: Path, service: Service) -> None:
    """Keep what the stopped service's database holds."""
    for what in ("messages", "attempts", "lanes"):
        service.export(what, folder / f"{what}.jsonl")


def acknowledged(folder: Path) -> None:
    """Put the records of Locust's workers together."""
    parts = sorted(folder.glob("acknowledged-*.jsonl"))
    (folder / "acknowledged.jsonl").write_bytes(b"".join(path.read_bytes() for path in parts))
    for path in parts:
        path.unlink()


def about(
    folder: Path,
    order: Order,
    *,
    started_at: int,
    ended_at: int,
    end: str,
    chaos: list[dict[str, object]],
    remarks: list[str],
) -> None:
    """Write down what was run."""
    said = people.late(folder)
    run = {
        "scenario": order.scenario,
        "seed": order.seed,
        "pace_s": order.pace_s,
        "guard_s": order.guard_ms / 1_000,
        "started_at": started_at,
        "ended_at": ended_at,
        "end": end,
        "call_timeout_s": CALL_TIMEOUT_S,
        "parameters": _parameters(order),
        "versions": _versions(),
        "chaos": chaos,
        "limits": {
            "acknowledge_p99_ms": order.acknowledge_p99_ms,
            "failed_share_shown": order.failed_share_shown,
        },
        "remarks": [*remarks, *([said] if said else [])],
    }
    (folder / "run.json").write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")


def _parameters(order: Order) -> dict[str, str | int | float]:
    return {
        "shape of arrivals": order.shape,
        "people": order.people,
        "within, s": order.seconds,
        "registrations at once, at most": order.hands * order.processes,
        "Locust workers": order.processes,
        "senders": order.senders,
        "weather": order.weather.name,
        "kills": order.kills,
        "drops of the gateway": order.drops,
        "times the disk is full": order.full_disks,
        "steps of the service's wall clock": order.clock_steps,
        "calm at the end, s": order.calm * order.seconds,
        "API and dispatcher": "two processes" if order.apart else "one process",
    }


def _versions() -> dict[str, str]:
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "waqcore": f"{version('waqcore')}, {commit.stdout.strip() or 'no commit'}",
        "Python": platform.python_version(),
        "Locust": version("locust"),
        "SQLite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.release()}, {os.cpu_count()} CPUs",
    }
