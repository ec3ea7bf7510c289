"""A bar that shows how far a sweep has come, in a terminal or a notebook."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def bar(title: str, console: Console | None = None) -> Iterator[Callable[[int, int], None]]:
    """A bar to report to; it is gone at the end, and where there is no terminal it is not shown.

    `with bar("pace") as report: run_sweep(sweep, report=report)`
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console or Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=None)

        def report(finished: int, cells: int) -> None:
            progress.update(task, completed=finished, total=cells)

        yield report
