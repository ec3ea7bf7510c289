"""`waq status`: how it is going."""

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Group
from typer.core import TyperCommand

from waqcore.cli.json_out import show_json
from waqcore.cli.options import FullNumbers, Json
from waqcore.cli.screen import console, room, show
from waqcore.cli.session import Session, opened, refreshed
from waqcore.cli.status_view import status_lines

if TYPE_CHECKING:
    from rich.text import Text

    from waqcore.status import Status

EXAMPLES = """Examples:
  waq status                 once
  waq status --watch         every 2 s, until Ctrl-C
  waq status --watch 10      every 10 s
  waq status --json | jq .queue_length"""

WATCH_S = "2"
"""Seconds between two looks where `--watch` names none."""


class Watchable(TyperCommand):
    """Lets `--watch` stand alone: typer has no option with an optional value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Give `--watch` its default where no number follows it."""
        for n, arg in enumerate(args):
            following = args[n + 1 : n + 2]
            if arg == "--watch" and (not following or following[0].startswith("-")):
                args = [*args[: n + 1], WATCH_S, *args[n + 1 :]]
                break
        return super().parse_args(ctx, args)


def status(
    json: Json = False,
    watch: Annotated[
        float | None,
        typer.Option(
            metavar="[SECONDS]", min=0.2, max=3_600, help=f"Look again, every {WATCH_S} s."
        ),
    ] = None,
    full_numbers: FullNumbers = False,
) -> None:
    """Show what is queued, and what each sender waits for.

    With --json it also has the keys of the system this one replaces: queue_length, is_processing,
    failed_messages, estimated_time (seconds), next_messages. With --watch, JSON comes line by line.
    """
    with opened(full_numbers=full_numbers) as session:
        if json:
            look = _json_look(session, indent=2 if watch is None else None)
        elif watch is not None and sys.stdout.isatty():
            return _watch_live(session, watch)
        else:
            look = _plain_look(session)
        if watch is None:
            look()
        else:
            repeat(look, watch, time.sleep)
    return None


def repeat(look: Callable[[], None], every_s: float, sleep: Callable[[float], None]) -> None:
    """Look again and again until Ctrl-C."""
    try:
        while True:
            look()
            sleep(every_s)
    except KeyboardInterrupt:
        return


def _json_look(session: Session, *, indent: int | None) -> Callable[[], None]:
    from waqcore import as_json  # Here, since `--help` must not wait for it.

    def look() -> None:
        seen = as_json.status(session.queue.status(), session.view.number)
        show_json(seen, indent=indent)

    return look


def _plain_look(session: Session) -> Callable[[], None]:
    def look() -> None:
        terminal = console()
        show(_lines(session, session.queue.status(), room(terminal)), terminal)

    return look


def _watch_live(session: Session, every_s: float) -> None:
    from rich.live import Live

    terminal = console()
    with Live(console=terminal, auto_refresh=False, screen=False) as live:

        def look() -> None:
            lines = _lines(session, session.queue.status(), room(terminal))
            live.update(Group(*lines), refresh=True)

        repeat(look, every_s, time.sleep)


def _lines(session: Session, seen: "Status", columns: int) -> "list[Text]":
    return status_lines(seen, refreshed(session.view, seen.at), columns)
