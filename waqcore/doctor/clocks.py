"""Whether this machine's clocks can be trusted; pace and order stand even where they cannot."""

import ctypes
from collections.abc import Iterator
from datetime import datetime

from waqcore.clock import Clock
from waqcore.core.instants import SECOND
from waqcore.doctor.finding import Finding, ok, warn
from waqcore.settings import Settings
from waqcore.store import steady
from waqcore.store.steady import Setting

_UNSYNCHRONISED = 5
"""What `adjtimex` returns while nobody keeps the clock: TIME_ERROR.

Source: Linux, adjtimex(2).
"""

_TIMEX_BYTES = 256
"""Room for the kernel's `struct timex`, of 208 bytes; all zero it asks and sets nothing."""


def synchronised() -> bool | None:
    """Whether the kernel knows its clock to be kept by NTP; None: it does not tell."""
    try:
        state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):  # Not Linux, or forbidden in here.
        return None
    return None if state < 0 else state != _UNSYNCHRONISED


def zone(settings: Settings, clock: Clock) -> Finding:
    """The operator's time zone, by which quiet hours and schedules go."""
    local = datetime.fromtimestamp(clock.wall_us() / SECOND, settings.zone())
    return ok("time zone", f"{settings.timezone}, where it is {local:%H:%M} on {local:%d %b %Y}")


def kept(*, by_ntp: bool | None) -> Finding:
    """What it means that the clock is, or is not, kept by NTP."""
    if by_ntp is None:
        return ok("clock", "this system does not tell whether NTP keeps it")
    if by_ntp:
        return ok("clock", "kept by NTP")
    return warn(
        "clock",
        "not kept by NTP: schedules, expiries and quiet hours go by it; the pace does not",
        "run chrony or systemd-timesyncd on the host: `timedatectl set-ntp true`",
    )


def agreeing(setting: Setting | None, clock: Clock) -> Iterator[Finding]:
    """Whether wall and steady clock stand to each other as they were left."""
    if setting is None:
        return
    if setting.boot_id != clock.boot_id:
        yield ok("clocks", "another boot than the database last saw: one pace is waited once")
        return
    off = clock.wall_us() - clock.boot_us() - setting.offset_us - setting.skew_us
    if abs(off) <= steady.SKEW_MAX_US:
        yield ok("clocks", f"wall and steady agree to {abs(off) / SECOND:.3f} s")
    else:
        yield warn(
            "clocks",
            f"the wall clock was set by {off / SECOND:+,.0f} s while nobody watched",
            "the pace held, and one more is waited; see who sets the clock",
        )
