"""`waq dispatch`: send what is queued, until told to stop."""

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from waqcore.cli.session import environment

if TYPE_CHECKING:
    from waqcore.settings import Settings

EXAMPLES = """Examples:
  waq dispatch                            until Ctrl-C
  waq dispatch --log json 2>>waq.log      under systemd, or in a container
  WAQ_GATEWAY=sandbox waq dispatch        sends nothing, and says it did"""


class LogStyle(StrEnum):
    """How log lines look."""

    JSON = "json"
    TEXT = "text"


def dispatch(
    id_: Annotated[
        str | None, typer.Option("--id", metavar="NAME", help="This dispatcher's name.")
    ] = None,
    log: Annotated[
        LogStyle | None, typer.Option(help="Log lines; else text at a terminal, json elsewhere.")
    ] = None,
) -> None:
    """Send what is queued, at the pace, until SIGTERM or Ctrl-C.

    It ends once the calls in flight are settled. Any number of dispatchers may share a database.
    """
    # Imported here: no other command needs an HTTP client.
    from waqcore.dispatcher import service
    from waqcore.senders import fleet
    from waqcore.settings import Settings

    environ = environment()
    settings = Settings.from_env(environ)
    senders = fleet(settings, environ)
    configure_logs(log, settings)
    service.run(settings, senders, id_=id_)


def configure_logs(wanted: LogStyle | None, settings: "Settings") -> None:
    """Log in the style that was asked for; else as suits where stderr goes."""
    from waqcore import log as logs

    style = wanted or (LogStyle.TEXT if sys.stderr.isatty() else LogStyle.JSON)
    logs.configure("json" if style is LogStyle.JSON else "text", zone=settings.zone())
