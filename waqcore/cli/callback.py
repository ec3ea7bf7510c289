"""`waq callback`: where applications are told what became of their messages."""

from typing import TYPE_CHECKING, Annotated

import typer

from waqcore.cli.errors import BadInput
from waqcore.cli.json_out import show_json
from waqcore.cli.options import Json, Yes
from waqcore.cli.screen import Row, console, room, show, table
from waqcore.cli.session import Keeping, opened_store

if TYPE_CHECKING:
    from waqcore.store.callbacks import CallbackRow
    from waqcore.store.outbox import Delivery

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
    from waqcore import callbacks

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
    if json:
        show_json({**_shape(row), "secret": row.secret})
        return
    print(f"{row.id} is told of {', '.join(_events(row))}.")
    print(f"Its secret, which is shown this once: {row.secret}")


def list_(json: Json = False) -> None:
    """List those who are called back; never their secrets."""
    from waqcore.store import callbacks

    with opened_store() as keeping:
        found, view = keeping.store.read(callbacks.listing), keeping.view
    if json:
        show_json({"callbacks": [_shape(row) for row in found]})
        return
    if not found:
        print("Nobody is called back yet; `waq callback add URL --event message.failed` does it.")
        return
    from waqcore.message import instant

    rows = [
        Row(
            (row.id, view.clock(instant(row.created_at)), row.url, ", ".join(_events(row))),
            "" if row.disabled_at is None else f"disabled: {row.disabled_reason}",
        )
        for row in found
    ]
    terminal = console()
    show(table(("ID", "MADE", "URL", "EVENTS", "NOTE"), rows, room=room(terminal)), terminal)


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
        told, view = keeping.store.read(lambda c: outbox.recent(c, id_, limit)), keeping.view
    if json:
        show_json({"deliveries": [as_json.delivery(one) for one in told]})
        return
    if not told:
        print("It was told nothing yet.")
        return
    from waqcore.message import instant

    rows = [
        Row(
            (
                view.clock(instant(one.ended_at)),
                f"message.{one.state}",
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
    show(table(columns, rows, room=room(terminal), numbers={"TRIES"}), terminal)


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


def _events(row: "CallbackRow") -> list[str]:
    return row.events.strip(",").split(",")


def _note(one: "Delivery") -> str:
    answered = "" if one.http_status is None else f"HTTP {one.http_status}"
    return one.problem or answered


def _shape(row: "CallbackRow") -> dict[str, object]:
    from msgspec import structs

    from waqcore import as_json

    return structs.asdict(as_json.callback(row))
