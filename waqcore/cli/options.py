"""Options that several commands take, each worded once."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from waqcore.cli.errors import BadInput
from waqcore.core.message import Priority, State

if TYPE_CHECKING:
    from waqcore.store.controls import Filter


class PriorityWord(StrEnum):
    """A priority that may be given to a message."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"

    @property
    def priority(self) -> Priority:
        """The core's word for it."""
        return Priority[self.name]


class AnyPriority(StrEnum):
    """A priority that a message may have."""

    BYPASS = "bypass"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


_WHICH = "Which messages"

Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="Messages, by id.")]
ByState = Annotated[
    list[State] | None,
    typer.Option("--state", help="In this state; repeat for more.", rich_help_panel=_WHICH),
]
BySender = Annotated[
    str | None,
    typer.Option("--sender", metavar="NUMBER", help="From this sender.", rich_help_panel=_WHICH),
]
ByPriority = Annotated[
    AnyPriority | None,
    typer.Option("--priority", help="Of this priority.", rich_help_panel=_WHICH),
]
ByReference = Annotated[
    str | None,
    typer.Option("--reference", metavar="TEXT", help="Of this group.", rich_help_panel=_WHICH),
]
ByRecipient = Annotated[
    str | None,
    typer.Option("--to", metavar="NUMBER", help="To this number.", rich_help_panel=_WHICH),
]
ByBatch = Annotated[
    str | None,
    typer.Option("--batch", metavar="ID", help="Of this `waq clear`.", rich_help_panel=_WHICH),
]
Sender = Annotated[
    str | None,
    typer.Option("--sender", metavar="NUMBER", help="This sender alone; else all of them."),
]
Yes = Annotated[
    bool, typer.Option("--yes", "-y", metavar="", help="Do it without asking; for scripts.")
]
Json = Annotated[bool, typer.Option("--json", metavar="", help="Print JSON, for scripts.")]
FullNumbers = Annotated[
    bool, typer.Option("--full-numbers", metavar="", help="Show phone numbers whole.")
]


def chosen(
    *,
    states: list[State] | None = None,
    sender: str | None,
    priority: AnyPriority | None,
    reference: str | None,
    to: str | None,
    batch: str | None = None,
) -> "Filter":
    """The filter that options describe.

    Raises:
        PhoneError: `to` is not a number.
        BadInput: an option is empty, which would mean everything.
    """
    from waqcore.phone import parse_phone
    from waqcore.store.controls import Filter

    named = {"sender": sender, "reference": reference, "to": to, "batch": batch}
    for name, value in named.items():
        if value is not None and not value.strip():
            raise BadInput(f"--{name} is empty: give it a value, or leave it out")
    return Filter(
        states=tuple(dict.fromkeys(states or ())),
        sender=sender,
        priority=None if priority is None else Priority[priority.name],
        reference=reference,
        recipient=None if to is None else parse_phone(to, mobile_only=False),
        batch=batch,
    )
