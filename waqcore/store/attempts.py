"""One row for every call, written just before it."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import (
    Connection,
    Insert,
    bindparam,
    exists,
    func,
    insert,
    literal_column,
    select,
    update,
)

from waqcore.clock import Now
from waqcore.core.lane import Lease
from waqcore.core.message import Message
from waqcore.core.outcome import Outcome, word
from waqcore.store import exclusive
from waqcore.store.among import among
from waqcore.store.each import UpdateEach, encoded, recordset
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


_may_begin = (message.c.state == literal_column("'sending'")) & (
    message.c.cancel_requested == literal_column("0")
)
_begin = (
    update(message)
    .where(
        message.c.seq == bindparam("of"), message.c.lease_token == bindparam("token"), _may_begin
    )
    .values(attempts=bindparam("number"))
)


def _begins_at_once() -> Insert:
    """The count, the look at the opted-out and the attempt rows, as one statement of a server."""
    new = recordset({column.name: column.type for column in _FILLED}).subquery("new")
    begun = (
        update(message)
        .where(
            message.c.seq == new.c.message_seq,
            message.c.lease_token == new.c.token,
            _may_begin,
            ~exists().where(suppression.c.recipient == message.c.recipient),
        )
        .values(attempts=new.c.number)
        .returning(*(new.c[column.name] for column in _FILLED))
        .cte("begun")
    )
    chosen = select(*(begun.c[column.name] for column in _FILLED))
    return insert(attempt).from_select(_FILLED, chosen).returning(attempt.c.message_seq)


_FILLED = (attempt.c.message_seq, attempt.c.number, attempt.c.token, attempt.c.started_at)
_begin_at_once = _begins_at_once()
_insert = insert(attempt)
# Given back, it is then cancelled: released alone it would be claimed again at once.
_cancel = (
    update(message)
    .where(message.c.seq == bindparam("of"), message.c.lease_token == bindparam("token"))
    .values(cancel_requested=1, reason="the recipient has opted out")
)
_begun = select(message.c.seq, message.c.attempts, message.c.lease_token).where(
    among(message.c.seq, "seqs"), message.c.cancel_requested == 0
)
_told = {name: attempt.c[name] for name in ("finished_at", "outcome", "http_status", "detail")}
_finish = UpdateEach(
    lambda new: (
        update(attempt)
        .where(
            attempt.c.message_seq == new["of"],
            attempt.c.number == new["nth"],
            attempt.c.token == new["leased"],
        )
        .values(
            {name: new[name] for name in _told}
            | {"called_at": func.coalesce(new["called_at"], attempt.c.called_at)}
        )
    ),
    {
        "of": attempt.c.message_seq,
        "nth": attempt.c.number,
        "leased": attempt.c.token,
        "called_at": attempt.c.called_at,
        **_told,
    },
)
_called = select(attempt.c.number).where(
    attempt.c.message_seq == bindparam("of"), attempt.c.token == bindparam("leased")
)
_suppressed = select(suppression.c.recipient).where(among(suppression.c.recipient, "recipients"))


def begin(connection: Connection, claims: Sequence[Claim], now: Now) -> list[Claim]:
    """Write the attempt rows of calls about to be made; returns the claims that may be called for.

    Left out are those whose lease was taken over, that somebody cancelled, or whose recipient has
    opted out since they were claimed. Its statements may commit one by one: on a server the first
    does all, and what follows is for those left out.
    """
    if exclusive.several_write(connection):
        ours = _begun_at_once(connection, claims, now)
        if len(ours) < len(claims):
            _cancel_opted_out(connection, [claim for claim in claims if claim not in ours])
        return ours
    out = _cancel_opted_out(connection, claims)
    wanted = [claim for claim in claims if claim.stored.recipient not in out] if out else claims
    if not wanted:
        return []
    begun = connection.execute(
        _begin,
        [
            {"of": claim.lease.message_seq, "token": claim.lease.token, "number": claim.number}
            for claim in wanted
        ],
    ).rowcount
    ours = list(wanted) if begun == len(wanted) else _still_ours(connection, wanted)
    if ours:
        connection.execute(_insert, [_new(claim, now) for claim in ours])
    return ours


def _begun_at_once(connection: Connection, claims: Sequence[Claim], now: Now) -> list[Claim]:
    rows = encoded([_new(claim, now) for claim in claims])
    begun = set(connection.scalars(_begin_at_once, rows))
    return [claim for claim in claims if claim.lease.message_seq in begun]


def finish(connection: Connection, ended: Collection[Ended], now: Now) -> None:
    """Note how calls ended, whoever holds their messages by now."""
    if ended:
        _finish.execute(connection, [_finished(one, now) for one in ended])


def called(connection: Connection, lease: Lease) -> bool:
    """Whether a lease got as far as an attempt row, so that its call may have been made."""
    values = {"of": lease.message_seq, "leased": lease.token}
    return connection.scalar(_called, values) is not None


def _cancel_opted_out(connection: Connection, claims: Sequence[Claim]) -> set[str]:
    """Cancel what is claimed for recipients who have opted out; returns these."""
    recipients = [claim.stored.recipient for claim in claims]
    out = {
        recipient
        for chunk in chunks(recipients)
        for recipient in connection.scalars(_suppressed, {"recipients": chunk})
    }
    if out:
        gone = [
            {"of": c.lease.message_seq, "token": c.lease.token}
            for c in claims
            if c.stored.recipient in out
        ]
        connection.execute(_cancel, gone)
    return out


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
