"""`waq import`: take over what the system this one replaces still has queued."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from waqcore.cli.errors import BadInput, complain
from waqcore.cli.session import Keeping, opened_store
from waqcore.core.message import Priority
from waqcore.words import count, line, parts

if TYPE_CHECKING:
    from waqcore.importing import Checked
    from waqcore.store.importing import TakenOver

EXAMPLES = """Examples:
  waq import queue.json --dry-run     checks every row, stores nothing
  waq import queue.json               after the old sender has been stopped for good
  waq import queue.csv --sender 628114040707"""

FILE_BYTES_MAX = 200_000_000
"""Bytes of a file: some 500,000 messages. Larger ones are better split than held in memory."""

WRONG_MAX = 20
"""Wrong rows named one by one; who has more mends what made the file."""


def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="JSON or CSV; - is standard input.")],
    sender: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="Who sends them; else the first sender.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", metavar="", help="Check every row, and store nothing.")
    ] = False,
) -> None:
    """Queue the messages that the old system still had queued.

    The file is its array as JSON, or a CSV, of number, message, priority (high or normal),
    attempts and created_at. One bad row and nothing is stored. The same row is never queued twice,
    however often its file is imported. Those created first go first.

    Stop the old sender for good before: two systems on one number break the pace, and send what
    both have twice.
    """
    # Imported here: SQLAlchemy takes longer to load than `--help` may take.
    from waqcore import importing

    text = _text(file)
    with opened_store() as keeping:
        found = _checked(keeping, text, file, sender)
        _refuse_wrong(found.wrong, file)
        tried = sum(one.tried for one in found.messages)
        what = f"{count(len(found.messages), 'message')}: {parts(_by_priority(found.messages))}"
        if dry_run:
            print(f"This would queue {what}")
        else:
            done = importing.take_over(keeping.store, found.messages, actor=keeping.actor)
            print(f"Queued: {count(done.queued, 'message')}.")
            _say(done.known, "there already, by an earlier import or an equal row")
            _say(done.opted_out, "left out: their recipients have opted out")
        _say(tried, "tried by the old system, so marked as maybe doubled")


def _say(n: int, what: str) -> None:
    if n:
        print(f"{n:,} {'was' if n == 1 else 'were'} {what}.")


def _checked(keeping: Keeping, text: str, file: str, sender: str | None) -> "Checked":
    from waqcore import importing
    from waqcore.draft import Rules

    settings = keeping.settings
    rules = Rules(
        fleet=keeping.fleet, mobile_only=settings.mobile_only, on_unknown=settings.on_unknown
    )
    if sender is not None and sender not in keeping.fleet.senders:
        raise BadInput(f"--sender {sender!r} is not configured: see `waq settings`")
    wall = keeping.store.clock.wall_us()
    try:
        rows = list(importing.read(text, zone=settings.zone()))
    except importing.ImportFileError as error:
        raise BadInput(f"{file!r} cannot be imported: {error}") from None
    if not rows:
        raise BadInput(f"{file!r} holds no message")
    return importing.checked(rows, rules, sender=sender, wall=wall)


def _refuse_wrong(wrong: Sequence[str], file: str) -> None:
    for one in wrong[:WRONG_MAX]:
        complain(line(one))
    if wrong:
        rest = f" ({len(wrong) - WRONG_MAX:,} more)" if len(wrong) > WRONG_MAX else ""
        raise BadInput(
            f"{count(len(wrong), 'row')} of {file!r} cannot be sent{rest}: nothing was stored; "
            "mend or remove them, and import again"
        )


def _by_priority(messages: "Sequence[TakenOver]") -> dict[str, int]:
    counted = Counter(Priority(one.new.priority) for one in messages)
    return {priority.word: counted[priority] for priority in Priority}


def _text(file: str) -> str:
    try:
        if file == "-":
            data = sys.stdin.buffer.read(FILE_BYTES_MAX + 1)
        else:
            with Path(file).open("rb") as stream:
                data = stream.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise BadInput(f"{file!r} cannot be read: {error.strerror}") from None
    if len(data) > FILE_BYTES_MAX:
        raise BadInput(f"{file!r} has more than {FILE_BYTES_MAX:,} bytes: split it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{file!r} is not UTF-8 text: byte {error.start} cannot be read; convert it first, "
            "such as with `iconv -f WINDOWS-1252 -t UTF-8`"
        ) from None
