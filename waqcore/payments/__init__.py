"""What payment providers tell us, each in its own words, and what it means for a registration."""

from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """What an event says of a payment."""

    PAID = "paid"
    FAILED = "failed"  # Expired, denied, cancelled: this invoice will not be paid.
    OPEN = "open"  # Nothing yet, or nothing that we tell anybody.


class PaymentEvent(NamedTuple):
    """One event, proved to come from the provider."""

    provider: str
    id: str
    """The same however often it is delivered."""
    reference: str
    """What the application called the payment: the registration, or its invoice."""
    invoice: str
    """The provider's own id of what was to be paid; empty: it has none."""
    verdict: Verdict
    reason: str
    """The provider's own word for it, such as EXPIRED."""


class PaymentError(ValueError):
    """An event that is not taken; the text never repeats what is secret, nor what was signed."""


class ForgedError(PaymentError):
    """It does not prove that it comes from the provider."""


class MalformedError(PaymentError):
    """It is not what this provider sends."""


class UnconfirmedError(Exception):
    """Whether it is true cannot be found out now: the provider should tell us again later."""
