"""`waq purge`: erase what tells of a person from messages that ended long ago."""

from typing import Annotated

import typer

from waqcore.cli.confirm import confirm
from waqcore.cli.options import Yes
from waqcore.cli.session import opened_store
from waqcore.words import count, parts

EXAMPLES = """Examples:
  waq purge --older-than 90 --dry-run      how many that would be
  waq purge --older-than 90 --yes          from cron; or set WAQ_RETENTION_DAYS"""


def purge(
    older_than: Annotated[
        int,
        typer.Option(metavar="DAYS", min=1, max=3_660, help="Days since the message ended."),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", metavar="", help="Say how many, and erase nothing.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Erase numbers and texts of messages that ended long ago.

    What is queued, being sent or unknown is never touched. When each message went, from which
    sender and how it ended stays, and so do idempotency keys: counts stay true, and a key used
    again is still recognised. What was erased cannot be retried, restored or brought back.
    """
    # Imported here: SQLAlchemy takes longer to load than `--help` may take.
    from waqcore import retention

    with opened_store() as keeping:
        found = retention.erasable(keeping.store, older_than)
        total = sum(found.values())
        what = f"erase {count(total, 'message')} for good: {parts(found) or 'none is that old'}"
        if dry_run:
            print(f"This would {what}")
            return
        confirm(f"This will {what}", typed=str(total), yes=yes)
        purged = retention.purge(keeping.store, older_than, actor=keeping.actor)
    who = f", {count(purged.registrations, 'registration')}" if purged.registrations else ""
    print(f"Erased: {count(purged.messages, 'message')}{who}.")
