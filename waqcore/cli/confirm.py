"""The question before what cannot be taken lightly."""

import sys

import typer

from waqcore.cli.errors import BadInput, NotDone


def confirm(what: str, *, typed: str, yes: bool) -> None:
    """Say what is about to happen, and go on only if a person types `typed`, or with `yes`.

    Raises:
        BadInput: there is no terminal to ask at, and no `--yes`.
        NotDone: something else was typed.
    """
    if yes:
        print(what)
        return
    if not sys.stdin.isatty():
        raise BadInput(
            f"{what}; nothing was done: there is no terminal to confirm it at, add --yes"
        )
    print(what)
    answer = typer.prompt(f"Type {typed} to go on", default="", show_default=False, err=True)
    if answer.strip() != typed:
        raise NotDone(f"{typed} was not typed: nothing was done")
