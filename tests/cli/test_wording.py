"""How instants and durations are read and worded, on instants written by hand."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from rich.text import Text

from waqcore.cli.screen import Row, hanging, table
from waqcore.when import InstantError, parse_instant
from waqcore.words import View, count, line, parts, relative

JAKARTA = ZoneInfo("Asia/Jakarta")
NOW = datetime(2026, 3, 1, 15, 30, tzinfo=UTC)
"""22:30 in Jakarta."""


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.2, "now"),
        (35, "in 35 s"),
        (-60, "60 s ago"),
        (89, "in 89 s"),
        (90, "in 2 min"),
        (-7_200, "2 h ago"),
        (5_399, "in 90 min"),
        (47 * 3_600, "in 47 h"),
        (3 * 86_400, "in 3 d"),
    ],
)
def test_an_instant_is_worded_from_now(seconds: float, expected: str) -> None:
    assert relative(NOW + timedelta(seconds=seconds), NOW) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (NOW + timedelta(seconds=5), "22:30:05"),
        (NOW + timedelta(hours=2), "02 Mar 00:30"),
        (NOW - timedelta(days=1), "28 Feb 22:30"),
        (NOW + timedelta(days=400), "05 Apr 2027 22:30"),
    ],
)
def test_a_local_time_has_its_date_where_it_is_not_todays(at: datetime, expected: str) -> None:
    assert View(now=NOW, zone=JAKARTA).clock(at) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+30m", "2026-03-01T16:00Z"),
        ("+2h", "2026-03-01T17:30Z"),
        ("+1d", "2026-03-02T15:30Z"),
        ("+1d2h30m10s", "2026-03-02T18:00:10Z"),
        ("23:00", "2026-03-01T16:00Z"),
        ("06:00", "2026-03-01T23:00Z"),  # Tomorrow's, in Jakarta.
        ("22:30", "2026-03-02T15:30Z"),
        ("2026-03-05", "2026-03-04T17:00Z"),
        ("2026-03-05T09:00", "2026-03-05T02:00Z"),
        ("2026-03-05 09:00", "2026-03-05T02:00Z"),
        ("2026-03-05T09:00Z", "2026-03-05T09:00Z"),
        ("2026-03-05T09:00:00-05:00", "2026-03-05T14:00Z"),
    ],
)
def test_a_time_that_people_type_is_understood(text: str, expected: str) -> None:
    assert parse_instant(text, now=NOW, zone=JAKARTA) == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    "text",
    [
        *("", "+", "+h", "2h", "-2h", "+2 h", "+1w", "+9999d", "25:00", "tomorrow"),
        *("2026-13-01", "0001-01-01", "9999-12-31T23:59:59"),
    ],
)
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InstantError):
        parse_instant(text, now=NOW, zone=JAKARTA)


def test_counts_are_worded() -> None:
    assert count(1, "message") == "1 message"
    assert count(1_200, "message") == "1,200 messages"
    assert parts({"high": 3, "normal": 0, "low": 1_000}) == "3 high, 1,000 low"
    assert line("a\x1b[31m\r\nb\tc  d") == "a [31m b c d"


def test_a_table_has_its_notes_beside_where_there_is_room_and_below_where_not() -> None:
    rows = [Row(("a", "1"), "short"), Row(("bb", "10"), "longer than the room")]

    lines = table(("NAME", "N", "NOTE"), rows, room=20, numbers={"N"})

    assert [one.plain for one in lines] == [
        "NAME   N  NOTE",
        "a      1  short",
        "bb    10",
        "  longer than the",
        "  room",
    ]


def test_a_table_measures_what_the_terminal_shows() -> None:
    rows = [Row((Text("🎉", "red"), "x")), Row(("abc", "y"))]

    lines = table(("A", "B", ""), rows, room=80)

    assert [one.plain for one in lines] == ["A    B", "🎉   x", "abc  y"]


def test_a_long_text_hangs_under_its_first_line() -> None:
    assert hanging("at: ", "one two three", 12) == ["at: one two", "    three"]
