"""The program as a whole: what it says of itself, and how it ends when something is wrong."""

import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

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
        _print_anything()
        try:
            code = super().main(
                args, "waq", complete_var, False, windows_expand_args=windows_expand_args, **extra
            )
        except typer.TyperException as error:
            complain(_usage(error))
            sys.exit(error.exit_code)
        except typer.Abort:
            complain("stopped: nothing was done")
            sys.exit(NOT_DONE)
        except Exception as error:
            ends_with = exit_code(error)
            if ends_with is None:
                raise
            complain(str(error))
            sys.exit(ends_with)
        sys.exit(code or 0)


def _usage(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    text = error.format_message().replace("Value error, ", "").removesuffix(".")
    return text if context is None else f"{text} (see `{context.command_path} --help`)"


def _print_anything() -> None:
    # A terminal that is not UTF-8 must not turn a message's emoji into a traceback.
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


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
