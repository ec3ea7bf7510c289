"""A queue's database as records, and as it stands: read-only, for what is not the dispatcher.

Works on a live queue, a stopped one or a copy of one; only its address is needed, no settings.
Rows are read in portions, so memory stays flat and nobody's commit waits. Each is told as it stands
when its portion is read, and what is enqueued after the start is left out.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection

from waqcore.clock import Clock, SystemClock
from waqcore.core.policy import Policy, Sender
from waqcore.core.records import AttemptRecord, LaneRecord, MessageRecord
from waqcore.senders import fleet
from waqcore.settings import Settings, SettingsError
from waqcore.store import export, lanes, standing
from waqcore.store.errors import StoreError
from waqcore.store.export import Portion, Which
from waqcore.store.readonly import ReadOnly
from waqcore.store.standing import Snapshot, Standing

__all__ = [
    "SettingsError",
    "Snapshot",
    "Standing",
    "StoreError",
    "Which",
    "configured",
    "read_attempts",
    "read_lane_events",
    "read_messages",
    "senders",
    "snapshot",
]

EVERYTHING = Which()
"""No condition."""

R = TypeVar("R")


def read_messages(
    url: str, which: Which = EVERYTHING, *, clock: Clock | None = None
) -> Iterator[MessageRecord]:
    """Every message, in the order of enqueuing.

    Raises:
        StoreError: there is no such database, or it is of another version of waqcore.
    """
    source = ReadOnly(url)
    to, _ = source.read(export.newest)
    skew = _skew_us(source, clock)
    return _all(source, partial(export.messages, to=to, which=which, skew=skew))


def read_attempts(
    url: str, which: Which = EVERYTHING, *, clock: Clock | None = None
) -> Iterator[AttemptRecord]:
    """Every call, by message in the order of enqueuing.

    Raises:
        StoreError: there is no such database, or it is of another version of waqcore.
    """
    source = ReadOnly(url)
    to, _ = source.read(export.newest)
    skew = _skew_us(source, clock)
    return _all(source, partial(export.attempts, to=to, which=which, skew=skew))


def read_lane_events(url: str, which: Which = EVERYTHING) -> Iterator[LaneRecord]:
    """Everything that happened to lanes, and all that people pressed, oldest first.

    Raises:
        StoreError: there is no such database, or it is of another version of waqcore.
    """
    source = ReadOnly(url)
    _, to = source.read(export.newest)
    return _all(source, partial(export.lane_events, to=to, which=which))


def senders(url: str) -> list[str]:
    """The senders that have a lane.

    Raises:
        StoreError: there is no such database, or it is of another version of waqcore.
    """
    return sorted(ReadOnly(url).read(lanes.known))


def configured(environ: Mapping[str, str], queued: Collection[str] = ()) -> dict[str, Sender]:
    """The senders of an environment's settings, and their rules, by number.

    Senders of a queue that the settings do not name get the rules of a new installation.

    Raises:
        SettingsError: a setting is wrong.
    """
    found: dict[str, Sender] = {}
    if environ.get("WHATSAPP_SENDER") or environ.get("WAQ_SENDERS_FILE"):
        found = dict(fleet(Settings.from_env(environ), environ).senders)
    return found | {
        number: Sender(number, "default", Policy()) for number in queued if number not in found
    }


def snapshot(
    url: str, of: Collection[str] | None = None, *, clock: Clock | None = None
) -> Snapshot:
    """The lanes of some senders, or of all, and their messages that wait or are being sent.

    One consistent look, with the bodies left out: some 0.5 kB of memory a message.

    Raises:
        StoreError: there is no such database, or it is of another version of waqcore.
    """
    source = ReadOnly(url)
    return source.read(lambda connection: standing.look(connection, of, clock or SystemClock()))


def _skew_us(source: ReadOnly, clock: Clock | None) -> int:
    return source.read(lambda connection: export.skew_us(connection, clock or SystemClock()))


def _all(
    source: ReadOnly, portion_after: Callable[[Connection, int], Portion[R] | None]
) -> Iterator[R]:
    """Read portion by portion."""
    after = 0
    while (portion := source.read(partial(portion_after, after=after))) is not None:  # type: ignore[call-arg]
        yield from portion.records
        after = portion.through
