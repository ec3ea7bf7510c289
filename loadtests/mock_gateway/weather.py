"""What is ordered to go wrong: rules from a TOML file or a JSON body, checked before use."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec

from loadtests.mock_gateway.clock import whole_us
from loadtests.mock_gateway.faults import DOWN, EFFECTS, Delivery, Fault
from loadtests.mock_gateway.latency import Latency

Positive = Annotated[int, msgspec.Meta(ge=1)]
Share = Annotated[float, msgspec.Meta(gt=0.0, le=1.0)]
Seconds = Annotated[float, msgspec.Meta(ge=0.0)]

RETRY_AFTER_S = 60  # What Laravel says to the first request after a full minute's worth.


class BadWeather(Exception):
    """Rules that cannot be followed; the message is one line for whoever wrote them."""


class CheckNumber(StrEnum):
    """The shape check-number answers in."""

    BY_METHOD = "by_method"  # `data` to a GET, `msg` to a POST.
    DATA = "data"
    MSG = "msg"
    DATA_TRUE = "data_true"  # `"data": true` for every number, with no jid.
    EMPTY = "empty"  # An unregistered number has an empty `msg`.
    FAILED = "failed"  # An unregistered number has a 400.


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fault and the send calls it strikes; everything left out matches every call.

    Calls and seconds are counted from the moment the weather was set.
    """

    fault: Fault
    sender: str | None = None  # Exactly this one.
    recipient: str | None = None  # The end of the normalised number.
    first_call: Positive = 1
    last_call: Positive | None = None  # Inclusive; None: no end.
    from_s: Seconds = 0.0
    to_s: Seconds | None = None  # Exclusive; None: no end.
    times: Positive | None = None  # None: as often as it matches.
    probability: Share | None = None  # None: always. For not_registered: the share of numbers.
    seconds: Seconds | None = None  # How long slow lasts, or a device stays disconnected.
    delivered: bool | None = None  # Whether an unanswered call was delivered; None: it was not.
    retry_after: int | float | str | None = RETRY_AFTER_S  # Sent as is; null, "": no header.
    latency: Latency | None = None  # Of these calls' answers; None: the weather's.

    def __post_init__(self) -> None:
        """Refuse what contradicts itself, so that no rule is quietly without effect."""
        for wrong, why in (
            (self.last_call and self.last_call < self.first_call, "last_call before first_call"),
            (self.to_s is not None and self.to_s <= self.from_s, "to_s not after from_s"),
            (self.recipient == "", "an empty recipient suffix"),
            *self._mismatches(),
        ):
            if wrong:
                raise ValueError(f"{self.fault}: {why}")

    def _mismatches(self) -> tuple[tuple[bool, str], ...]:
        fault = self.fault
        is_down = fault is Fault.DISCONNECTED
        selectable = EFFECTS[fault].delivery is Delivery.AS_RULED
        needs_seconds = fault is Fault.SLOW or (is_down and not self.is_certain)
        has_seconds = self.seconds is not None
        return (
            (needs_seconds and not has_seconds, "seconds is missing"),
            (has_seconds and fault is not Fault.SLOW and not is_down, "seconds has no meaning"),
            (self.delivered is not None and not selectable, "delivered cannot be chosen"),
            (
                self.retry_after != RETRY_AFTER_S and fault is not Fault.THROTTLED,
                "retry_after has no meaning",
            ),
            (
                fault in DOWN and self.recipient is not None,
                "a device is not down for one recipient",
            ),
            (
                fault is Fault.NOT_REGISTERED and self.times is not None,
                "a number is on WhatsApp or is not, so times has no meaning",
            ),
        )

    @property
    def delivers(self) -> bool:
        """Whether the text reaches the phone."""
        delivery = EFFECTS[self.fault].delivery
        return delivery is Delivery.YES or (delivery is Delivery.AS_RULED and bool(self.delivered))

    @property
    def is_certain(self) -> bool:
        """Whether neither chance nor a count can keep the rule from applying."""
        return self.times is None and self.probability is None

    def covers(self, *, sender: str, number: str, call: int, since_us: int) -> bool:
        """Whether a call falls under the rule, `times` and `probability` aside."""
        return (
            (self.sender is None or self.sender == sender)
            and (self.recipient is None or number.endswith(self.recipient))
            and self.first_call <= call
            and (self.last_call is None or call <= self.last_call)
            and whole_us(self.from_s) <= since_us
            and (self.to_s is None or since_us < whole_us(self.to_s))
        )


class Weather(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that can be ordered; the first rule that applies to a call decides it."""

    rules: tuple[Rule, ...] = ()
    senders: frozenset[str] | None = None  # None: every sender is registered.
    api_keys: frozenset[str] | None = None  # None: every key is good.
    check_number: CheckNumber = CheckNumber.BY_METHOD
    latency: Latency | None = None  # Of every answer; None: what the gateway was started with.
    receipts_url: str | None = None  # Where receipts are posted; None: nowhere, as with MPWA.


def from_json(body: bytes) -> Weather:
    """The weather of a request's body.

    Raises: BadWeather.
    """
    try:
        return msgspec.json.decode(body, type=Weather)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadWeather(_one_line(error)) from error


def from_file(path: Path) -> Weather:
    """The weather of a TOML file.

    Raises: BadWeather.
    """
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Weather)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadWeather(f"{path}: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
