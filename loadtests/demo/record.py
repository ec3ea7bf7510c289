"""What `waqcore.demo` says of its run."""

from pathlib import Path

import msgspec

HIGH = "high"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message; instants in seconds after the first registration."""

    place: int
    user: str
    kind: str
    priority: str
    recipient: str
    text: str
    state: str | None  # None: it was never queued; so is queued_s.
    queued_s: float | None
    eta_s: float | None  # Predicted when it was queued; None: nothing was.
    sent_s: float | None  # None: not sent.


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A run, its messages in the order in which they should leave."""

    sender: str
    pace_s: float
    first_registration_us: int  # On the clock of the gateway's log.
    messages: list[Message]


def read(file: Path) -> Record | None:
    """The record of a run; None: it ended before it wrote one."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Record)
    except FileNotFoundError:
        return None
