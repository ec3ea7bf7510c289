"""The program as a whole: what it says of itself, and how it ends when something is wrong."""

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from waqcore.cli import stdout
from waqcore.cli.errors import NOT_DONE, complain, exit_code

HELP = """Queue WhatsApp messages, look after the queue, and send what is in it.

Settings come from the environment; `waq settings` shows all of them.
Exit codes: 0 done, 1 refused or failed, 2 wrong input or settings."""

EPILOG = """Examples:
  waq status --watch                       how it is going, every 2 s
  waq send 081234567890 'Hello'            queue a message
  waq messages --state failed              what was not delivered, and why
  waq retry --all-failed                   try those again
  waq pause --reason 'gateway moves'       stop sending; waq resume goes on"""


class Waq(TyperGroup):
    """Ends the process with one line on stderr for whatever the user can mend."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command that the arguments name."""
        stdout.prepare()
        try:
            code = super().main(
                args, "waq", complete_var, False, windows_expand_args=windows_expand_args, **extra
            )
        except Exception as error:
            code = _ended(error)
            if code is None:
                raise
        sys.exit(stdout.finish(code or 0))


def _ended(error: Exception) -> int | None:
    """Say what was wrong, in one line; returns the exit code, None for a fault of ours."""
    if isinstance(error, typer.TyperException):
        complain(_usage(error))
        return error.exit_code
    if isinstance(error, typer.Abort):
        complain("stopped: nothing was done")
        return NOT_DONE
    if isinstance(error, OSError) and stdout.failed(error):
        return stdout.give_up(error)
    code = exit_code(error)
    if code is not None:
        complain(str(error))
    return code


def _usage(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    text = error.format_message().replace("Value error, ", "").removesuffix(".")
    return text if context is None else f"{text} (see `{context.command_path} --help`)"


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"waq {version('waqcore')}")
        raise typer.Exit


def _program(
    context: typer.Context,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", metavar="", callback=_show_version, is_eager=True, help="Show the version."
        ),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


def new_app() -> typer.Typer:
    """The program, without commands."""
    app = typer.Typer(
        cls=Waq,
        help=HELP,
        epilog=EPILOG,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
        pretty_exceptions_enable=False,  # They show local variables: numbers, texts, keys.
    )
    app.callback(invoke_without_command=True)(_program)
    return app
