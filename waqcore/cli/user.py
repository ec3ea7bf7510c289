"""`waq user`: who may open the dashboard."""

import sys
from typing import Annotated

import typer

from waqcore.cli.errors import BadInput, NotDone
from waqcore.cli.json_out import show_json
from waqcore.cli.options import Json, Yes
from waqcore.cli.screen import Row, console, room, show, table
from waqcore.cli.session import opened

HELP = "Say who may open the dashboard, and who may only look."

ADD_EXAMPLES = """Examples:
  waq user add sari --role viewer                      asks for the password
  pass show waq/budi | waq user add budi --role admin  or reads it from a pipe"""

LIST_EXAMPLES = """Example:
  waq user list"""

PASSWORD_EXAMPLES = """Example:
  waq user password sari        ends all of her sessions, too"""

REMOVE_EXAMPLES = """Example:
  waq user remove sari"""

Name = Annotated[str, typer.Argument(metavar="NAME", help="Small letters, digits, dots, dashes.")]


def add(
    name: Name,
    role: Annotated[
        str, typer.Option(metavar="ROLE", help="admin, who may do everything, or viewer.")
    ],
) -> None:
    """Let somebody open the dashboard.

    Asks for the password, or reads a line of it from a pipe. Holds at once; no restart is needed.
    """
    from waqcore import people

    if role not in list(people.Role):
        raise BadInput(f"there is no role {role!r}: it is {' or '.join(people.Role)}")
    with opened() as session:
        try:
            people.check_name(name)
            password = _asked()
            people.add(session.queue.store, session.queue.actor, name, people.Role(role), password)
        except people.PeopleError as error:
            raise BadInput(str(error)) from None
    print(f"{name} may sign in, as {role}.")


def list_(json: Json = False) -> None:
    """List those who may open the dashboard."""
    from waqcore import people
    from waqcore.message import instant

    with opened() as session:
        found, view = people.listed(session.queue.store), session.view
    if json:
        users = [
            {"name": one.name, "role": one.role, "changed_at": instant(one.changed_at)}
            for one in found
        ]
        show_json({"users": users})
        return
    if not found:
        print("There is nobody yet but whom WAQ_ADMIN_PASSWORD lets in; see `waq user add`.")
        return
    rows = [Row((one.name, one.role, view.clock(instant(one.changed_at)))) for one in found]
    terminal = console()
    show(table(("NAME", "ROLE", "PASSWORD SET", ""), rows, room=room(terminal)), terminal)


def password(name: Name) -> None:
    """Give somebody another password.

    Their sessions end.
    """
    from waqcore import people

    with opened() as session:
        try:
            people.change_password(session.queue.store, session.queue.actor, name, _asked())
        except people.PeopleError as error:
            raise BadInput(str(error)) from None
    print(f"{name} has a new password; sessions with the old one have ended.")


def remove(name: Name, yes: Yes = False) -> None:
    """Let somebody in no more.

    Their sessions end at once.
    """
    from waqcore import people
    from waqcore.cli.confirm import confirm

    with opened() as session:
        confirm(f"{name} will not be let in any more", typed=name, yes=yes)
        try:
            people.remove(session.queue.store, session.queue.actor, name)
        except people.PeopleError as error:
            raise NotDone(str(error)) from None
    print(f"{name} is not let in any more.")


def _asked() -> str:
    """A password, typed twice at a terminal or read from a pipe: as an argument, others saw it."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    typed: str = typer.prompt(
        "Password", hide_input=True, confirmation_prompt="Once more", err=True
    )
    return typed
