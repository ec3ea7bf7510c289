"""`waq suppress`, `unsuppress` and `suppressed`: who wants no messages."""

from typing import Annotated

import typer

from waqcore.cli.errors import BadInput, NotDone
from waqcore.cli.options import FullNumbers
from waqcore.cli.screen import Row, console, room, show, table
from waqcore.cli.session import opened
from waqcore.words import count, line

SUPPRESS_EXAMPLES = """Example:
  waq suppress 081234567890 --reason 'asked us to stop'"""

UNSUPPRESS_EXAMPLES = """Example:
  waq unsuppress 081234567890"""

SUPPRESSED_EXAMPLES = """Examples:
  waq suppressed
  waq suppressed --full-numbers"""

Number = Annotated[str, typer.Argument(help="The number: 0812… or +62812….")]


def suppress(
    number: Number,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; shown when it is refused.")],
) -> None:
    """Send nothing to a number any more.

    What is queued for it is cancelled."""
    if not reason.strip():
        raise BadInput("--reason is empty: whoever is refused will want to know why")
    with opened() as session:
        cancelled = session.queue.suppress(number, reason=reason.strip())
    print(f"Nothing goes to this number any more; cancelled: {count(cancelled, 'message')}.")


def unsuppress(number: Number) -> None:
    """Let messages go to a number again.

    What was cancelled stays cancelled."""
    with opened() as session:
        if not session.queue.unsuppress(number):
            raise NotDone("that number is not on the suppression list; see `waq suppressed`")
    print("Messages to this number can be queued again.")


def suppressed(full_numbers: FullNumbers = False) -> None:
    """List the numbers that get no messages, oldest first."""
    from waqcore.message import instant

    with opened(full_numbers=full_numbers) as session:
        found = session.queue.suppressed()
        view = session.view
    if not found:
        print("No number is suppressed.")
        return
    rows = [
        Row((view.number(one.recipient), view.when(instant(one.added_at))), line(one.reason))
        for one in found
    ]
    terminal = console()
    show(table(("NUMBER", "SINCE", "REASON"), rows, room=room(terminal)), terminal)
