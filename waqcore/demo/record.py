"""What a run came to, as JSON for whoever asked."""

import json
from collections.abc import Sequence
from pathlib import Path

from waqcore.demo.environment import SENDER
from waqcore.demo.following import Following, Row
from waqcore.demo.scenario import gather_s


def write(file: Path, following: Following, *, pace_s: float) -> None:
    """Write the record; instants in seconds after the first registration."""
    record = {
        "sender": SENDER,
        "pace_s": pace_s,
        "gather_s": gather_s(pace_s),
        # On CLOCK_MONOTONIC, which all processes of a host share, so that others can compare.
        "first_registration_us": following.began_us,
        "messages": _messages(following.rows),
    }
    file.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _messages(rows: Sequence[Row]) -> list[dict[str, object]]:
    return [
        {
            "place": row.planned.place,
            "user": row.planned.user,
            "kind": row.planned.kind,
            "priority": row.planned.draft.priority,
            "recipient": row.planned.draft.to,
            "text": row.planned.draft.body,
            "state": None if row.state is None else row.state.value,
            "reason": row.reason,
            "queued_s": row.queued_s,
            "eta_s": row.eta_s,
            "sent_s": row.sent_s,
        }
        for row in rows
    ]
