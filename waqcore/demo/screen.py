"""Where a run is shown: a live table on a terminal, lines elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live

from waqcore.demo.following import Row
from waqcore.demo.lines import news
from waqcore.demo.table import render
from waqcore.demo.view import View


@contextmanager
def showing(console: Console) -> Iterator[Callable[[View], None]]:
    """Yield what shows a run as it goes on."""
    if console.is_dumb_terminal or not console.file.isatty():
        yield _Lines(console).show
        return
    with Live(console=console, auto_refresh=False) as live:
        yield lambda view: live.update(render(view), refresh=True)


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._before: tuple[Row, ...] | None = None  # None: nothing was shown yet.

    def show(self, view: View) -> None:
        before = self._before or tuple(Row(planned=row.planned) for row in view.rows)
        for line in news(before, view.rows):
            self._console.print(line, soft_wrap=True, highlight=False, markup=False)
        self._before = view.rows
