"""What people should hear of at once, told each thing once, the way that ops set.

Alerts are lines of the audit, which whoever notices writes: the dispatcher of a lane, or the
conditions below. One process at a time tells of them, from where the last one stopped.
"""

import json
from collections.abc import Sequence
from typing import Any

from waqcore.core.settle import Alert
from waqcore.message import instant
from waqcore.store.alerts import AlertRow, Claimed

OLDEST = "oldest message too old"
OLDEST_OVER = "oldest message no longer too old"
ETA = "forecasts too far off"
ETA_OVER = "forecasts good again"
CALLBACK_DISABLED = "callback disabled"

ACTIONS = frozenset(
    {
        str(Alert.LANE_PAUSED),
        str(Alert.BREAKER_OPENED),
        str(Alert.LANE_RECOVERED),
        OLDEST,
        OLDEST_OVER,
        ETA,
        ETA_OVER,
        CALLBACK_DISABLED,
    }
)
"""The lines of the audit that are alerts. A message that failed is none: it has a list of its own,
and a bad day would bury everything else."""

DETAIL_MAX = 500
"""Characters of one detail; a gateway's own words may be a whole page."""


def body_of(told: Claimed) -> bytes:
    """What is posted, or piped, as JSON; `text` is what chats such as Slack's show of it."""
    said = [_said(one) for one in told.alerts]
    lines = [" ".join(str(word) for word in (one["alert"], one["sender"]) if word) for one in said]
    details = [one["detail"] for one in said]
    text = [f"{line}: {why}" if why else line for line, why in zip(lines, details, strict=True)]
    if told.more:
        text.append(f"and {told.more} more")
    return json.dumps(
        {
            "type": "waqcore.alert",
            "timestamp": said[-1]["at"],
            "text": "\n".join(f"waqcore: {line}" for line in text),
            "alerts": said,
            "more": told.more,
        },
        ensure_ascii=False,
    ).encode("utf-8", "replace")


def event_id(alerts: Sequence[AlertRow], last: int) -> str:
    """What a receiver knows a repetition by."""
    return f"alert_{alerts[0].id}_{last}"


def _said(one: AlertRow) -> dict[str, Any]:
    return {
        "id": one.id,
        "at": instant(one.at).isoformat(),
        "alert": one.action,
        "sender": one.sender,
        "detail": one.detail[:DETAIL_MAX],
        "by": one.actor,
    }
