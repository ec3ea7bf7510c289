"""What is kept of messages that ended long ago: when, from whom and how it ended, but not for whom.

Rows stay, so that counts of every day stay true and a key used again is still recognised; what
tells of a person goes: number, text, reference, reasons, and what gateways said.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, case, func, select, update

from waqcore.core.message import State
from waqcore.store import events
from waqcore.store.events import Happening
from waqcore.store.tables import attempt, message, outbox, registration

ENDED = (State.SENT, State.FAILED, State.CANCELLED, State.EXPIRED)
"""The states nothing more happens in by itself; `unknown` waits for a person, who needs it all."""

PORTION = 200
"""Messages erased in one transaction. Measured beside 200,000 of them, enqueues waited 25 ms (p99
127) for portions of 1,000 without a rest in between; 3.6 (34) for these with one."""

ERASED = ""
"""The recipient of an erased message, which no other can have."""


def _erasable(before: int) -> list[ColumnElement[bool]]:
    return [
        message.c.state.in_([state.value for state in ENDED]),
        message.c.ended_at < before,
        message.c.recipient != ERASED,
    ]


def count(connection: Connection, before: int) -> dict[str, int]:
    """How many messages that ended before a wall instant can be erased, by state."""
    query = select(message.c.state, func.count()).where(*_erasable(before))
    return dict(connection.execute(query.group_by(message.c.state)).all())


def portion(connection: Connection, before: int, after_seq: int) -> list[int]:
    """The next messages to erase, by sequence; found in a read, so that no writer waits for it."""
    query = select(message.c.seq).where(message.c.seq > after_seq, *_erasable(before))
    return list(connection.scalars(query.order_by(message.c.seq).limit(PORTION)))


def erase(connection: Connection, seqs: Sequence[int], before: int) -> int:
    """Erase what tells of a person from those of the messages that may be; returns how many."""
    _overwrite_what_goes(connection)
    keyed = message.c.idempotency_key.is_not(None)
    erased = connection.execute(
        update(message)
        .where(message.c.seq.in_(seqs), *_erasable(before))
        .values(
            recipient=ERASED,
            body="",
            reference=None,
            reason="",
            provider_id=None,
            batch=None,
            # Only where the key may come again: a hash of a known text can be guessed.
            content_hash=case((keyed, message.c.content_hash), else_=""),
        )
    ).rowcount
    gone = select(message.c.seq).where(message.c.seq.in_(seqs), message.c.recipient == ERASED)
    connection.execute(update(attempt).where(attempt.c.message_seq.in_(gone)).values(detail=""))
    return erased


def _overwrite_what_goes(connection: Connection) -> None:
    """Without it SQLite leaves old text readable in the file until something is written over it."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")


def erase_registrations(connection: Connection, before: int) -> int:
    """Erase who registered, of a portion of those whose payment was settled before an instant.

    One whose payment is open has not ended, however old it is. Returns how many.
    """
    _overwrite_what_goes(connection)
    some = (
        select(registration.c.id)
        .where(registration.c.payment != "pending", registration.c.payment_at < before)
        .where(registration.c.phone != ERASED)
        .limit(PORTION)
    )
    erased = connection.execute(
        update(registration)
        .where(registration.c.id.in_(some))
        .values(name="", phone=ERASED, fields="{}", payment_reason="")
    )
    return erased.rowcount


def erase_told(connection: Connection, before: int) -> int:
    """Erase what a portion of the callbacks told applications of long ago; returns how many."""
    _overwrite_what_goes(connection)
    left = outbox.c.reference.is_not(None) | (outbox.c.reason != "")
    some = (
        select(outbox.c.seq)
        .where(outbox.c.status != "pending", outbox.c.ended_at < before, left)
        .limit(PORTION)
    )
    gone = update(outbox).where(outbox.c.seq.in_(some)).values(reference=None, reason="")
    return connection.execute(gone).rowcount


def note(connection: Connection, actor: str, erased: int, detail: str, wall: int) -> None:
    """Write into the audit that messages were erased."""
    events.record(connection, [Happening(actor, "purge", None, detail, erased)], wall)
