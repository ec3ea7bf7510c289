"""Which of a lane's heads goes first."""

from collections.abc import Sequence

from waqcore.core.message import Message, Priority
from waqcore.core.policy import TimeShift


def first(heads: Sequence[Message], time_shift: TimeShift | None) -> Message:
    """Pick the message to call for: priority, then first-due instant, then sequence.

    With a time shift, the first-due instant less the priority's head start comes before all but a
    bypass. `heads` holds the first due message of each priority, at least one.
    """
    if len(heads) == 1:
        return heads[0]
    if time_shift is None:
        return min(heads, key=place)
    return min(heads, key=lambda message: _shifted(message, time_shift))


def place(message: Message) -> tuple[int, int, int]:
    """A message's order in its lane under strict priority."""
    return (message.priority, message.due_at, message.seq)


def _shifted(message: Message, shift: TimeShift) -> tuple[bool, int, int, int]:
    bypasses = message.priority is Priority.BYPASS
    due_at = message.due_at - shift.of(message.priority)
    return (not bypasses, due_at, message.priority, message.seq)
