"""The numbers we send from: those of the settings, and a file of those with rules of their own."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from waqcore.core.instants import microseconds
from waqcore.core.policy import Policy, Sender
from waqcore.settings import (
    Count,
    Kind,
    NotNegative,
    Positive,
    Settings,
    SettingsError,
    TimeOfDay,
    Url,
    cap_of,
    in_words,
    pace_variable,
    quiet_hours,
)

_Number = Annotated[str, Meta(pattern=r"^\d{6,15}$")]


class Account(msgspec.Struct, frozen=True):
    """A gateway address and the key used there; its name is what lanes share trouble by."""

    name: str
    gateway: Kind
    url: str
    api_key: str = msgspec.field(default="")

    def __repr__(self) -> str:
        return f"Account({self.name!r})"  # The key must not reach a log.


class Fleet(msgspec.Struct, frozen=True):
    """All the senders, and the gateway accounts they use."""

    senders: dict[str, Sender]
    accounts: dict[str, Account]

    def default_sender(self) -> str:
        """The sender of a message that names none: the first one configured."""
        return next(iter(self.senders))


class _SenderEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One `[[sender]]` of the file; what is left out is as the settings say."""

    number: _Number
    gateway: Kind | None = None
    gateway_url: Url | None = None
    api_key_env: str | None = None
    pace_seconds: NotNegative | None = None
    jitter_seconds: NotNegative | None = None
    cap_calls: Count | None = None
    cap_hours: Positive | None = None
    quiet_from: TimeOfDay | None = None
    quiet_to: TimeOfDay | None = None


class _SendersFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sender: list[_SenderEntry] = []


def fleet(settings: Settings, environ: Mapping[str, str]) -> Fleet:
    """The senders of the settings and of their senders file.

    Raises:
        SettingsError: no sender, one given twice, or a senders file that cannot be used.
    """
    default = Account("default", settings.gateway, settings.gateway_url, settings.whatsapp_api_key)
    senders: dict[str, Sender] = {}
    accounts = {default.name: default}
    pace = pace_variable(environ)
    for number in _listed(settings):
        _add(senders, Sender(number, default.name, settings.policy()), default, pace)
    for entry in _entries(settings.senders_file):
        account = _account(entry, default, environ)
        accounts[account.name] = account
        theirs = pace if entry.pace_seconds is None else "pace_seconds"
        sender = Sender(entry.number, account.name, _policy(entry, settings))
        _add(senders, sender, account, theirs)
    if not senders:
        raise SettingsError(
            "no sender is configured: set WHATSAPP_SENDER to the number the gateway sends from "
            "(digits, such as 628114040707), or name a WAQ_SENDERS_FILE"
        )
    return Fleet(senders, accounts)


def _listed(settings: Settings) -> list[str]:
    numbers = [settings.whatsapp_sender, *settings.senders.split(",")]
    numbers = [number.strip() for number in numbers if number.strip()]
    for number in numbers:
        if not (number.isascii() and number.isdigit() and 6 <= len(number) <= 15):
            raise SettingsError(
                f"a sender is written in digits as the gateway has it, such as 628114040707, "
                f"not {number!r}: see WHATSAPP_SENDER and WAQ_SENDERS"
            )
    return numbers


def _add(senders: dict[str, Sender], sender: Sender, account: Account, pace: str) -> None:
    """Take a sender in; `pace` is the setting that its pace is from."""
    if sender.policy.pace_us == 0 and account.gateway is not Kind.SANDBOX:
        raise SettingsError(
            f"{pace} is 0 for sender {sender.number}, and WhatsApp bans senders who go too fast: "
            "set it above 0 (10 is the default); only the sandbox gateway may go without"
        )
    if sender.number in senders:
        raise SettingsError(
            f"sender {sender.number} is configured twice: name it once, in WHATSAPP_SENDER, "
            "WAQ_SENDERS or the senders file"
        )
    senders[sender.number] = sender


def _entries(path: str) -> list[_SenderEntry]:
    if not path:
        return []
    try:
        data = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        return msgspec.convert(data, _SendersFile).sender
    except OSError as error:
        raise SettingsError(f"WAQ_SENDERS_FILE {path!r} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"WAQ_SENDERS_FILE {path!r} is not TOML: {error}") from None
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$.")
        where = where.rstrip("`") or "the top"
        words = "write it in digits" if where.endswith("number") else in_words(what, where)
        raise SettingsError(f"WAQ_SENDERS_FILE {path!r}, {where}: {words}") from None


def _account(entry: _SenderEntry, default: Account, environ: Mapping[str, str]) -> Account:
    gateway = entry.gateway or default.gateway
    url = entry.gateway_url or default.url
    key = default.api_key
    if entry.api_key_env is not None:
        if entry.api_key_env not in environ:
            raise SettingsError(
                f"sender {entry.number} takes its key from the environment variable "
                f"{entry.api_key_env}, which is not set"
            )
        key = environ[entry.api_key_env]
    if (gateway, url, key) == (default.gateway, default.url, default.api_key):
        return default
    return Account(f"{gateway} {url} {entry.api_key_env or ''}".strip(), gateway, url, key)


def _policy(entry: _SenderEntry, settings: Settings) -> Policy:
    policy = settings.policy()
    if entry.pace_seconds is not None:
        policy = policy._replace(pace_us=microseconds(entry.pace_seconds))
    if entry.jitter_seconds is not None:
        policy = policy._replace(jitter_us=microseconds(entry.jitter_seconds))
    if entry.cap_calls is not None:
        hours = entry.cap_hours or settings.cap_hours
        policy = policy._replace(cap=cap_of(entry.cap_calls, hours))
    if (entry.quiet_from is None) != (entry.quiet_to is None):
        raise SettingsError(
            f"sender {entry.number}: quiet_from and quiet_to go together: set both or neither"
        )
    if entry.quiet_from is not None:
        policy = policy._replace(quiet=quiet_hours(entry.quiet_from, entry.quiet_to))
    return policy
