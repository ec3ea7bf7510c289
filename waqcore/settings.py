"""Settings: read once, at the start; a bad one stops the start with one clear line."""

import difflib
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from waqcore.core.instants import microseconds
from waqcore.core.message import OnUnknown
from waqcore.core.policy import Cap, Policy, Quiet, TimeShift
from waqcore.signature import SecretError, keys_of

_LONGEST_S = 366 * 86_400.0
Positive = Annotated[float, Meta(gt=0, le=_LONGEST_S)]
NotNegative = Annotated[float, Meta(ge=0, le=_LONGEST_S)]
Count = Annotated[int, Meta(ge=1)]
TimeOfDay = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Url = Annotated[str, Meta(pattern=r"^(https?://.+)?$")]


ADMIN_PASSWORD_MIN = 8
"""Characters. Source: NIST SP 800-63B (2017), 5.1.1.1."""

API_TOKEN_MIN = 20
"""Characters: at random, some 100 bits."""

TIMEOUT_MINUTES_MIN = 2.0
"""A call and the questions after it end within one minute; the rest is for a busy machine."""


class Kind(StrEnum):
    """A kind of gateway."""

    MPWA = "mpwa"
    SANDBOX = "sandbox"  # Accepts everything and sends nothing.


class SettingsError(ValueError):
    """A setting is wrong; the text says which, what it was, and what it may be."""


