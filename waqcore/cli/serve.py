"""`waq serve`: the API, the dashboard and a dispatcher, until told to stop."""

from importlib.util import find_spec
from typing import Annotated

import typer

from waqcore.cli.dispatch import LogStyle, configure_logs
from waqcore.cli.errors import BadInput
from waqcore.cli.session import environment

EXAMPLES = """Examples:
  waq token add site --scope enqueue      for an application; shown once
  waq serve                               API, dashboard and dispatcher on 127.0.0.1:8080
  waq serve --no-dispatch --port 8081     others dispatch
  WAQ_GATEWAY=sandbox waq serve           sends nothing, and says it did"""


def serve(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen; a proxy adds TLS.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="The port; 0: any that is free.")
    ] = 8080,
    no_dispatch: Annotated[
        bool, typer.Option("--no-dispatch", metavar="", help="Leave sending to others.")
    ] = False,
    id_: Annotated[
        str | None, typer.Option("--id", metavar="NAME", help="The dispatcher's name.")
    ] = None,
    log: Annotated[
        LogStyle | None, typer.Option(help="Log lines; else text at a terminal, json elsewhere.")
    ] = None,
) -> None:
    """Serve the HTTP API and the dashboard, and send what is queued.

    All in one process, until SIGTERM or Ctrl-C; it ends once the calls in flight are settled. Any
    number may share a database, with dispatchers beside them.
    """
    missing = [name for name in ("litestar", "uvicorn", "jinja2") if find_spec(name) is None]
    if missing:
        raise BadInput(
            f"{' and '.join(missing)} cannot be imported, which serving needs: "
            "pip install 'waqcore[serve]'"
        )
    # Imported here: no other command needs a server.
    from waqcore.dispatcher.guest import Guest
    from waqcore.senders import fleet
    from waqcore.settings import Settings
    from waqcore.web import server

    environ = environment()
    settings = Settings.from_env(environ)
    senders = fleet(settings, environ)
    configure_logs(log, settings)
    guest = None if no_dispatch else Guest(settings, senders, id_=id_)
    try:
        server.run(settings, senders, host=host, port=port, guest=guest)
    except server.ListenError as error:
        raise BadInput(str(error)) from error
