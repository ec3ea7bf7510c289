"""Printing the JSON that scripts read."""

import json
import sys
from typing import Any


def show_json(value: Any, *, indent: int | None = 2) -> None:
    """Print an object, or a shape of `waqcore.as_json`; on one line where `indent` is None."""
    import msgspec  # Here, since `--help` must not wait for it.

    ascii_only = "utf" not in (sys.stdout.encoding or "").lower()
    plain = msgspec.to_builtins(value)
    print(json.dumps(plain, ensure_ascii=ascii_only, indent=indent), flush=True)
