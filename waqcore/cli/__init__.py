"""The command line `waq`: every command, in the order and the groups its help shows them in."""

from collections.abc import Callable
from inspect import cleandoc

from typer.core import TyperCommand

from waqcore.cli import (
    act,
    audit,
    clear,
    dispatch,
    export,
    lanes,
    messages,
    optout,
    send,
    settings,
    status,
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
    "Who wants no messages": (
        (optout.suppress, optout.SUPPRESS_EXAMPLES),
        (optout.unsuppress, optout.UNSUPPRESS_EXAMPLES),
        (optout.suppressed, optout.SUPPRESSED_EXAMPLES),
    ),
}


def _unwrapped(doc: str | None) -> str:
    # The help would keep the docstring's own line ends inside its narrower lines.
    return "\n\n".join(" ".join(part.split()) for part in cleandoc(doc or "").split("\n\n"))


app = new_app()
for _panel, _group in _COMMANDS.items():
    for _function, _examples in _group:
        app.command(
            _function.__name__.replace("_", "-"),
            cls=status.Watchable if _function is status.status else TyperCommand,
            help=_unwrapped(_function.__doc__),
            epilog=_examples,
            rich_help_panel=_panel,
        )(_function)


def main() -> None:
    """Run `waq` with this process's arguments, and end the process."""
    app()
