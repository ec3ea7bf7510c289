"""The run as a live table: what is shown at one instant."""

from rich import box
from rich.console import Group, JustifyMethod, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from waqcore.core.message import State
from waqcore.demo.following import Row
from waqcore.demo.view import View, clock, off

_STATE_STYLES = {
    State.QUEUED: "yellow",
    State.SENDING: "bold cyan",
    State.SENT: "green",
}
_NOTE = (
    " Instants are seconds after the first registration. An activation's first ETA\n"
    " cannot know of people yet to register, whose payment links go before it."
)


def render(view: View) -> RenderableType:
    """Draw a run; fits 80 columns and 24 lines."""
    return Group(_table(view), _progress(view), _sender(view), Text(_NOTE, style="dim"))


def _table(view: View) -> Table:
    table = Table(
        title=f"Five people register; one sender, at most one call every {view.pace_s:g} s",
        title_style="bold",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for heading, width in (("#", 2), ("user", 5), ("message", 12), ("priority", 8), ("state", 9)):
        justify: JustifyMethod = "right" if heading == "#" else "left"
        table.add_column(heading, justify=justify, min_width=width, no_wrap=True)
    for heading in ("first\nETA", "ETA\nnow", "sent\nat", "off by\n(s)"):
        table.add_column(heading, justify="right", min_width=6, no_wrap=True)
    for row in view.rows:
        table.add_row(*_cells(row), style="" if row.id else "dim")
        if row.planned.place == len(view.rows) // 2:
            table.add_section()
    return table


def _cells(row: Row) -> tuple[str | Text, ...]:
    planned = row.planned
    return (
        str(planned.place),
        planned.user,
        planned.kind,
        planned.draft.priority,
        _state(row),
        clock(row.eta_s),
        clock(row.eta_now_s),
        Text(clock(row.sent_s), style="bold" if row.sent_s is not None else ""),
        off(row.off_s),
    )


def _state(row: Row) -> Text:
    if row.state is None:
        return Text("to come")
    return Text(row.state.value, style=_STATE_STYLES.get(row.state, "bold red"))


def _progress(view: View) -> Table:
    """The bar runs with time, not with messages: it must move between two calls."""
    total_s = view.now_s + view.left_s
    done_s = view.now_s if view.left_s else total_s
    left = f", {view.left_s:.0f} s left" if view.left_s else ""
    line = Table.grid(padding=(0, 1))
    line.add_row(
        "",
        Text(clock(view.now_s), style="bold"),
        ProgressBar(total=total_s or 1.0, completed=done_s, width=40),
        f"{view.sent} of {len(view.rows)} sent{left}",
    )
    return line


def _sender(view: View) -> Text:
    return Text.assemble((" the sender: ", "dim"), (view.doing, "cyan"))
