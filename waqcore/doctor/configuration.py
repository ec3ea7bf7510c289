"""What the settings alone tell: secrets, paces, and who may read the files that hold them."""

import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from waqcore.core.instants import SECOND, seconds
from waqcore.doctor.finding import Finding, bad, ok, warn
from waqcore.senders import Fleet
from waqcore.settings import Kind, Settings

SECRET_MIN = 16
"""Characters of a secret that we choose ourselves: at random, more than 80 bits."""

KEY_MIN = 8
"""Characters of a gateway's key, which the gateway chose: one shorter is a remainder of one."""

PACE_TRIED_US = 10 * SECOND
"""What the gateway this system was made for has borne for years; people were banned at 13 s."""

_SECRETS = ("KEY", "TOKEN", "PASSWORD", "SECRET")


def secrets(settings: Settings) -> Iterator[Finding]:
    """Whether secrets are long enough; how long they are is all that is told of them."""
    short = {
        name: len(value) for name, value, least in _secrets(settings) if 0 < len(value) < least
    }
    for name, length in short.items():
        todo = "make it longer: `openssl rand -hex 32` prints a good one"
        if name == "WHATSAPP_API_KEY":
            todo = "compare it with the gateway's page: it looks cut off"
        yield warn("secrets", f"{name} has {length} characters", todo)
    if not short:
        count = sum(bool(value) for _, value, _ in _secrets(settings))
        yield ok("secrets", f"{count} set, none too short")


def _secrets(settings: Settings) -> Iterator[tuple[str, str, int]]:
    for field in msgspec.structs.fields(Settings):
        name, value = field.encode_name, getattr(settings, field.name)
        if isinstance(value, str) and any(word in name for word in _SECRETS):
            yield name, value, KEY_MIN if name == "WHATSAPP_API_KEY" else SECRET_MIN


def senders(fleet: Fleet) -> Iterator[Finding]:
    """How many senders there are, and whether one goes faster than has been tried."""
    paces = sorted(sender.policy.pace_us for sender in fleet.senders.values())
    shown = f"{len(paces)}, one call per {seconds(paces[0]):g} s each"
    if paces[0] != paces[-1]:
        shown = f"{len(paces)}, one call per {seconds(paces[0]):g} to {seconds(paces[-1]):g} s each"
    yield ok("senders", shown)
    for sender in fleet.senders.values():
        pace_us = sender.policy.pace_us
        if fleet.accounts[sender.account].gateway is Kind.SANDBOX:
            continue
        if pace_us < PACE_TRIED_US:
            yield warn(
                "pace",
                f"{sender.number} calls every {seconds(pace_us):g} s",
                "WhatsApp bans senders who go too fast: raise WAQ_PACE_SECONDS to 10 or more",
            )


def senders_file(settings: Settings) -> Iterator[Finding]:
    """Whether others may write the file that says whom we send from."""
    if not settings.senders_file:
        return
    mode = Path(settings.senders_file).stat().st_mode
    if mode & stat.S_IWOTH:
        yield bad(
            "rights",
            f"everybody may write {settings.senders_file}",
            f"run `chmod o-w {settings.senders_file}`",
        )
    else:
        yield ok("senders file", settings.senders_file)
