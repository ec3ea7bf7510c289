"""`waq backup` and `waq restored`: a copy of the queue, and what to do when it came back."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from waqcore.cli.confirm import confirm
from waqcore.cli.errors import BadInput
from waqcore.cli.options import Yes
from waqcore.cli.session import Keeping, opened_store
from waqcore.core.instants import SECOND
from waqcore.words import count

if TYPE_CHECKING:
    from waqcore.restoring import Doubt

BACKUP_EXAMPLES = """Examples:
  waq backup /backup/waqcore-$(date +%F).db     while it runs; from cron"""

RESTORED_EXAMPLES = """Examples:
  waq restored                                          from a copy of `waq backup`
  waq restored --backup-taken-at 2026-03-01T04:00       from anything else"""


def backup(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The copy's name; not there yet.")],
) -> None:
    """Copy a SQLite database while it is in use.

    The copy is of one instant, checked, and whole or not there. In it every sender is paused: a
    queue that comes back from it sends nothing before `waq restored` and `waq resume`.
    """
    # Imported here: SQLAlchemy takes longer to load than `--help` may take.
    from waqcore import restoring
    from waqcore.store.address import is_server, path_of

    with opened_store() as keeping:
        url = keeping.settings.database_url
        if is_server(url):
            raise BadInput(
                "the database is PostgreSQL: `pg_dump --format=custom` copies it, and after a "
                "restore `waq restored --backup-taken-at WHEN` comes first"
            )
        size = restoring.back_up(keeping.store, path_of(url), Path(file), actor=keeping.actor)
    print(f"{file}: {size / 1_000_000:,.1f} MB, every sender paused in it")


def restored(
    backup_taken_at: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="When the backup was taken; a copy of ours knows."),
    ] = None,
    yes: Yes = False,
) -> None:
    """After a restore and before anything is sent: mark what may have been sent already.

    Pauses every sender, counts its pace anew, and marks as maybe doubled each message that the
    backup has as queued or being sent and that was due since. Then look at them, cancel what must
    not come twice, and let the rest go with `waq resume`.
    """
    from waqcore import restoring

    with opened_store() as keeping:
        taken = _taken_at(keeping, backup_taken_at)
        doubts = restoring.doubts(keeping.store, taken)
        _tell(doubts, keeping, taken)
        total = sum(doubt.messages for doubt in doubts)
        confirm(
            f"This will pause every sender and mark {count(total, 'message')} as maybe doubled",
            typed=str(total),
            yes=yes,
        )
        marked = restoring.settle(keeping.store, taken, actor=keeping.actor)
    print(f"Marked: {count(marked, 'message')}. Every sender is paused.")
    print(
        "Next: `waq messages --state queued`, `waq cancel` what must not come twice, `waq resume`"
    )


def _taken_at(keeping: Keeping, said: str | None) -> int:
    from waqcore import restoring
    from waqcore.message import wall_us
    from waqcore.when import parse_instant

    if said is None:
        known = restoring.taken_at(keeping.store)
        if known is None:
            raise BadInput(
                "this database is no copy of `waq backup`: say when the backup was taken, with "
                "--backup-taken-at 2026-03-01T04:00"
            )
        return known
    at = parse_instant(said, now=keeping.view.now, zone=keeping.view.zone)
    if at > keeping.view.now:
        raise BadInput(
            f"--backup-taken-at {said} lies ahead ({keeping.view.when(at)}): "
            "write the date and time it was taken at"
        )
    return wall_us(at)


def _tell(doubts: "list[Doubt]", keeping: Keeping, taken: int) -> None:
    at = datetime.fromtimestamp(taken / SECOND, keeping.view.zone)
    print(f"The backup was taken {keeping.view.when(at)}.")
    for doubt in doubts:
        print(
            f"{doubt.sender}: {count(doubt.messages, 'message')} may have been sent since; by its "
            f"pace, {doubt.calls_max:,} of them at most"
        )
