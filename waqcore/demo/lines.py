"""The run as lines, one for each thing that happens: for pipes, logs and CI."""

from collections.abc import Iterator, Sequence

from waqcore.core.message import State
from waqcore.demo.following import Row
from waqcore.demo.view import clock, off


def news(before: Sequence[Row], after: Sequence[Row]) -> Iterator[str]:
    """What has happened between two looks, the oldest first."""
    happened: list[tuple[float, str]] = []
    for old, new in zip(before, after, strict=True):
        if not old.id and new.queued_s is not None:
            happened.append((new.queued_s, f"{clock(new.queued_s)} queued {_about(new)}"))
        if old.state is not new.state and new.state not in (None, State.QUEUED, State.SENDING):
            happened.append((new.sent_s or float("inf"), _ended(new)))
    yield from (line for _, line in sorted(happened, key=lambda one: one[0]))


def _about(row: Row) -> str:
    planned = row.planned
    return f"{planned.kind} to {planned.user} ({planned.draft.priority}), ETA {clock(row.eta_s)}"


def _ended(row: Row) -> str:
    planned = row.planned
    what = f"{row.state} {planned.kind} to {planned.user}"
    if row.state is not State.SENT:
        return f"{what}: {row.reason}"
    told = "ETA had not been known"
    if row.eta_s is not None:
        told = f"ETA had been {clock(row.eta_s)}, off by {off(row.off_s)} s"
    return f"{clock(row.sent_s)} {what} ({planned.draft.priority}), {told}"
