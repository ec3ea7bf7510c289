"""`waq callback`: where applications are told what became of their messages."""

from typing import TYPE_CHECKING, Annotated

import typer

from waqcore.cli.errors import BadInput
from waqcore.cli.json_out import show_json
from waqcore.cli.options import Json, Yes
from waqcore.cli.screen import Row, console, room, show, table
from waqcore.cli.session import Keeping, opened_store

if TYPE_CHECKING:
    from waqcore import as_json
    from waqcore.store.callbacks import CallbackRow

HELP = "Say where applications hear what became of messages, and see whether they did."

ADD_EXAMPLES = """Example:
  waq callback add https://app.example/whatsapp --event message.sent --event message.failed"""

LIST_EXAMPLES = """Example:
  waq callback list"""

DELIVERIES_EXAMPLES = """Example:
  waq callback deliveries cb_019a…        how the newest events got there, and why not"""

REMOVE_EXAMPLES = """Example:
  waq callback remove cb_019a…"""

Id = Annotated[str, typer.Argument(metavar="ID", help="As `waq callback list` shows it.")]


def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where events are posted.")],
    event: Annotated[
        list[str],
        typer.Option(
            metavar="EVENT",
            help="message.sent, .failed, .unknown, .cancelled, .expired; repeatable.",
        ),
    ],
    json: Json = False,
) -> None:
    """Call an application back from now on, and print its secret, once.

    It verifies what comes, as Standard Webhooks say.
    """
    from msgspec import structs

    from waqcore import as_json, callbacks

    with opened_store() as keeping:
        try:
            row = callbacks.register(
                keeping.store,
                url,
                event,
                actor=keeping.actor,
                any_address=keeping.settings.callback_any_address,
            )
        except callbacks.CallbackError as error:
            raise BadInput(str(error)) from None
    made = as_json.callback(row)
    if json:
        show_json({**structs.asdict(made), "secret": row.secret})
        return
    print(f"{made.id} is told of {', '.join(made.events)}.")
    print(f"Its secret, which is shown this once: {row.secret}")


def list_(json: Json = False) -> None:
    """List those who are called back; never their secrets."""
    from waqcore import as_json
    from waqcore.store import callbacks

    with opened_store() as keeping:
        rows, view = keeping.store.read(callbacks.listing), keeping.view
    found = [as_json.callback(row) for row in rows]
    if json:
        show_json({"callbacks": found})
        return
    if not found:
        print("Nobody is called back yet; `waq callback add URL --event message.failed` does it.")
        return
    lines = [
        Row(
            (one.id, view.clock(one.created_at), one.url, ", ".join(one.events)),
            "" if one.disabled_at is None else f"disabled: {one.disabled_reason}",
        )
        for one in found
    ]
    terminal = console()
    show(table(("ID", "MADE", "URL", "EVENTS", "NOTE"), lines, room=room(terminal)), terminal)


def deliveries(
    id_: Id,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="How many, the newest.")] = 20,
    json: Json = False,
) -> None:
    """List the newest events of a callback, and how their delivery went.

    Seven days are kept.
    """
    from waqcore import as_json
    from waqcore.store import outbox

    with opened_store() as keeping:
        _found(keeping, id_)
        rows, view = keeping.store.read(lambda c: outbox.recent(c, id_, limit)), keeping.view
    told = [as_json.delivery(row) for row in rows]
    if json:
        show_json({"deliveries": told})
        return
    if not told:
        print("It was told nothing yet.")
        return
    lines = [
        Row(
            (
                view.clock(one.ended_at),
                one.type,
                one.message_id,
                one.status,
                str(one.tries),
            ),
            _note(one),
        )
        for one in told
    ]
    terminal = console()
    columns = ("ENDED", "EVENT", "MESSAGE", "STATUS", "TRIES", "NOTE")
    show(table(columns, lines, room=room(terminal), numbers={"TRIES"}), terminal)


def remove(id_: Id, yes: Yes = False) -> None:
    """Call an application back no more.

    What it was still to be told is forgotten.
    """
    from waqcore.cli.confirm import confirm
    from waqcore.store import callbacks

    with opened_store() as keeping:
        row = _found(keeping, id_)
        what = f"{row.url} will hear nothing more, nor what it was still to be told"
        confirm(what, typed=id_, yes=yes)
        wall = keeping.store.now().wall
        keeping.store.write(lambda c: callbacks.remove(c, id_, keeping.actor, wall))
    print(f"{id_} is called back no more.")


def _found(keeping: Keeping, id_: str) -> "CallbackRow":
    from waqcore.queue import NotFoundError
    from waqcore.store import callbacks

    row = keeping.store.read(lambda connection: callbacks.find(connection, id_))
    if row is None:
        raise NotFoundError(f"there is no callback {id_[:80]!r}; `waq callback list` shows them")
    return row


def _note(one: "as_json.Delivery") -> str:
    answered = "" if one.http_status is None else f"HTTP {one.http_status}"
    return one.problem or answered
