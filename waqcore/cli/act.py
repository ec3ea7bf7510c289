"""`waq cancel`, `retry`, `resolve` and `prioritise`: decide about messages."""

from typing import Annotated

import typer

from waqcore.cli.acting import Act, act_on_filter, act_on_named, ids_or_filter
from waqcore.cli.confirm import confirm
from waqcore.cli.options import (
    ByBatch,
    ByPriority,
    ByRecipient,
    ByReference,
    BySender,
    Ids,
    PriorityWord,
    Yes,
    chosen,
)
from waqcore.cli.session import opened
from waqcore.core.control import Resolution
from waqcore.core.message import Event, State, states_taking
from waqcore.words import count

CANCEL_EXAMPLES = """Examples:
  waq cancel msg_019a8c2b7f1e4d5c6b7a8f90e1d
  waq cancel --reference REG-1               asks first; --yes does not
  waq cancel --to 081234567890 --yes"""

RETRY_EXAMPLES = """Examples:
  waq retry --all-failed
  waq retry --reference REG-1 --yes
  waq retry msg_019a8c2b7f1e4d5c6b7a8f90e1d"""

RESOLVE_EXAMPLES = """Examples:
  waq messages --state unknown
  waq resolve msg_019a8c2b7f1e4d5c6b7a8f90e1d --as sent      the recipient has it
  waq resolve msg_019a8c2b7f1e4d5c6b7a8f90e1d --as resend    send it again
  waq resolve msg_019a8c2b7f1e4d5c6b7a8f90e1d --as drop      leave it"""

PRIORITISE_EXAMPLES = """Example:
  waq prioritise msg_019a8c2b7f1e4d5c6b7a8f90e1d --priority high"""

SomeIds = Annotated[list[str], typer.Argument(metavar="ID", help="Messages, by id.")]


def cancel(
    ids: Ids = None,
    sender: BySender = None,
    priority: ByPriority = None,
    reference: ByReference = None,
    to: ByRecipient = None,
    yes: Yes = False,
) -> None:
    """Cancel queued messages, by id or by filter.

    One that is being sent is cancelled if its call turns out not sent. By filter it asks first.
    """
    which = chosen(sender=sender, priority=priority, reference=reference, to=to)
    with opened() as session:
        act = Act(
            infinitive="cancel",
            done="cancelled",
            states=(State.QUEUED, State.SENDING),
            run=session.queue.cancel,
        )
        if ids_or_filter(ids or (), which, instead="; `waq clear` cancels all that is queued"):
            act_on_named(session, ids or (), act)
        else:
            act_on_filter(session, which, act, yes=yes)


def retry(
    ids: Ids = None,
    all_failed: Annotated[
        bool, typer.Option("--all-failed", metavar="", help="All that failed.")
    ] = False,
    sender: BySender = None,
    priority: ByPriority = None,
    reference: ByReference = None,
    to: ByRecipient = None,
    batch: ByBatch = None,
    yes: Yes = False,
) -> None:
    """Queue failed or expired messages again.

    Each has its old place; its failures start from 0. Numbers that have opted out are left
    alone. By filter it asks first.
    """
    which = chosen(
        states=[State.FAILED] if all_failed else None,
        sender=sender,
        priority=priority,
        reference=reference,
        to=to,
        batch=batch,
    )
    with opened() as session:
        act = Act(
            infinitive="retry",
            done="queued again",
            states=states_taking(Event.RETRY_BY_HAND),
            run=session.queue.retry,
        )
        if ids_or_filter(ids or (), which, instead=" such as --all-failed"):
            act_on_named(session, ids or (), act)
        else:
            act_on_filter(session, which, act, yes=yes)


def resolve(
    ids: SomeIds,
    as_: Annotated[Resolution, typer.Option("--as", help="What you found out, or decide.")],
    yes: Yes = False,
) -> None:
    """Say what became of messages that are unknown.

    Their call went out and no answer came back. Look at the recipient's chat first: resend may
    deliver it twice. Several at once are confirmed.
    """
    with opened() as session:
        if len(set(ids)) > 1:
            n = len(set(ids))
            confirm(f"This will resolve {count(n, 'message')} as {as_}", typed=str(n), yes=yes)
        act = Act(
            infinitive="resolve",
            done="resolved",
            states=(State.UNKNOWN,),
            run=lambda which: session.queue.resolve(which, as_),
        )
        act_on_named(session, ids, act)


def prioritise(
    ids: SomeIds,
    priority: Annotated[PriorityWord, typer.Option(help="The priority they get.")],
) -> None:
    """Give queued messages another priority.

    Among those of that priority they go by when they were first due."""
    with opened() as session:
        act = Act(
            infinitive="prioritise",
            done="given another priority",
            states=(State.QUEUED,),
            run=lambda which: session.queue.prioritise(which, priority.priority),
        )
        act_on_named(session, ids, act)
