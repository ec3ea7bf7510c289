"""`waq send`: hand a message over."""

import sys
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer

from waqcore.cli.errors import BadInput, complain
from waqcore.cli.json_out import show_json
from waqcore.cli.message_view import expected, expires_first
from waqcore.cli.options import Json, PriorityWord
from waqcore.cli.session import Session, now, opened
from waqcore.core.message import OnUnknown, State
from waqcore.when import parse_instant

EXAMPLES = """Examples:
  waq send 081234567890 'Your seat is confirmed' --reference REG-1
  waq send 081234567890 --file letter.txt --priority low --send-at 06:00
  pay-link 42 | waq send 081234567890 - --priority high --key invoice-42
  waq send 081234567890 'Come now' --now   before all the others"""

UNSENT = "no dispatcher is running: start one with `waq dispatch`"

FILE_BYTES_MAX = 100_000
"""Bytes read of a text; 4,096 characters of it are the most that can be sent."""


def send(
    to: Annotated[str, typer.Argument(metavar="TO", help="The number: 0812… or +62812….")],
    text: Annotated[
        str | None,
        typer.Argument(metavar="TEXT", help="What to send; - reads it from standard input."),
    ] = None,
    file: Annotated[
        str | None, typer.Option("--file", metavar="PATH", help="Read the text from a file, or -.")
    ] = None,
    priority: Annotated[
        PriorityWord | None, typer.Option(help="What goes first; else normal.")
    ] = None,
    sender: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="Which sender; else the first configured.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Groups messages, to act on them together.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="The same key and content again is the same message."),
    ] = None,
    send_at: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Not before: +2h, 06:00 or ISO-8601.")
    ] = None,
    expires_at: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Not after: +1d, 06:00 or ISO-8601.")
    ] = None,
    on_unknown: Annotated[
        OnUnknown | None,
        typer.Option(help="If nobody can know whether it went; else WAQ_ON_UNKNOWN."),
    ] = None,
    at_once: Annotated[
        bool,
        typer.Option("--now", metavar="", help="Before everything queued; the pace still holds."),
    ] = False,
    json: Json = False,
) -> None:
    """Queue a message; prints its id and when it should go.

    Once this has printed the id, the message is on disk. A dispatcher (`waq dispatch`) sends it.
    """
    from waqcore import as_json  # Here, since `--help` must not wait for it.

    if at_once and (priority is not None or send_at is not None):
        raise BadInput("--now means before everything queued: leave out --priority and --send-at")
    body = _body(text, file)
    with opened() as session:
        draft: dict[str, Any] = {
            "sender": sender,
            "reference": reference,
            "idempotency_key": key,
            "send_at": _instant(session, send_at),
            "expires_at": _instant(session, expires_at),
            "on_unknown": on_unknown,
        }
        if at_once:
            message = session.queue.send_now(to, body, **draft)
        else:
            word = (priority or PriorityWord.NORMAL).value
            message = session.queue.enqueue(to, body, priority=word, **draft)
        if json:
            show_json(as_json.message(message))
        else:
            again = ", there already by its key" if message.enqueued_at < session.view.now else ""
            when = f": {expected(message.eta, session.view)}" if message.eta is not None else ""
            print(f"{message.id} {message.state} ({message.priority}{again}){when}")
        if message.warning:
            complain(expires_first(message, session.view))
        if message.state is State.QUEUED and not session.queue.dispatchers():
            complain(f"{message.id} is queued, but {UNSENT}")


def _instant(session: Session, text: str | None) -> Any:
    return None if text is None else parse_instant(text, now=now(), zone=session.view.zone)


def _body(text: str | None, file: str | None) -> str:
    if (text is None) == (file is None):
        raise BadInput(
            "give the text once: as an argument, from a file with --file, or - for standard input"
        )
    if text is not None and text != "-":
        return text
    if file is None or file == "-":
        return _decoded(sys.stdin.buffer, "standard input")
    try:
        with Path(file).open("rb") as opened_file:
            return _decoded(opened_file, file)
    except OSError as error:
        raise BadInput(f"{file!r} cannot be read: {error.strerror}") from None


def _decoded(stream: BinaryIO, name: str) -> str:
    data = stream.read(FILE_BYTES_MAX + 1)
    if len(data) > FILE_BYTES_MAX:
        raise BadInput(f"{name} has more than {FILE_BYTES_MAX:,} bytes: no message is that long")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{name} is not UTF-8 text: byte {error.start} cannot be read; convert it first, "
            "such as with `iconv -f WINDOWS-1252 -t UTF-8`"
        ) from None
