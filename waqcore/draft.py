"""What an application wants sent, checked whole before anything is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from msgspec import Struct

from waqcore.content import content_hash
from waqcore.core.message import OnUnknown, Priority
from waqcore.message import wall_us
from waqcore.phone import parse_phone
from waqcore.senders import Account, Fleet
from waqcore.settings import Kind
from waqcore.store.fresh import NewMessage
from waqcore.text import TextError, clean_text, rewritten_by_mpwa

KEY_LENGTH_MAX = 200
"""Characters of an idempotency key or a reference: an index entry, not a document."""


class DraftError(ValueError):
    """A message that cannot be queued as it is; whoever made it has to correct it."""


class Draft(Struct, frozen=True, kw_only=True):
    """A message as an application hands it over."""

    to: str
    """The recipient's number as people write it: `0812…` or `+62812…`."""
    body: str
    priority: str = "normal"
    """`high`, `normal` or `low`."""
    sender: str | None = None
    """One of the configured senders; None: the first of them."""
    reference: str | None = None
    """Groups messages, to find and act on them together (`REG-1`, an invoice); None: no group."""
    idempotency_key: str | None = None
    """The same key and content again gives the first message; None: every call is a new message."""
    send_at: datetime | None = None
    """Not before this instant; None: at once."""
    expires_at: datetime | None = None
    """Not after this instant; None: whenever its turn comes."""
    on_unknown: str | None = None
    """`resend` or `hold`; None: as WAQ_ON_UNKNOWN says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What drafts are checked against."""

    fleet: Fleet
    mobile_only: bool
    on_unknown: OnUnknown


def check(
    draft: Draft, rules: Rules, *, id_: str, wall: int, priority: Priority | None = None
) -> NewMessage:
    """Turn a draft into a message ready to be stored at the wall instant `wall`.

    `priority` overrides the draft's; None: it is as the draft says.

    Raises:
        PhoneError: the recipient is not a number a message can be sent to.
        TextError: the text is empty, too long, or the gateway would change it.
        DraftError: anything else about it.
    """
    sender = _sender(draft, rules.fleet)
    body = clean_text(draft.body)
    account = rules.fleet.accounts[rules.fleet.senders[sender].account]
    _refuse_rewritten(body, account)
    send_at = _wall(draft.send_at, "send_at")
    expires_at = _wall(draft.expires_at, "expires_at")
    _refuse_expired(draft, wall if send_at is None else max(send_at, wall), expires_at)
    recipient = parse_phone(draft.to, mobile_only=rules.mobile_only)
    priority_value = _priority(draft.priority) if priority is None else priority.value
    reference = _key(draft.reference, "reference")
    on_unknown = _on_unknown(draft.on_unknown, rules.on_unknown)
    key = _key(draft.idempotency_key, "idempotency_key")
    whole = (sender, recipient, body, priority_value, reference, send_at, expires_at, on_unknown)
    return NewMessage(
        id=id_,
        sender=sender,
        recipient=recipient,
        body=body,
        priority=priority_value,
        reference=reference,
        idempotency_key=key,
        # What comes again is told by its key; without one, nobody ever asks whether it is the same.
        content_hash="" if key is None else content_hash(whole),
        enqueued_at=wall,
        # One that has passed means at once: kept, it would go before those queued earlier.
        send_at=send_at if send_at is not None and send_at > wall else None,
        expires_at=expires_at,
        on_unknown=on_unknown,
    )


def _sender(draft: Draft, fleet: Fleet) -> str:
    if draft.sender is None:
        return fleet.default_sender()
    if draft.sender not in fleet.senders:
        raise DraftError(
            f"sender {draft.sender!r} is not configured; it may be one of "
            f"{', '.join(list(fleet.senders)[:10])}: see WHATSAPP_SENDER and WAQ_SENDERS"
        )
    return draft.sender


def _refuse_rewritten(body: str, account: Account) -> None:
    found = rewritten_by_mpwa(body) if account.gateway is Kind.MPWA else None
    if found is not None:
        raise TextError(
            f"the gateway would rewrite {found[:60]!r}: it takes braces for a choice or a "
            "placeholder; leave them out, or in a link write %7B and %7D"
        )


def _refuse_expired(draft: Draft, earliest: int, expires_at: int | None) -> None:
    if expires_at is None or expires_at > earliest:
        return
    assert draft.expires_at is not None
    if draft.send_at is not None and draft.send_at >= draft.expires_at:
        raise DraftError(
            f"send_at ({draft.send_at.isoformat()}) is not before expires_at "
            f"({draft.expires_at.isoformat()}): it could never be sent"
        )
    raise DraftError(f"expires_at ({draft.expires_at.isoformat()}) has passed already")


def _wall(at: datetime | None, name: str) -> int | None:
    if at is None:
        return None
    try:
        return wall_us(at)
    except ValueError as error:
        raise DraftError(f"{name}: {error}") from None


_PRIORITIES: Mapping[str, int] = {
    priority.word: priority.value for priority in (Priority.HIGH, Priority.NORMAL, Priority.LOW)
}


def _priority(word: str) -> int:
    try:
        return _PRIORITIES[word]
    except KeyError:
        raise DraftError(
            f"there is no priority {word!r}: it may be {', '.join(_PRIORITIES)}"
        ) from None


def _on_unknown(word: str | None, default: OnUnknown) -> OnUnknown:
    try:
        return default if word is None else OnUnknown(word)
    except ValueError:
        raise DraftError(f"on_unknown may be resend or hold, not {word!r}") from None


def _key(value: str | None, name: str) -> str | None:
    if value is None:
        return None
    if not 0 < len(value) <= KEY_LENGTH_MAX or not value.isprintable():
        raise DraftError(
            f"{name} must be 1 to {KEY_LENGTH_MAX} printable characters, not {value[:40]!r}"
        )
    return value