class Settings(
    msgspec.Struct, frozen=True, kw_only=True, rename=lambda name: f"WAQ_{name.upper()}"
):
    """Every setting, by its environment variable; a duration's unit is the end of its name."""

    whatsapp_api_key: str = msgspec.field(default="", name="WHATSAPP_API_KEY")
    whatsapp_sender: str = msgspec.field(default="", name="WHATSAPP_SENDER")
    senders: str = ""
    """More senders on the same gateway and key, by comma."""
    senders_file: str = ""
    """A TOML file of senders with rules or a gateway of their own."""
    database_url: str = "sqlite:///waqcore.db"
    gateway: Kind = Kind.MPWA
    gateway_url: Url = ""
    pace_seconds: NotNegative = 10.0
    guard_ms: NotNegative = 250.0
    jitter_seconds: NotNegative = 0.0
    gather_seconds: NotNegative = 0.0
    high_head_start_seconds: NotNegative = 0.0
    """0: strict priority; else the time shift of `high` over `low`, and half of it for `normal`."""
    max_attempts: Count = 3
    backoff_seconds: Positive = 5.0
    backoff_max_seconds: Positive = 600.0
    breaker_threshold: Count = 3
    probe_seconds: Positive = 15.0
    probe_max_seconds: Positive = 300.0
    timeout_minutes: Positive = 30.0
    call_timeout_seconds: Annotated[float, Meta(gt=0, le=40)] = 30.0
    """With the questions that may follow a failure, 10 s each, it must end within a minute."""
    refused_max_hours: Positive = 24.0
    on_unknown: OnUnknown = OnUnknown.RESEND
    quiet_from: TimeOfDay | None = None
    """Local time, with `quiet_to`; None: no quiet hours."""
    quiet_to: TimeOfDay | None = None
    cap_calls: Count | None = None
    """At most this many calls of a sender in `cap_hours`; None: no cap."""
    cap_hours: Positive = 24.0
    retention_days: Annotated[int, Meta(ge=1, le=3_660)] | None = None
    """Days after which numbers and texts of ended messages are erased; None: they are kept."""
    timezone: str = "Asia/Jakarta"
    mobile_only: bool = True
    """Refuse numbers that are not a mobile's; WhatsApp Business on a landline needs `false`."""
    seed: int = 0
    admin_password: str = ""
    """The dashboard's, of the user `admin`; empty: only people of `waq user` can sign in."""
    api_token: str = ""
    """A token of the API with every scope, beside those of `waq token`; empty: there is none."""
    api_per_second: Positive = 1_000.0
    """Requests of one token in a second; for five seconds' worth it may come at once."""
    templates: str = ""
    """A folder of the operator's own texts for registrations; empty: those that are shipped."""
    xendit_token: str = ""
    """As with the other secrets of payments: empty, nobody is let in."""
    midtrans_server_key: str = ""
    midtrans_url: Url = "https://api.midtrans.com"
    payment_secret: str = ""
    """Secrets of payment events as Standard Webhooks sign them, by comma."""
    callback_any_address: bool = False
    """Call applications back at link-local and metadata addresses too."""
    alert_url: Url = ""
    alert_secret: str = ""
    """Signs what is posted to `alert_url`; empty: it is not signed."""
    alert_command: str = ""
    """Gets alerts as JSON on its standard input; words are split as a shell does, by no shell."""
    alert_oldest_minutes: Positive = 60.0
    """A message that has been due for longer is an alert."""
    alert_eta_minutes: Positive | None = None
    """Forecasts that are off by more, in the median of a day, are an alert; None: never."""

    def __post_init__(self) -> None:
        for name, several in (
            ("WAQ_PAYMENT_SECRET", self.payment_secret),
            ("WAQ_ALERT_SECRET", self.alert_secret),
        ):
            try:
                keys_of(several)
            except SecretError as error:
                raise SettingsError(f"{name} has a secret that is {error}") from None
        if 0 < len(self.admin_password) < ADMIN_PASSWORD_MIN:
            raise SettingsError(
                f"WAQ_ADMIN_PASSWORD is too short: {len(self.admin_password)} characters; "
                f"take at least {ADMIN_PASSWORD_MIN}"
            )
        if 0 < len(self.api_token) < API_TOKEN_MIN:
            raise SettingsError(
                f"WAQ_API_TOKEN is too short: {len(self.api_token)} characters, and guessed sooner "
                f"than the {API_TOKEN_MIN} it must have; `openssl rand -hex 32` makes one"
            )
        if (self.quiet_from is None) != (self.quiet_to is None):
            raise SettingsError("WAQ_QUIET_FROM and WAQ_QUIET_TO go together: set both or neither")
        if self.backoff_max_seconds < self.backoff_seconds:
            raise SettingsError(
                f"WAQ_BACKOFF_MAX_SECONDS ({self.backoff_max_seconds:g}) is below "
                f"WAQ_BACKOFF_SECONDS ({self.backoff_seconds:g}): raise it"
            )
        if self.timeout_minutes < TIMEOUT_MINUTES_MIN:
            raise SettingsError(
                f"WAQ_TIMEOUT_MINUTES ({self.timeout_minutes:g}) is below {TIMEOUT_MINUTES_MIN:g}: "
                "a call may take a minute, and would be taken for lost while it runs"
            )
        self.zone()

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings of an environment.

        Raises:
            SettingsError: an unknown `WAQ_` name, or a value that is not allowed.
        """
        given = {name: environ[name] for name in environ if name.startswith("WAQ_")}
        given |= {name: environ[name] for name in _OURS if name in environ}
        _refuse_unknown(given)
        pace = pace_variable(environ)
        if pace != PACE:
            given[PACE] = environ[pace]
        given = {name: value for name, value in given.items() if value != ""}
        return _convert(given, cls, called={PACE: pace})

    def zone(self) -> ZoneInfo:
        """The operator's time zone."""
        try:
            return ZoneInfo(self.timezone)
        except (OSError, ValueError, KeyError):
            raise SettingsError(
                f"WAQ_TIMEZONE names no time zone: {self.timezone!r}; "
                "write it as Asia/Jakarta or Europe/Berlin"
            ) from None

    def policy(self) -> Policy:
        """The rules of every lane that has none of its own."""
        head_start = microseconds(self.high_head_start_seconds)
        return Policy(
            pace_us=microseconds(self.pace_seconds),
            guard_us=round(self.guard_ms * 1_000),
            jitter_us=microseconds(self.jitter_seconds),
            gather_us=microseconds(self.gather_seconds),
            time_shift=TimeShift(head_start, head_start // 2) if head_start else None,
            quiet=quiet_hours(self.quiet_from, self.quiet_to),
            cap=cap_of(self.cap_calls, self.cap_hours),
            max_attempts=self.max_attempts,
            backoff_base_us=microseconds(self.backoff_seconds),
            backoff_cap_us=microseconds(self.backoff_max_seconds),
            refused_age_max_us=microseconds(self.refused_max_hours * 3_600),
            breaker_threshold=self.breaker_threshold,
            probe_base_us=microseconds(self.probe_seconds),
            probe_cap_us=microseconds(self.probe_max_seconds),
            sending_max_us=microseconds(self.timeout_minutes * 60),
        )


PACE = "WAQ_PACE_SECONDS"
OLD_PACE = "WHATSAPP_QUEUE_DELAY"
"""What the system this one replaces called it."""


def pace_variable(environ: Mapping[str, str]) -> str:
    """The variable that sets the pace: the old one where it is set and the new one is not."""
    return OLD_PACE if environ.get(OLD_PACE) and not environ.get(PACE) else PACE


def quiet_hours(starts: str | None, ends: str | None) -> Quiet | None:
    """Quiet hours between two times of day, None where they are not set."""
    return Quiet(_time_of_day_us(starts), _time_of_day_us(ends)) if starts and ends else None


def _time_of_day_us(text: str) -> int:
    hours, minutes = text.split(":")
    return microseconds((int(hours) * 60 + int(minutes)) * 60)


def cap_of(calls: int | None, hours: float) -> Cap | None:
    """A cap, None where it is not set."""
    return None if calls is None else Cap(calls, microseconds(hours * 3_600))


_NAMES = {field.encode_name for field in msgspec.structs.fields(Settings)}
_OURS = {name for name in _NAMES if not name.startswith("WAQ_")}


def _refuse_unknown(given: Mapping[str, str]) -> None:
    for name in given:
        if name not in _NAMES:
            close = difflib.get_close_matches(name, _NAMES, n=1)
            hint = f"did you mean {close[0]}?" if close else "see the README for the settings"
            raise SettingsError(f"there is no setting {name}: {hint}")


def _convert(given: Mapping[str, Any], cls: type[Settings], called: Mapping[str, str]) -> Settings:
    """Check what was given; `called` is by which variable a setting was, if by another's name."""
    try:
        return msgspec.convert(given, cls, strict=False)
    except msgspec.ValidationError as error:
        raise SettingsError(_worded(str(error), given, called)) from None


# Addresses of chats have their secret in them, and commands may.
_SECRET = re.compile("KEY|TOKEN|PASSWORD|SECRET|ALERT_URL|ALERT_COMMAND")


def is_secret(name: str) -> bool:
    """Whether a setting's value must not be shown."""
    return _SECRET.search(name) is not None


def _worded(error: str, given: Mapping[str, Any], called: Mapping[str, str]) -> str:
    """Turn msgspec's ``… - at `$.WAQ_PACE_SECONDS` `` into a line that leads with the setting."""
    what, _, where = error.partition(" - at `$.")
    name = where.rstrip("`")
    if name not in given:
        return error
    shown = "(hidden)" if is_secret(name) else repr(given[name])
    return f"{called.get(name, name)} = {shown} is not allowed: {in_words(what, name)}"


def in_words(what: str, name: str) -> str:
    """Say what msgspec expected of a field in words of ours: a regular expression helps nobody."""
    if "regex" in what:
        return "write it as " + ("http://… or https://…" if "URL" in name.upper() else _EXAMPLE)
    if what.startswith("Invalid enum value"):
        kinds: type[StrEnum] = OnUnknown if "UNKNOWN" in name.upper() else Kind
        return "it may be " + " or ".join(kind.value for kind in kinds)
    what = re.sub(r", got `.*`| \| null", "", what).replace("Expected `", "it must be `")
    for type_, word in (
        ("`float`", "a number"),
        ("`int`", "a whole number"),
        ("`bool`", "true or false"),
    ):
        what = what.replace(type_, word)
    return what.replace(".0", "")


_EXAMPLE = "21:00, hours and minutes"
