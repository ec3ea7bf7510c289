"""`waq settings`: what this machine is set to, and by what."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from waqcore.cli.screen import Row, console, room, show, table
from waqcore.cli.session import environment
from waqcore.core.instants import seconds

if TYPE_CHECKING:
    from waqcore.senders import Fleet
    from waqcore.settings import Settings

EXAMPLES = """Example:
  waq settings > settings.txt      for a support request: keys are hidden"""

_PASSWORD = re.compile(r"(?<=://)[^/@]*@")


def settings() -> None:
    """Show every setting and where it is from, and senders.

    Keys and passwords are hidden.
    """
    from waqcore.senders import fleet
    from waqcore.settings import Settings

    environ = environment()
    known = Settings.from_env(environ)
    terminal = console()
    columns = ("SETTING", "VALUE", "FROM", "")
    show(table(columns, _settings(known, environ), room=room(terminal)), terminal)
    # Last, so that the settings are shown even where no sender is configured.
    senders = fleet(known, environ)
    sender_columns = ("SENDER", "PACE", "GATEWAY", "ACCOUNT", "")
    show(["", *table(sender_columns, _senders(senders), room=room(terminal))], terminal)


def _settings(known: "Settings", environ: Mapping[str, str]) -> list[Row]:
    import msgspec

    return [
        Row(
            (
                field.encode_name,
                _shown(field.encode_name, getattr(known, field.name)),
                _source(field.encode_name, environ),
            )
        )
        for field in msgspec.structs.fields(type(known))
    ]


def _shown(name: str, value: object) -> str:
    if value is None or value == "":
        return "not set"
    if "KEY" in name or "PASSWORD" in name or "TOKEN" in name:
        return "(hidden)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return _PASSWORD.sub("(hidden)@", str(value))


def _source(name: str, environ: Mapping[str, str]) -> str:
    if environ.get(name):
        return "environment"
    if name == "WAQ_PACE_SECONDS" and environ.get("WHATSAPP_QUEUE_DELAY"):
        return "WHATSAPP_QUEUE_DELAY"
    return "default"


def _senders(known: "Fleet") -> list[Row]:
    return [
        Row(
            (
                sender.number,
                f"{seconds(sender.policy.pace_us):g} s",
                known.accounts[sender.account].gateway.value,
                _PASSWORD.sub("(hidden)@", sender.account),
            )
        )
        for sender in known.senders.values()
    ]
