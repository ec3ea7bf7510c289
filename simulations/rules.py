"""The `[policy]` of a scenario's file: its senders, and by which rules they are run."""

from simulations.mix import Assignment, Fleet
from simulations.written import Table
from waqcore.core.message import OnUnknown
from waqcore.core.policy import Cap, Policy, Quiet, TimeShift

SENDERS_MAX = 10_000

_DURATIONS = {
    "pace_s": "pace_us",
    "guard_s": "guard_us",
    "jitter_s": "jitter_us",
    "gather_s": "gather_us",
    "backoff_s": "backoff_base_us",
    "backoff_max_s": "backoff_cap_us",
    "refused_age_max_s": "refused_age_max_us",
    "retry_after_max_s": "retry_after_max_us",
    "probe_s": "probe_base_us",
    "probe_max_s": "probe_cap_us",
}
"""Keys in seconds, and the fields of `Policy` they set; those not written keep its defaults."""
_LEAST_S = {"pace_s": 0.001, "probe_s": 0.001, "probe_max_s": 0.001}
"""At 0 a lane would call, or probe, for ever at one instant."""
_COUNTS = ("max_attempts", "breaker_threshold")

KEYS = (
    *_DURATIONS,
    *_COUNTS,
    "order",
    "high_head_start_s",
    "normal_head_start_s",
    "cap_calls",
    "cap_window_s",
    "quiet_from",
    "quiet_to",
    "senders",
    "assign",
    "on_unknown",
)
"""Everything `[policy]` may hold."""

STRICT, TIME_SHIFT = "strict", "time-shift"
HEAD_START_S = 300.0
"""What `order = "time-shift"` gives `high` where nothing is written: a low message is overtaken by
those alone that fall due within five minutes after it."""


def policy(table: Table) -> Policy:
    """The rules of every sender."""
    usual = Policy()
    durations = {
        field: table.duration(key, getattr(usual, field), least_s=_LEAST_S.get(key, 0.0))
        for key, field in _DURATIONS.items()
    }
    # A message's failures are counted in a byte.
    counts = {key: table.whole(key, getattr(usual, key), least=1, most=255) for key in _COUNTS}
    return Policy(
        **durations, **counts, time_shift=_shift(table), cap=_cap(table), quiet=_quiet(table)
    )


def fleet(table: Table) -> Fleet:
    """The senders, and how people are spread over them."""
    count = table.whole("senders", 1, least=1, most=SENDERS_MAX)
    assignment = table.word("assign", tuple(Assignment), Assignment.ROUND_ROBIN)
    on_unknown = table.word("on_unknown", tuple(OnUnknown), OnUnknown.RESEND)
    return Fleet(
        numbers=tuple(f"sender-{n}" for n in range(count)),
        assignment=Assignment(assignment),
        on_unknown=OnUnknown(on_unknown),
    )


def _shift(table: Table) -> TimeShift | None:
    order = table.word("order", (STRICT, TIME_SHIFT), STRICT)
    high_us = table.duration("high_head_start_s", round(HEAD_START_S * 1e6))
    normal_us = table.duration("normal_head_start_s", 0)
    return TimeShift(high_us, normal_us) if order == TIME_SHIFT else None


def _cap(table: Table) -> Cap | None:
    usual = Cap(1)
    window_us = table.duration("cap_window_s", usual.window_us, least_s=1.0)
    calls = table.whole("cap_calls", 0)
    return Cap(calls, window_us) if calls else None


def _quiet(table: Table) -> Quiet | None:
    if "quiet_from" not in table and "quiet_to" not in table:
        return None
    return Quiet(table.time_of_day("quiet_from"), table.time_of_day("quiet_to"))
