"""One call: the gateway asked, its answer logged in one line, whatever happens on the way."""

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple

from waqcore.core.instants import seconds
from waqcore.core.outcome import (
    Accepted,
    NotCalled,
    Outcome,
    ProbeResult,
    Unknown,
    Unreachable,
    word,
)
from waqcore.gateways.gateway import Call, Departure, Gateway, TooLate
from waqcore.mask import mask
from waqcore.store.attempts import Claim, Ended

log = logging.getLogger("waqcore.dispatcher")

CALL_TIMEOUT_S = 60.0
"""The last resort: an adapter times its own call out well before (MPWA: 30 s)."""


TEXT_MAX = 500
"""Characters kept of what a gateway says: enough to understand it, and no page of HTML."""


class _Answered(NamedTuple):
    outcome: Outcome
    http_status: int | None = None
    detail: str = ""


async def call(claim: Claim, gateway: Gateway, steady: Callable[[], int]) -> Ended:
    """Make the call of a claim; every way it can end is an outcome."""
    started_at = steady()
    departure = Departure(steady, claim.lease.call_by)
    answered = await _send(claim, gateway, departure)
    finished_at = steady()
    called_at = _called_at(answered.outcome, departure, started_at, finished_at)
    ended = Ended(
        claim,
        _storable(answered.outcome),
        called_at,
        finished_at,
        answered.http_status,
        _clean(answered.detail or getattr(answered.outcome, "reason", "")),
    )
    if log.isEnabledFor(logging.INFO):
        log.info("attempt", extra=_line(ended, started_at))
    return ended


async def probe(sender: str, gateway: Gateway) -> ProbeResult:
    """Probe for a sender; a probe that breaks is no good news."""
    try:
        async with asyncio.timeout(CALL_TIMEOUT_S):
            return await gateway.probe(sender)
    except TimeoutError:
        return Unreachable(f"the probe was not answered within {CALL_TIMEOUT_S:g} s")
    except Exception as error:
        log.exception("probe broke", extra={"sender": mask(sender)})
        return Unreachable(f"the probe broke: {type(error).__name__}")


async def _send(claim: Claim, gateway: Gateway, departure: Departure) -> _Answered:
    stored = claim.stored
    try:
        async with asyncio.timeout(CALL_TIMEOUT_S):
            reply = await gateway.send(
                Call(stored.sender, stored.recipient, stored.body), departure
            )
        return _Answered(reply.outcome, reply.http_status, reply.detail)
    except TooLate as error:
        return _Answered(NotCalled(str(error)), None, str(error))
    except TimeoutError:
        return _broken(departure, f"no answer within {CALL_TIMEOUT_S:g} s")
    except Exception as error:
        # A fault of ours in an adapter: what is known is only whether the request had left.
        log.exception("call broke", extra={"message_id": stored.message.id})
        return _broken(departure, f"the call broke: {type(error).__name__}")


def _broken(departure: Departure, reason: str) -> _Answered:
    if departure.checked_at is None:
        return _Answered(Unreachable(reason), None, reason)
    return _Answered(Unknown(reason), None, reason)


def _storable(outcome: Outcome) -> Outcome:
    """The outcome with texts that any database takes: an answer may hold half a character."""
    if isinstance(outcome, Accepted):
        return Accepted(None if outcome.provider_id is None else _clean(outcome.provider_id))
    return outcome._replace(reason=_clean(outcome.reason))


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "?")[:TEXT_MAX]


def _called_at(
    outcome: Outcome, departure: Departure, started_at: int, finished_at: int
) -> int | None:
    """From when the pace counts: never earlier than the request can have left."""
    if isinstance(outcome, NotCalled):
        return None
    if departure.left_at is not None:
        return departure.left_at
    return started_at if departure.checked_at is None else finished_at


def _line(ended: Ended, started_at: int) -> dict[str, object]:
    stored = ended.claim.stored
    return {
        "message_id": stored.message.id,
        "sender": mask(stored.sender),
        "recipient": mask(stored.recipient),
        "priority": stored.message.priority.word,
        "attempt": ended.claim.number,
        "outcome": word(ended.outcome),
        "http_status": ended.http_status,
        "took_s": seconds(ended.finished_at - started_at),
        "detail": ended.detail,
    }
