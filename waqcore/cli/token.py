"""`waq token`: who may call the HTTP API."""

from typing import TYPE_CHECKING, Annotated

import typer

from waqcore.cli.errors import BadInput, NotDone
from waqcore.cli.json_out import show_json
from waqcore.cli.options import Json
from waqcore.cli.screen import Row, console, room, show, table
from waqcore.cli.session import opened

if TYPE_CHECKING:
    from waqcore.store.tokens import TokenRow

HELP = "Make, list and revoke the tokens of the HTTP API."

ADD_EXAMPLES = """Examples:
  waq token add site --scope enqueue
  waq token add prometheus --scope read
  waq token add site-2 --scope enqueue && waq token revoke site      change it"""

LIST_EXAMPLES = """Example:
  waq token list"""

REVOKE_EXAMPLES = """Example:
  waq token revoke site"""

Name = Annotated[str, typer.Argument(metavar="NAME", help="What it is called in the audit.")]


def add(
    name: Name,
    scope: Annotated[
        list[str],
        typer.Option(metavar="SCOPE", help="enqueue, read or admin (which has all); repeatable."),
    ],
) -> None:
    """Make a token, and print it, once.

    Only its digest is kept. Services that run know it within seconds.
    """
    from waqcore.tokens import Scope, TokenError, new_token

    unknown = [word for word in scope if word not in list(Scope)]
    if unknown:
        raise BadInput(f"there is no scope {unknown[0]!r}: it may be {', '.join(Scope)}")
    with opened() as session:
        try:
            print(new_token(session.queue, name, [Scope(word) for word in scope]))
        except TokenError as error:
            raise BadInput(str(error)) from error


def list_(json: Json = False) -> None:
    """List the tokens there are, and were; never themselves."""
    from waqcore.message import instant
    from waqcore.tokens import kept_tokens

    with opened() as session:
        found = kept_tokens(session.queue)
        view = session.view
    if json:
        show_json({"tokens": [_shape(row) for row in found]})
        return
    if not found:
        print("There are no tokens yet; `waq token add NAME --scope enqueue` makes one.")
        return
    rows = [
        Row(
            (
                row.name,
                row.scopes,
                view.clock(instant(row.created_at)),
                "" if row.revoked_at is None else view.clock(instant(row.revoked_at)),
            )
        )
        for row in found
    ]
    terminal = console()
    show(table(("NAME", "SCOPES", "MADE", "REVOKED"), rows, room=room(terminal)), terminal)


def revoke(name: Name) -> None:
    """End a token.

    Services that run refuse it within seconds.
    """
    from waqcore.tokens import TokenError, revoke_token

    with opened() as session:
        try:
            revoke_token(session.queue, name)
        except TokenError as error:
            raise NotDone(str(error)) from error
    print(f"Revoked: {name}.")


def _shape(row: "TokenRow") -> dict[str, object]:
    from waqcore.message import instant

    return {
        "name": row.name,
        "scopes": row.scopes.split(","),
        "created_at": instant(row.created_at),
        "revoked_at": None if row.revoked_at is None else instant(row.revoked_at),
    }
