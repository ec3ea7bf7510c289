"""The queued messages of the system this one replaces: read whole, checked whole, then taken over.

Its cache held an array of `number`, `message`, `priority`, `attempts` and `created_at`; dumped as
JSON (PHP writes an array with gaps as an object) or as CSV with those columns.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from hashlib import blake2b
from io import StringIO
from typing import Any, NamedTuple

from waqcore.draft import Draft, DraftError, Rules, check
from waqcore.ids import new_id
from waqcore.phone import PhoneError
from waqcore.store import controls, importing
from waqcore.store.events import Happening
from waqcore.store.importing import TakenOver
from waqcore.store.store import Store
from waqcore.text import TextError

COLUMNS = ("number", "message", "priority", "attempts", "created_at")
PORTION = 500
"""Messages stored in one transaction, so that no call waits long for it."""

ATTEMPTS_MAX = 1_000_000
"""What a column of attempts can mean; more is another column."""

Row = tuple[str, Mapping[str, Any]]
"""Where it stands in the file, for a complaint, and what it says."""


class ImportFileError(ValueError):
    """The file as a whole cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Old:
    """A message as the other system had it."""

    to: str
    body: str
    priority: str
    attempts: int
    created_at: datetime

    def key(self) -> str:
        """The same row gives the same key, so that a second import of it adds nothing."""
        said = (self.to, self.body, self.created_at.astimezone(UTC).isoformat())
        return f"import:{blake2b(repr(said).encode(), digest_size=16).hexdigest()}"


class Checked(NamedTuple):
    """What a file holds: either something is wrong with it, or all of it can be queued."""

    messages: list[TakenOver]
    """In the order they go: those created first are first."""
    wrong: list[str]
    """What is wrong, row by row."""


def read(text: str, *, zone: tzinfo) -> Iterator[tuple[str, "Old | str"]]:
    """The rows of a file, each with where it stands; one that is wrong as what is wrong with it.

    Raises:
        ImportFileError: it is neither the JSON nor the CSV of such an array.
    """
    rows = _json_rows(text) if text.lstrip()[:1] in ("[", "{") else _csv_rows(text)
    for where, row in rows:
        try:
            yield where, _old(row, zone)
        except ValueError as error:
            yield where, str(error)


def checked(
    rows: Iterable[tuple[str, "Old | str"]], rules: Rules, *, sender: str | None, wall: int
) -> Checked:
    """Check every row as an enqueue would, and put them into the order they were created in."""
    good: list[tuple[datetime, TakenOver]] = []
    wrong: list[str] = []
    for where, row in rows:
        if isinstance(row, str):
            wrong.append(f"{where}: {row}")
            continue
        try:
            good.append((row.created_at, _taken_over(row, rules, sender, wall)))
        except (PhoneError, TextError, DraftError) as error:
            wrong.append(f"{where}: {error}")
    good.sort(key=lambda one: one[0])
    return Checked([one for _, one in good], wrong)


class Imported(NamedTuple):
    """What became of a file's messages."""

    queued: int
    known: int
    """Those that an earlier import, or another row, had brought already."""
    opted_out: int
    """Those left out because their recipient wants no messages."""


def take_over(store: Store, messages: Sequence[TakenOver], *, actor: str) -> Imported:
    """Queue what a file holds, in portions; an import that is cut short is finished by another.

    Raises:
        StoreError: the database cannot be written to; run it again.
    """
    unwanted = {one.recipient for one in store.read(controls.suppressed)}
    wanted = [one for one in messages if one.new.recipient not in unwanted]
    said = Happening(actor, "import")
    queued = 0
    for start in range(0, len(wanted), PORTION):
        some = wanted[start : start + PORTION]
        queued += store.write(
            lambda connection, some=some: importing.take_over(  # type: ignore[misc]
                connection, some, said, store.now().wall
            )
        )
    return Imported(queued, len(wanted) - queued, len(messages) - len(wanted))


def _taken_over(row: Old, rules: Rules, sender: str | None, wall: int) -> TakenOver:
    draft = Draft(
        to=row.to,
        body=row.body,
        priority=row.priority,
        sender=sender,
        idempotency_key=row.key(),
    )
    new = check(draft, rules, id_=new_id("msg", wall), wall=wall)
    # However often it was called for, it has one more call: else it would fail unseen.
    left = rules.fleet.senders[new.sender].policy.max_attempts - 1
    return TakenOver(new, min(row.attempts, left), tried=row.attempts > 0)


def _json_rows(text: str) -> Iterator[Row]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise ImportFileError(f"it begins as JSON and is none: {error}") from None
    entries = list(data.values()) if isinstance(data, dict) else data
    for n, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            raise ImportFileError(
                f"entry {n} is {json.dumps(entry)[:40]} and no object with {', '.join(COLUMNS)}: "
                "dump the queue's array itself"
            )
        yield f"entry {n}", entry


def _csv_rows(text: str) -> Iterator[Row]:
    reader = csv.DictReader(StringIO(text, newline=""), strict=True)
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise ImportFileError(
            f"its first line names no column {', '.join(missing)}: it must be a CSV with "
            f"{', '.join(COLUMNS)}, or JSON"
        )
    try:
        for row in reader:
            yield f"line {reader.line_num}", row
    except csv.Error as error:
        raise ImportFileError(f"line {reader.line_num}: {error}") from None


def _old(row: Mapping[str, Any], zone: tzinfo) -> Old:
    return Old(
        to=_text(row, "number"),
        body=_text(row, "message"),
        priority=_text(row, "priority"),
        attempts=_attempts(row.get("attempts")),
        created_at=_created_at(row.get("created_at"), zone),
    )


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and name == "number":
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{name} is {value!r}: it must be a text")
    return value if name == "message" else value.strip()


def _attempts(value: Any) -> int:
    try:
        attempts = int(str(value))
    except ValueError:
        attempts = -1
    if not 0 <= attempts <= ATTEMPTS_MAX:
        raise ValueError(f"attempts is {value!r}: it must be a whole number, 0 for none")
    return attempts


def _created_at(value: Any, zone: tzinfo) -> datetime:
    try:
        if isinstance(value, int | float) or str(value).isdecimal():
            return datetime.fromtimestamp(float(value), UTC)
        at = datetime.fromisoformat(str(value).strip())
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            f"created_at is {value!r}: write it as 2026-03-01 09:00:00, with or without an "
            "offset, or in seconds since 1970"
        ) from None
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)
