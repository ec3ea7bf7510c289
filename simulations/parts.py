"""The `[arrivals]` of a scenario's file: who comes when, and what each brings."""

from collections.abc import Callable, Sequence
from pathlib import Path

from simulations import trace
from simulations.arrivals import (
    USERS_MAX,
    Arrivals,
    AtOnce,
    Poisson,
    Rate,
    Spaced,
    Stepped,
    Within,
    daily,
)
from simulations.mix import BRINGS, TRACED, Flow
from simulations.trace import Trace
from simulations.written import Table
from waqcore.core.instants import SECOND

KINDS = ("at once", "spaced", "within", "poisson", "profile", "daily", "trace")


def flows(table: Table, *, folder: Path, starts_at: int, utc_offset_us: int) -> tuple[Flow, ...]:
    """Every `[arrivals.NAME]`; files they name are looked for in a folder."""
    return tuple(_flow(name, one, folder, starts_at, utc_offset_us) for name, one in table.items())


def _flow(name: str, table: Table, folder: Path, starts_at: int, utc_offset_us: int) -> Flow:
    starts_us = table.duration("starts_s", 0)
    kind = table.word("kind", KINDS)
    if kind == "daily":
        arrivals: Arrivals = daily(
            _steps(table, "from", lambda step: step.time_of_day("from")),
            table.duration("lasts_s"),
            starts_at=starts_at + starts_us,
            utc_offset_us=utc_offset_us,
        )
    else:
        arrivals = _arrivals(kind, table, folder)
    expires = "expires_after_s" in table
    flow = Flow(
        name=name,
        arrivals=arrivals,
        brings=_brings(table, arrivals),
        starts_us=starts_us,
        send_after_us=table.duration("send_after_s", 0),
        expires_after_us=table.duration("expires_after_s") if expires else None,
    )
    table.end()
    return flow


def _arrivals(kind: str, table: Table, folder: Path) -> Arrivals:
    match kind:
        case "at once":
            return AtOnce(users=table.whole("users", most=USERS_MAX))
        case "spaced":
            users = table.whole("users", most=USERS_MAX)
            return Spaced(users=users, every_us=table.duration("every_s"))
        case "within":
            users = table.whole("users", most=USERS_MAX)
            return Within(users=users, within_us=table.duration("within_s"))
        case "poisson":
            lasts_us = table.duration("lasts_s")
            return Poisson(per_s=_per_s(table, lasts_us), lasts_us=lasts_us)
        case "profile":
            rates = _steps(table, "from_s", lambda step: step.duration("from_s"))
            return Stepped(rates=rates, lasts_us=table.duration("lasts_s"))
        case _:
            return trace.read(folder / table.text("file", '"arrivals.csv", beside this file'))


def _steps(table: Table, key: str, start: Callable[[Table], int]) -> tuple[Rate, ...]:
    steps = table.tables("rates")
    lasts_us = table.duration("lasts_s")
    rates = []
    for step in steps:
        rates.append(Rate(start(step), _per_s(step, lasts_us)))
        step.end()
    starts = [rate.from_us for rate in rates]
    if not rates or starts != sorted(set(starts)):
        raise table.wrong(
            "rates", f"its steps in rising order: [{{ {key} = …, per_minute = 30 }}, …]"
        )
    return tuple(rates)


def _per_s(table: Table, lasts_us: int) -> float:
    """A rate, written by the minute; one that would bring too many people is refused."""
    most = USERS_MAX / max(1.0, lasts_us / SECOND / 60)
    return table.number("per_minute", most=most) / 60


def _brings(table: Table, arrivals: Arrivals) -> tuple[tuple[str, float], ...]:
    traced = isinstance(arrivals, Trace) and arrivals.priority is not None
    words: Sequence[str] = (*BRINGS, TRACED) if traced else tuple(BRINGS)
    if "brings" not in table or table.is_text("brings"):
        return ((table.word("brings", words), 1.0),)
    weights = table.table("brings")
    brings = tuple((name, weights.number(name, 0.0)) for name in BRINGS if name in weights)
    weights.end()
    if sum(weight for _, weight in brings) <= 0:
        raise table.wrong("brings", '"registration", or weights: { reminder = 1, marketing = 3 }')
    return brings
