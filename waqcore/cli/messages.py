"""`waq messages` and `waq message`: look at what is in the queue, and what became of it."""

from typing import Annotated

import typer

from waqcore.cli.json_out import show_json
from waqcore.cli.message_view import message_table, whole_message
from waqcore.cli.options import (
    ByBatch,
    ByPriority,
    ByRecipient,
    ByReference,
    BySender,
    ByState,
    FullNumbers,
    Json,
    chosen,
)
from waqcore.cli.screen import console, room, show
from waqcore.cli.session import opened

MESSAGES_EXAMPLES = """Examples:
  waq messages --state failed --state unknown
  waq messages --to 081234567890
  waq messages --reference REG-1 --json | jq -r '.messages[].id'"""

MESSAGE_EXAMPLES = """Example:
  waq message msg_019a8c2b7f1e4d5c6b7a8f90e1d"""


def messages(
    state: ByState = None,
    sender: BySender = None,
    priority: ByPriority = None,
    reference: ByReference = None,
    to: ByRecipient = None,
    batch: ByBatch = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="At most this many.")] = 20,
    before: Annotated[
        str | None, typer.Option(metavar="ID", help="Those before this one: the next page.")
    ] = None,
    full_numbers: FullNumbers = False,
    json: Json = False,
) -> None:
    """List messages, newest first, without their texts.

    Numbers are masked, in JSON too, unless --full-numbers is given.
    """
    from waqcore import as_json  # Here, since `--help` must not wait for it.

    which = chosen(
        states=state,
        sender=sender,
        priority=priority,
        reference=reference,
        to=to,
        batch=batch,
    )
    with opened(full_numbers=full_numbers) as session:
        if before is not None:
            session.queue.message(before)  # Says so where there is no such message.
        found = session.queue.messages(which, limit=limit, before=before)
        next_before = found[-1].id if len(found) == limit else None
        if json:
            listed = [as_json.message(one, session.view.number) for one in found]
            show_json({"messages": listed, "next_before": next_before})
            return
        if not found:
            print(_nothing(filtered=any(which), paged=before is not None))
            return
        terminal = console()
        show(message_table(found, session.view, room(terminal)), terminal)
        if next_before is not None and terminal.is_terminal:
            print(f"\nOlder ones: add --before {next_before}")


def _nothing(*, filtered: bool, paged: bool) -> str:
    if paged:
        return "There are no older messages."
    if filtered:
        return "No message matches; `waq messages` without options lists all."
    return "There are no messages yet; `waq send 0812… 'text'` queues one."


def message(
    id_: Annotated[str, typer.Argument(metavar="ID", help="The message's id.")],
    json: Json = False,
) -> None:
    """Show one message whole, with every call made for it."""
    from waqcore import as_json  # Here, since `--help` must not wait for it.

    with opened(full_numbers=True) as session:
        found = session.queue.message(id_)
        calls = session.queue.attempts(id_)
        if json:
            show_json(as_json.whole_message(found, calls))
        else:
            terminal = console()
            show(whole_message(found, calls, session.view, room(terminal)), terminal)
