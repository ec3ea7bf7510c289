"""`waq export`: messages, calls or lane events as rows, for spreadsheets, scripts and notebooks."""

import sys
from collections.abc import Callable, Iterator
from datetime import tzinfo
from enum import StrEnum
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer

from waqcore.cli.errors import BadInput
from waqcore.cli.rows import Format, Record, opened_for, to_a_file, write
from waqcore.cli.session import environment
from waqcore.core.records import AttemptRecord, LaneRecord, MessageRecord
from waqcore.when import parse_date

if TYPE_CHECKING:
    from waqcore.export import Which

EXAMPLES = """Examples:
  waq export messages > messages.csv
  waq export attempts --since 2026-03-01 --out attempts.csv
  waq export lanes --format jsonl | jq 'select(.event == "lane paused")'"""

TOLD_EVERY = 1_000
"""Rows between two looks at the clock."""
TOLD_EVERY_S = 0.2
"""Seconds between two changes of the progress line."""


class What(StrEnum):
    """What there is to export."""

    MESSAGES = "messages"
    ATTEMPTS = "attempts"
    LANES = "lanes"


_RECORDS: dict[What, type[Record]] = {
    What.MESSAGES: MessageRecord,
    What.ATTEMPTS: AttemptRecord,
    What.LANES: LaneRecord,
}


def export(
    what: Annotated[
        What, typer.Argument(metavar="WHAT", help="messages, attempts (calls) or lanes (events).")
    ],
    format_: Annotated[Format, typer.Option("--format", help="How rows are written.")] = Format.CSV,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="From 2026-03-01, or 2026-03-01T09:00, on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="WHEN", help="What was before then, written so.")
    ] = None,
    sender: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="This sender alone; else all of them.")
    ] = None,
    out: Annotated[
        str | None, typer.Option(metavar="FILE", help="Where to; - is standard output, as else.")
    ] = None,
) -> None:
    """Write messages, calls or lane events as rows, without texts and recipients.

    Times are in microseconds since the epoch. Messages count by when they were enqueued, calls by
    when they began, events by when they happened. Only reads, of a live queue too, and of a copy.
    """
    # Imported here: SQLAlchemy takes longer to load than `--help` may take.
    from waqcore.settings import Settings

    settings = Settings.from_env(environment())
    which = _which(since, until, sender, settings.zone())
    records = _reader(what, settings.database_url, which)
    with opened_for(out) as stream:
        if to_a_file(out) and sys.stderr.isatty():
            records = _told(records, what)
        write(records, _RECORDS[what], format_, stream)


def _which(since: str | None, until: str | None, sender: str | None, zone: tzinfo) -> "Which":
    from waqcore.export import Which
    from waqcore.message import wall_us

    starts = None if since is None else wall_us(parse_date(since, zone=zone))
    ends = None if until is None else wall_us(parse_date(until, zone=zone))
    if starts is not None and ends is not None and starts >= ends:
        raise BadInput(f"--since {since} is not before --until {until}: nothing is between them")
    return Which(starts, ends, sender)


def _reader(what: What, url: str, which: "Which") -> Iterator[Record]:
    from waqcore.export import read_attempts, read_lane_events, read_messages, senders

    if which.sender is not None and which.sender not in (known := senders(url)):
        raise BadInput(
            f"sender {which.sender!r} is not in this database; it has {', '.join(known[:10])}"
        )
    read: dict[What, Callable[[str, Which], Iterator[Record]]] = {
        What.MESSAGES: read_messages,
        What.ATTEMPTS: read_attempts,
        What.LANES: read_lane_events,
    }
    return read[what](url, which)


def _told(records: Iterator[Record], what: What) -> Iterator[Record]:
    """The same records, with a line on stderr that counts them."""
    n, told_at = 0, monotonic()
    try:
        for n, record in enumerate(records, 1):
            yield record
            if n % TOLD_EVERY == 0 and monotonic() - told_at > TOLD_EVERY_S:
                told_at = monotonic()
                print(f"\r{n:,} {what}", end="", file=sys.stderr, flush=True)
    finally:
        print(f"\r{n:,} {what}", file=sys.stderr)
