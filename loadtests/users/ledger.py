"""Locust's own record of what was acknowledged: the list a verdict holds the service to."""

import json
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

US = 1_000_000


def now_us() -> int:
    """The wall clock in microseconds."""
    return time.time_ns() // 1_000


class Ledger:
    """Appends one line for each message that a 202 promised, at once and unbuffered."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("ab", buffering=0)
        self._seen: set[str] = set()

    def acknowledge(
        self, message: Mapping[str, Any], *, kind: str, took_us: int | None, mark: str | None
    ) -> bool:
        """Keep a message object of a 202; False if it was kept before."""
        if message["id"] in self._seen:
            return False
        self._seen.add(message["id"])
        eta = message.get("eta") or {}
        line = {
            "id": message["id"],
            "kind": kind,
            "acknowledged_at": now_us(),
            "priority": message.get("priority"),
            "recipient": _digits(message.get("recipient")),
            "sender": message.get("sender"),
            "mark": mark,
            "took_us": took_us,
            "eta_at": _instant(eta.get("at")),
            "eta_low_at": _instant(eta.get("low_at")),
            "eta_high_at": _instant(eta.get("high_at")),
        }
        self._file.write(json.dumps(line).encode() + b"\n")
        return True

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _digits(number: str | None) -> str | None:
    return None if number is None else "".join(filter(str.isdigit, number))


def _instant(written: str | None) -> int | None:
    return None if written is None else round(datetime.fromisoformat(written).timestamp() * US)
