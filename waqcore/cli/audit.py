"""`waq audit`: who did what, and what became of lanes."""

from typing import Annotated

import typer

from waqcore.cli.json_out import show_json
from waqcore.cli.options import Json
from waqcore.cli.screen import Row, console, room, show, table
from waqcore.cli.session import opened
from waqcore.words import line

EXAMPLES = """Examples:
  waq audit
  waq audit --limit 500 --json | jq '.events[] | select(.action == "clear")'"""


def audit(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most this many.")] = 20,
    json: Json = False,
) -> None:
    """List who did what, and what became of senders."""
    from waqcore import as_json
    from waqcore.message import instant

    with opened() as session:
        found = session.queue.audit(limit)
        view = session.view
    if json:
        show_json({"events": [as_json.event(one) for one in found]})
        return
    if not found:
        print("Nothing has been done to the queue yet.")
        return
    rows = [
        Row(
            (
                view.clock(instant(at)),
                line(done.actor),
                done.action,
                done.sender or "",
                f"{done.messages:,}" if done.messages else "",
            ),
            line(done.detail),
        )
        for at, done in found
    ]
    header = ("AT", "BY", "DID", "SENDER", "MESSAGES", "DETAIL")
    terminal = console()
    show(table(header, rows, room=room(terminal), numbers={"MESSAGES"}), terminal)
