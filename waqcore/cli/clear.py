"""`waq clear` and `waq restore`: empty the queue, and fill it again."""

from typing import TYPE_CHECKING, Annotated

import typer

from waqcore.cli.acting import Act, act_on_filter
from waqcore.cli.errors import NotDone
from waqcore.cli.options import (
    ByPriority,
    ByRecipient,
    ByReference,
    BySender,
    Yes,
    chosen,
)
from waqcore.cli.session import opened
from waqcore.core.message import State
from waqcore.words import count

if TYPE_CHECKING:
    from waqcore.store.controls import Filter

CLEAR_EXAMPLES = """Examples:
  waq clear                          all that is queued; shows how many, and asks
  waq clear --priority low           marketing alone
  waq clear --sender 628114040707 --yes"""

RESTORE_EXAMPLES = """Examples:
  waq audit                          names the batches
  waq restore batch_019a8c2b7f1e4d5c6b7a8f90e1d"""


def clear(
    sender: BySender = None,
    priority: ByPriority = None,
    reference: ByReference = None,
    to: ByRecipient = None,
    reason: Annotated[str, typer.Option(help="Why; kept with each message.")] = "cleared",
    yes: Yes = False,
) -> None:
    """Cancel all that is queued, or a part of it.

    One batch, which `waq restore` brings back. Shows how many first and asks for that number.
    What is being sent is left alone.
    """
    which = chosen(sender=sender, priority=priority, reference=reference, to=to)
    batches: list[str] = []
    with opened() as session:

        def run(which: "Filter") -> int:
            batch, moved = session.queue.clear(which, reason=reason)
            batches.append(batch)
            return moved

        act = Act(infinitive="clear", done="cleared", states=(State.QUEUED,), run=run)
        act_on_filter(session, which, act, yes=yes)
    for batch in batches:
        print(f"Undo: waq restore {batch}")


def restore(
    batch: Annotated[str, typer.Argument(help="The batch's id, as `waq clear` printed it.")],
) -> None:
    """Bring back what `waq clear` cancelled.

    Each message has its old place. Numbers that have opted out since are left alone.
    """
    with opened() as session:
        restored = session.queue.restore(batch)
    if not restored:
        raise NotDone(f"nothing to restore: no cancelled message is of batch {batch!r}")
    print(f"Restored: {count(restored, 'message')}.")
