"""The `[weather]` of a scenario's file: how its gateway behaves."""

from simulations.latency import Constant, Latency, Lognormal, Uniform
from simulations.weather import Climate, Disconnect, Failures, Outage, Throttle
from simulations.written import Table
from waqcore.core.instants import SECOND
from waqcore.core.outcome import Scope

USUAL_LATENCY_US = 300_000
"""What a gateway in the same country takes."""


def climate(table: Table, *, starts_at: int, senders: int) -> Climate:
    """A gateway's behaviour; its windows are counted from the scenario's start."""
    found = Climate(
        latency=_latency(table.table("latency")),
        timeout_us=table.duration("timeout_s", 30 * SECOND, least_s=0.001),
        failures=_failures(table),
        outages=[_outage(one, starts_at) for one in table.tables("outages")],
        throttles=[_throttle(one, starts_at) for one in table.tables("throttles")],
        disconnects=[_disconnect(one, starts_at, senders) for one in table.tables("disconnects")],
    )
    table.end()
    return found


def _latency(table: Table) -> Latency:
    found: Latency
    match table.word("kind", ("constant", "uniform", "lognormal"), "constant"):
        case "uniform":
            low_us = table.duration("low_s")
            high_us = table.duration("high_s", least_s=low_us / SECOND)
            found = Uniform(low_us=low_us, high_us=high_us)
        case "lognormal":
            median_us = table.duration("median_s", least_s=0.001)
            p99_us = table.duration("p99_s", least_s=median_us / SECOND)
            found = Lognormal(median_us=median_us, p99_us=p99_us)
        case _:
            found = Constant(us=table.duration("seconds", USUAL_LATENCY_US))
    table.end()
    return found


def _failures(weather: Table) -> Failures:
    table = weather.table("failures")
    found = Failures(**{name: table.number(name, 0.0, most=1.0) for name in Failures._fields})
    table.end()
    if sum(found) > 1:
        raise weather.wrong("failures", "probabilities that add up to at most 1")
    return found


def _outage(table: Table, starts_at: int) -> Outage:
    found = Outage(*_window(table, starts_at))
    table.end()
    return found


def _throttle(table: Table, starts_at: int) -> Throttle:
    says = "retry_after_s" in table
    found = Throttle(
        *_window(table, starts_at),
        retry_after_us=table.duration("retry_after_s") if says else None,
        scope=Scope(table.word("scope", ("lane", "account"), "lane")),
    )
    table.end()
    return found


def _disconnect(table: Table, starts_at: int, senders: int) -> Disconnect:
    one = "sender" in table
    found = Disconnect(
        *_window(table, starts_at),
        sender=table.whole("sender", most=senders - 1) if one else None,
    )
    table.end()
    return found


def _window(table: Table, starts_at: int) -> tuple[int, int]:
    begins = starts_at + table.duration("starts_s")
    return begins, begins + table.duration("lasts_s")
