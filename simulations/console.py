"""What the command line shows of scenarios, runs and sweeps: tables that a person can read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from math import isnan

import pandas as pd
from rich.console import Console
from rich.table import Table

from simulations.run import Run
from simulations.scenario import Scenario
from simulations.summary import SHOWN, Measures
from waqcore.core.instants import SECOND
from waqcore.core.message import Priority

STATES = ("sent", "failed", "unknown", "expired", "queued", "lost")
ALWAYS = ("sent", "failed", "lost")
"""States shown even where no message is in them."""

SWEPT = ("last_high_s", "high_wait_p95_s", "normal_wait_p95_s", "failed")
"""What a sweep shows unless told otherwise."""


def span(seconds: float) -> str:
    """A duration as a person says it: `12.3 s`, `33 min 50 s`, `11 h 19 min`; `-` for none."""
    if isnan(seconds):
        return "-"
    if seconds < 90:
        return f"{seconds:.2f} s" if seconds < 20 else f"{seconds:.1f} s"
    minutes, left = divmod(round(seconds), 60)
    if minutes < 90:
        return f"{minutes} min {left:02} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min"


def scenario_table(found: Iterable[Scenario]) -> Table:
    """The scenarios, each with its one line."""
    table = _table("SCENARIO", "WHAT HAPPENS")
    for scenario in found:
        table.add_row(scenario.name, scenario.title)
    return table


def run_tables(scenario: Scenario, runs: Mapping[str, tuple[Run, Measures]]) -> tuple[Table, Table]:
    """A summary of runs beside each other, and their waits by priority."""
    summary = _table("", *(title.upper() for title in runs), numbers=range(1, len(runs) + 1))
    shown = [s for s in STATES if s in ALWAYS or any(found[s] for _, found in runs.values())]
    for name, tell in _lines(scenario, shown):
        summary.add_row(name, *(tell(run, found) for run, found in runs.values()))
    return summary, _waits(runs)


def _lines(
    scenario: Scenario, states: Sequence[str]
) -> list[tuple[str, Callable[[Run, Measures], str]]]:
    zone = timezone(timedelta(microseconds=scenario.utc_offset_us))

    def at(key: str) -> Callable[[Run, Measures], str]:
        def tell(run: Run, found: Measures) -> str:
            if isnan(found[key]):
                return "-"
            clock = datetime.fromtimestamp(run.starts_at / 1e6 + found[key], zone)
            return f"{span(found[key])} · {clock:%H:%M:%S}"

        return tell

    def count(key: str) -> Callable[[Run, Measures], str]:
        return lambda _, found: f"{found[key]:,}"

    return [
        ("messages", count("messages")),
        *((state, count(state)) for state in states),
        ("gateway calls", count("calls")),
        ("last payment link", at("last_high_s")),
        ("last message", at("last_s")),
        ("smallest gap", lambda _, found: span(found["smallest_gap_s"])),
        *([("waits counted", _counted(scenario))] if scenario.warm_up_us else []),
    ]


def _counted(scenario: Scenario) -> Callable[[Run, Measures], str]:
    def tell(_: Run, found: Measures) -> str:
        after = f"after {span(scenario.warm_up_us / 1e6)}"
        cut = found["mser5_cut"]
        return f"{after} (MSER-5: {'none found' if isnan(cut) else f'{cut:,.0f} messages'})"

    return tell


def _waits(runs: Mapping[str, tuple[Run, Measures]]) -> Table:
    several = len(runs) > 1
    names = ["WAIT", *([""] if several else [])]
    table = _table(*names, "SENT", "MEDIAN", "P95", "MAX", numbers=range(len(names), 7))
    for priority in SHOWN:
        of = priority.word
        for title, (run, found) in runs.items():
            if not (run.given.priority == priority).any():
                continue
            waits = [span(found[f"{of}_wait_{name}_s"]) for name in ("p50", "p95", "max")]
            sent = f"{found[f'{of}_sent']:,}"
            table.add_row(of, *([title] if several else []), sent, *waits)
    return table


def sweep_table(intervals: pd.DataFrame, settings: Sequence[str], shown: Sequence[str]) -> Table:
    """A line a point: its settings, and each measure's mean with the half width of its interval."""
    titles = [*settings, *shown]
    table = _table(*titles, numbers=range(len(titles)))
    points: list[list[object]] = [[]]
    if settings:
        points = intervals[list(settings)].drop_duplicates().to_numpy().tolist()
    for point in points:
        of = intervals
        for setting, value in zip(settings, point, strict=True):
            of = of[of[setting] == value]
        of = of.set_index("measure")
        cells = [_interval(*of.loc[name, ["mean", "high"]]) for name in shown]
        table.add_row(*(str(value) for value in point), *cells)
    return table


def _interval(mean: float, high: float) -> str:
    if isnan(mean):
        return "-"
    decimals = 0 if abs(mean) >= 1_000 else 1 if abs(mean) >= 100 else 2
    half_width = "" if isnan(high) else f" ± {high - mean:,.{decimals}f}"
    return f"{mean:,.{decimals}f}{half_width}"


def _table(*titles: str, numbers: Sequence[int] = ()) -> Table:
    """A table without rules, so that grep and awk can read it; some columns to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for n, title in enumerate(titles):
        table.add_column(title, justify="right" if n in numbers else "left")
    return table


def show(*shown: Table | str) -> None:
    """Print tables and lines; piped, lines are not cut."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, emoji=False, width=200)
    for one in shown:
        console.print(one)


def departures(run: Run, at: int) -> Table:
    """When the messages of a queue leave, by priority: local times, and seconds from an instant."""
    table = _table("PRIORITY", "WAIT", "SENT", "FIRST LEAVES", "LAST LEAVES", numbers=(1, 2))
    messages = run.messages()
    for priority in Priority:
        of = messages[messages["priority"] == priority.word]
        if len(of):
            called = of["called_at"].dropna().astype("int64")
            ends = (
                [_leaves(called.min(), at), _leaves(called.max(), at)] if len(called) else ["-"] * 2
            )
            sent = (of["state"] == "sent").sum()
            table.add_row(priority.word, f"{len(of):,}", f"{sent:,}", *ends)
    return table


def _leaves(instant: int, at: int) -> str:
    local = datetime.fromtimestamp(instant / SECOND).astimezone()
    return f"{local:%H:%M:%S} (in {span((instant - at) / SECOND)})"
