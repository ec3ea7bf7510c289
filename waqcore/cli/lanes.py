"""`waq pause`, `resume`, `process` and `override-pace`: hold a sender, or let it go."""

from typing import Annotated

import typer

from waqcore.cli.confirm import confirm
from waqcore.cli.errors import BadInput
from waqcore.cli.options import Sender, Yes
from waqcore.cli.screen import console, room, show
from waqcore.cli.session import Session, opened, refreshed
from waqcore.cli.status_view import NO_DISPATCHER, lane_table
from waqcore.when import parse_instant

PAUSE_EXAMPLES = """Examples:
  waq pause --reason 'gateway moves'         every sender
  waq pause --sender 628114040707 --reason warning --until +2h
  waq pause --reason night --until 06:00"""

RESUME_EXAMPLES = """Examples:
  waq resume
  waq resume --sender 628114040707"""

PROCESS_EXAMPLES = """Examples:
  waq process
  waq process --sender 628114040707"""

OVERRIDE_EXAMPLES = """Example:
  waq override-pace 628114040707 --reason 'doors close in a minute'"""

Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; the audit keeps it.")]


def pause(
    reason: Reason,
    sender: Sender = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="When it ends by itself: +2h, 06:00 or ISO-8601."),
    ] = None,
) -> None:
    """Stop a sender, or all of them.

    Until `waq resume`, or until an instant. A call in flight ends as it would; nothing is lost,
    and nothing fails by waiting.
    """
    with opened() as session:
        ends = None
        if until is not None:
            ends = parse_instant(until, now=session.view.now, zone=session.view.zone)
            if ends <= session.view.now:
                raise BadInput(f"--until {until} has passed already: {session.view.when(ends)}")
        _show_lanes(session, session.queue.pause(_said(reason), sender=sender, until=ends))


def resume(sender: Sender = None) -> None:
    """End the pause of a sender, or of all.

    Whoever made it; a breaker is closed too."""
    with opened() as session:
        _show_lanes(session, session.queue.resume(sender=sender))


def process(sender: Sender = None) -> None:
    """Wake a sender, or all of them, now.

    Closes breakers and ends pauses that are not a person's. It never shortens the pace, a
    gateway's Retry-After, quiet hours, a cap or a backoff.
    """
    with opened() as session:
        _show_lanes(session, session.queue.process(sender=sender))


def override_pace(
    sender: Annotated[str, typer.Argument(metavar="SENDER", help="The sender's number.")],
    reason: Reason,
    yes: Yes = False,
) -> None:
    """Let a sender's next call leave before its time.

    WhatsApp bans senders for less. The one exception to the pace: it restarts from that call.
    The audit keeps who did it and why.
    """
    why = _said(reason)
    with opened() as session:
        session.queue.check_sender(sender)
        confirm(
            f"The next call of {sender} will not wait for its pace. WhatsApp bans senders for less",
            typed="yes",
            yes=yes,
        )
        session.queue.override_pace(sender, reason=why)
        _show_lanes(session, [sender])


def _said(reason: str) -> str:
    if not reason.strip():
        raise BadInput("--reason is empty: whoever reads the audit will want to know why")
    return reason.strip()


def _show_lanes(session: Session, senders: list[str]) -> None:
    """What the lanes do now."""
    status = session.queue.status()
    terminal = console()
    touched = [lane for lane in status.lanes if lane.sender in senders]
    view = refreshed(session.view, status.at)
    show(lane_table(touched, view, room(terminal)), terminal)
    if status.dispatchers == 0 and status.queue_length:
        show([NO_DISPATCHER], terminal)
