"""Instants as people type them: `+2h`, `06:00`, `2026-03-01T09:00`, with or without an offset."""

import re
from datetime import datetime, time, timedelta, tzinfo

AWAY_MAX = timedelta(days=3_660)
"""Ten years either way: what lies beyond is a typing mistake."""

_RELATIVE = re.compile(r"\+(?=\d)(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s)?")
_TIME_OF_DAY = re.compile(r"\d{1,2}:\d{2}")


class InstantError(ValueError):
    """What was typed means no instant."""


HOW = "write it as +30m, +2h, +1d, 06:00 or 2026-03-01T09:00"


def parse_instant(text: str, *, now: datetime, zone: tzinfo) -> datetime:
    """The instant a text means; a local time without an offset is of `zone`.

    A time of day alone is the next such time.

    Raises:
        InstantError: it means none, or one more than ten years away.
    """
    text = text.strip()
    try:
        at = _relative(text, now) or _time_of_day(text, now.astimezone(zone)) or _iso(text, zone)
        at = at.astimezone(zone)
    except (ValueError, OverflowError):
        raise InstantError(f"{text!r} is not a time: {HOW}") from None
    if abs(at - now) > AWAY_MAX:
        raise InstantError(f"{text!r} is more than ten years away: {HOW}")
    return at


def parse_date(text: str, *, zone: tzinfo) -> datetime:
    """The instant that a date, or a date and time, means; without an offset it is of `zone`.

    Raises:
        InstantError: it means none.
    """
    try:
        return _iso(text.strip(), zone)
    except ValueError:
        raise InstantError(
            f"{text!r} is not a date: write it as 2026-03-01, 2026-03-01T09:00 or "
            "2026-03-01T09:00+07:00"
        ) from None


def _relative(text: str, now: datetime) -> datetime | None:
    found = _RELATIVE.fullmatch(text)
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return now.replace(microsecond=0) + timedelta(
        days=days, hours=hours, minutes=minutes, seconds=seconds
    )


def _time_of_day(text: str, local: datetime) -> datetime | None:
    if not _TIME_OF_DAY.fullmatch(text):
        return None
    hour, minute = map(int, text.split(":"))
    at = datetime.combine(local.date(), time(hour, minute), local.tzinfo)
    return at if at > local else at + timedelta(days=1)


def _iso(text: str, zone: tzinfo) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)
