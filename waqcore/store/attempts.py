"""One row for every call, written just before it."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, insert, literal_column, select, update

from waqcore.clock import Now
from waqcore.core.lane import Lease
from waqcore.core.message import Message
from waqcore.core.outcome import Outcome, word
from waqcore.store.lanes import chunks
from waqcore.store.messages import Stored
from waqcore.store.tables import attempt, message, suppression


class Claim(NamedTuple):
    """A leased message, ready to be called for."""

    stored: Stored
    lease: Lease

    @property
    def number(self) -> int:
        """The number of the attempt its call will be, 1-based."""
        return self.stored.message.attempts + 1


class Ended(NamedTuple):
    """A call that is over, as the dispatcher saw it."""

    claim: Claim
    outcome: Outcome
    called_at: int | None
    """When it left, on the steady axis; None: no call was made."""
    finished_at: int
    """When its outcome was known, on the steady axis."""
    http_status: int | None = None
    """None: no HTTP answer."""
    detail: str = ""


def token(holder: str, claimed: Message, *, ready_at: int, claimed_at: int) -> str:
    """What names the lease of a message's next attempt: whose, for what, and two steady instants.

    Unique without chance: an attempt of one number is leased again only at a later instant.
    """
    return f"{holder}/{claimed.seq}.{claimed.attempts + 1}/{ready_at}/{claimed_at}"


class Leased(NamedTuple):
    """When a lease was made, and since when it could have been."""

    ready_at: int
    """When the lane was free, on the steady axis; 0: it always was."""
    claimed_at: int


def leased(token: str) -> Leased | None:
    """What a token tells; None: nothing, since it is of an older version."""
    *_, ready_at, claimed_at = ("", *token.split("/"))
    told = ready_at.isdecimal() and claimed_at.isdecimal()
    return Leased(int(ready_at), int(claimed_at)) if told else None


_begin = (
    update(message)
    .where(
        message.c.seq == bindparam("of"),
        message.c.state == literal_column("'sending'"),
        message.c.lease_token == bindparam("token"),
        message.c.cancel_requested == literal_column("0"),
    )
    .values(attempts=bindparam("number"))
)
# Given back, it is then cancelled: released alone it would be claimed again at once.
_cancel = (
    update(message)
    .where(message.c.seq == bindparam("of"), message.c.lease_token == bindparam("token"))
    .values(cancel_requested=1, reason="the recipient has opted out")
)
_begun = select(message.c.seq, message.c.attempts, message.c.lease_token).where(
    message.c.seq.in_(bindparam("seqs", expanding=True)), message.c.cancel_requested == 0
)
_insert = insert(attempt)
_finish = (
    update(attempt)
    .where(
        attempt.c.message_seq == bindparam("of"),
        attempt.c.number == bindparam("nth"),
        attempt.c.token == bindparam("leased"),
    )
    .values(
        called_at=func.coalesce(bindparam("called_at"), attempt.c.called_at),
        finished_at=bindparam("finished_at"),
        outcome=bindparam("outcome"),
        http_status=bindparam("http_status"),
        detail=bindparam("detail"),
    )
)
_called = select(attempt.c.number).where(
    attempt.c.message_seq == bindparam("of"), attempt.c.token == bindparam("leased")
)
_suppressed = select(suppression.c.recipient).where(
    suppression.c.recipient.in_(bindparam("recipients", expanding=True))
)


def begin(connection: Connection, claims: Sequence[Claim], now: Now) -> list[Claim]:
    """Write the attempt rows of calls about to be made; returns the claims that may be called for.

    Left out are those whose lease was taken over, that somebody cancelled, or whose recipient has
    opted out since they were claimed.
    """
    out = _opted_out(connection, claims)
    wanted = [claim for claim in claims if claim.stored.recipient not in out] if out else claims
    if out:
        gone = [
            {"of": c.lease.message_seq, "token": c.lease.token}
            for c in claims
            if c.stored.recipient in out
        ]
        connection.execute(_cancel, gone)
    if not wanted:
        return []
    result = connection.execute(
        _begin,
        [
            {"of": claim.lease.message_seq, "token": claim.lease.token, "number": claim.number}
            for claim in wanted
        ],
    )
    ours = list(wanted) if result.rowcount == len(wanted) else _still_ours(connection, wanted)
    if ours:
        connection.execute(_insert, [_new(claim, now) for claim in ours])
    return ours


def finish(connection: Connection, ended: Collection[Ended], now: Now) -> None:
    """Note how calls ended, whoever holds their messages by now."""
    if ended:
        connection.execute(_finish, [_finished(one, now) for one in ended])


def called(connection: Connection, lease: Lease) -> bool:
    """Whether a lease got as far as an attempt row, so that its call may have been made."""
    values = {"of": lease.message_seq, "leased": lease.token}
    return connection.scalar(_called, values) is not None


def _opted_out(connection: Connection, claims: Sequence[Claim]) -> set[str]:
    recipients = [claim.stored.recipient for claim in claims]
    return {
        recipient
        for chunk in chunks(recipients)
        for recipient in connection.scalars(_suppressed, {"recipients": chunk})
    }


def _still_ours(connection: Connection, claims: Sequence[Claim]) -> list[Claim]:
    seqs = [claim.lease.message_seq for claim in claims]
    rows = [row for chunk in chunks(seqs) for row in connection.execute(_begun, {"seqs": chunk})]
    begun = {(seq, number, token) for seq, number, token in rows}
    return [
        claim
        for claim in claims
        if (claim.lease.message_seq, claim.number, claim.lease.token) in begun
    ]


def _new(claim: Claim, now: Now) -> dict[str, object]:
    return {
        "message_seq": claim.lease.message_seq,
        "number": claim.number,
        "token": claim.lease.token,
        "started_at": now.wall,
    }


def _finished(ended: Ended, now: Now) -> dict[str, object]:
    return {
        "of": ended.claim.lease.message_seq,
        "nth": ended.claim.number,
        "leased": ended.claim.lease.token,
        "called_at": ended.called_at,
        "finished_at": now.to_wall(ended.finished_at),
        "outcome": word(ended.outcome),
        "http_status": ended.http_status,
        "detail": ended.detail,
    }
