"""The command line `waq`: every command, in the order and the groups its help shows them in."""

from collections.abc import Callable
from inspect import cleandoc

from typer import Typer
from typer.core import TyperCommand

from waqcore.cli import (
    act,
    audit,
    backup,
    callback,
    clear,
    deploy_files,
    dispatch,
    doctor,
    export,
    import_,
    lanes,
    messages,
    migrate,
    optout,
    purge,
    send,
    serve,
    settings,
    status,
    token,
    user,
)
from waqcore.cli.app import new_app

_COMMANDS: dict[str, tuple[tuple[Callable[..., None], str], ...]] = {
    "Look": (
        (status.status, status.EXAMPLES),
        (messages.messages, messages.MESSAGES_EXAMPLES),
        (messages.message, messages.MESSAGE_EXAMPLES),
        (audit.audit, audit.EXAMPLES),
        (export.export, export.EXAMPLES),
        (settings.settings, settings.EXAMPLES),
    ),
    "Send": (
        (send.send, send.EXAMPLES),
        (dispatch.dispatch, dispatch.EXAMPLES),
        (serve.serve, serve.EXAMPLES),
    ),
    "Decide about messages": (
        (act.cancel, act.CANCEL_EXAMPLES),
        (act.retry, act.RETRY_EXAMPLES),
        (act.resolve, act.RESOLVE_EXAMPLES),
        (act.prioritise, act.PRIORITISE_EXAMPLES),
        (clear.clear, clear.CLEAR_EXAMPLES),
        (clear.restore, clear.RESTORE_EXAMPLES),
    ),
    "Hold senders, and let them go": (
        (lanes.pause, lanes.PAUSE_EXAMPLES),
        (lanes.resume, lanes.RESUME_EXAMPLES),
        (lanes.process, lanes.PROCESS_EXAMPLES),
        (lanes.override_pace, lanes.OVERRIDE_EXAMPLES),
    ),
    "Keep it running": (
        (doctor.doctor, doctor.EXAMPLES),
        (backup.backup, backup.BACKUP_EXAMPLES),
        (backup.restored, backup.RESTORED_EXAMPLES),
        (purge.purge, purge.EXAMPLES),
        (import_.import_, import_.EXAMPLES),
        (migrate.migrate, migrate.EXAMPLES),
        (deploy_files.deploy_files, deploy_files.EXAMPLES),
    ),
    "Who wants no messages": (
        (optout.suppress, optout.SUPPRESS_EXAMPLES),
        (optout.unsuppress, optout.UNSUPPRESS_EXAMPLES),
        (optout.suppressed, optout.SUPPRESSED_EXAMPLES),
    ),
}

_TOKENS = (
    (token.add, token.ADD_EXAMPLES),
    (token.list_, token.LIST_EXAMPLES),
    (token.revoke, token.REVOKE_EXAMPLES),
)

_CALLBACKS = (
    (callback.add, callback.ADD_EXAMPLES),
    (callback.list_, callback.LIST_EXAMPLES),
    (callback.deliveries, callback.DELIVERIES_EXAMPLES),
    (callback.remove, callback.REMOVE_EXAMPLES),
)

_USERS = (
    (user.add, user.ADD_EXAMPLES),
    (user.list_, user.LIST_EXAMPLES),
    (user.password, user.PASSWORD_EXAMPLES),
    (user.remove, user.REMOVE_EXAMPLES),
)


def _unwrapped(doc: str | None) -> str:
    # The help would keep the docstring's own line ends inside its narrower lines.
    return "\n\n".join(" ".join(part.split()) for part in cleandoc(doc or "").split("\n\n"))


def _add(
    to: Typer, function: Callable[..., None], examples: str, *, panel: str | None = None
) -> None:
    to.command(
        function.__name__.rstrip("_").replace("_", "-"),
        cls=status.Watchable if function is status.status else TyperCommand,
        help=_unwrapped(function.__doc__),
        epilog=examples,
        rich_help_panel=panel,
    )(function)


app = new_app()
for _panel, _group in _COMMANDS.items():
    for _function, _examples in _group:
        _add(app, _function, _examples, panel=_panel)
_tokens = Typer(help=token.HELP, no_args_is_help=True)
for _function, _examples in _TOKENS:
    _add(_tokens, _function, _examples)
app.add_typer(_tokens, name="token", rich_help_panel="Who may call the API")
_callbacks = Typer(help=callback.HELP, no_args_is_help=True)
for _function, _examples in _CALLBACKS:
    _add(_callbacks, _function, _examples)
app.add_typer(_callbacks, name="callback", rich_help_panel="Who is told what became of messages")
_users = Typer(help=user.HELP, no_args_is_help=True)
for _function, _examples in _USERS:
    _add(_users, _function, _examples)
app.add_typer(_users, name="user", rich_help_panel="Who may open the dashboard")


def main() -> None:
    """Run `waq` with this process's arguments, and end the process."""
    app()
