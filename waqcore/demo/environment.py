"""The demo's own settings and folder: nothing of the user's real queue is read or touched."""

import os
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import URL

from waqcore.demo.scenario import gather_s

SENDER = "628110000000"
"""Made up."""
DATABASE = "queue.db"
LOG = "dispatcher.log"
_MADE = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}.lock", LOG)


def settings(gateway_url: str, *, pace_s: float, folder: Path) -> dict[str, str]:
    """The environment's settings: the defaults, with every wait that goes with the pace scaled."""
    scale = pace_s / 10  # The defaults below are those of the default pace, 10 s.
    return {
        "WHATSAPP_SENDER": SENDER,
        "WHATSAPP_API_KEY": "demo",
        "WAQ_GATEWAY_URL": gateway_url,
        "WAQ_DATABASE_URL": URL.create(
            "sqlite", database=str((folder / DATABASE).resolve())
        ).render_as_string(),
        "WAQ_PACE_SECONDS": f"{pace_s:f}",
        "WAQ_GATHER_SECONDS": f"{gather_s(pace_s):f}",
        "WAQ_BACKOFF_SECONDS": f"{5 * scale:f}",
        "WAQ_PROBE_SECONDS": f"{15 * scale:f}",
    }


def environment(ours: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with our settings in the place of all of the user's."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("WAQ_", "WHATSAPP_"))
    }
    return kept | dict(ours)


def fresh(folder: Path) -> None:
    """Make the folder, and take out of it what an earlier run left; nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _MADE:
        (folder / name).unlink(missing_ok=True)
