"""`waq settings`: what this machine is set to, and by what."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from waqcore.cli.json_out import show_json
from waqcore.cli.options import Json
from waqcore.cli.screen import Row, console, room, show, table
from waqcore.cli.session import environment
from waqcore.core.instants import seconds

if TYPE_CHECKING:
    from waqcore.senders import Fleet
    from waqcore.settings import Settings

EXAMPLES = """Examples:
  waq settings > settings.txt      for a support request: keys are hidden
  waq settings --json | jq .settings.WAQ_PACE_SECONDS.value"""

HIDDEN = "(hidden)"

_PASSWORD = re.compile(r"(?<=://)[^/@]*@")


def settings(json: Json = False) -> None:
    """Show every setting and where it is from, and senders.

    Keys and passwords are hidden.
    """
    from waqcore.senders import Fleet, fleet
    from waqcore.settings import Settings, SettingsError

    environ = environment()
    known = Settings.from_env(environ)
    # Last, so that the settings are shown even where no sender is configured.
    senders, wrong = Fleet({}, {}), None
    try:
        senders = fleet(known, environ)
    except SettingsError as error:
        wrong = error
    if json:
        show_json(_json(known, senders, environ))
    else:
        _show(known, senders, environ)
    if wrong is not None:
        raise wrong


def _show(known: "Settings", senders: "Fleet", environ: Mapping[str, str]) -> None:
    terminal = console()
    rows = [
        Row((name, _shown(value), _source(name, environ))) for name, value in _values(known).items()
    ]
    show(table(("SETTING", "VALUE", "FROM", ""), rows, room=room(terminal)), terminal)
    if senders.senders:
        columns = ("SENDER", "PACE", "GATEWAY", "ACCOUNT", "")
        show(["", *table(columns, _senders(senders), room=room(terminal))], terminal)


def _json(known: "Settings", senders: "Fleet", environ: Mapping[str, str]) -> dict[str, object]:
    return {
        "settings": {
            name: {"value": value, "from": _source(name, environ)}
            for name, value in _values(known).items()
        },
        "senders": [
            {
                "number": sender.number,
                "pace_s": seconds(sender.policy.pace_us),
                "gateway": senders.accounts[sender.account].gateway.value,
                "account": _PASSWORD.sub(f"{HIDDEN}@", sender.account),
            }
            for sender in senders.senders.values()
        ],
    }


def _values(known: "Settings") -> dict[str, object]:
    """Every setting by its variable, None where it is not set, without keys and passwords."""
    import msgspec

    fields = msgspec.structs.fields(type(known))
    return {
        field.encode_name: _open(field.encode_name, getattr(known, field.name)) for field in fields
    }


def _open(name: str, value: object) -> object:
    from waqcore.settings import is_secret

    if value is None or value == "":
        return None
    if is_secret(name):
        return HIDDEN
    return _PASSWORD.sub(f"{HIDDEN}@", str(value)) if isinstance(value, str) else value


def _shown(value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _source(name: str, environ: Mapping[str, str]) -> str:
    from waqcore.settings import PACE, pace_variable

    if environ.get(name):
        return "environment"
    if name == PACE and pace_variable(environ) != PACE:
        return pace_variable(environ)
    return "default"


def _senders(known: "Fleet") -> list[Row]:
    return [
        Row(
            (
                sender.number,
                f"{seconds(sender.policy.pace_us):g} s",
                known.accounts[sender.account].gateway.value,
                _PASSWORD.sub(f"{HIDDEN}@", sender.account),
            )
        )
        for sender in known.senders.values()
    ]
