"""What the live table and the lines say of a run."""

from dataclasses import replace

from rich.console import Console

from waqcore.core.message import State
from waqcore.demo.following import Row
from waqcore.demo.lines import news
from waqcore.demo.scenario import end_s, registrations
from waqcore.demo.table import render
from waqcore.demo.view import View, clock, off

PLANNED = sorted(
    (message for one in registrations(10) for message in one.messages),
    key=lambda message: message.place,
)
TO_COME = tuple(Row(planned=planned) for planned in PLANNED)
QUEUED = replace(TO_COME[0], id="msg_1", state=State.QUEUED, queued_s=0.0, eta_s=5.0, eta_now_s=5.0)
SENT = replace(QUEUED, state=State.SENT, eta_now_s=None, sent_s=5.04)
FAILED = replace(QUEUED, state=State.FAILED, eta_now_s=None, reason="not on WhatsApp")


def a_view(first: Row, *, now_s: float) -> View:
    rows = (first, *TO_COME[1:])
    return View(rows=rows, pace_s=10, now_s=now_s, end_s=95, doing="pacing until :15.0")


def shown(view: View) -> list[str]:
    console = Console(width=80, force_terminal=False)
    with console.capture() as capture:
        console.print(render(view))
    return capture.get().splitlines()


def test_five_people_register_a_second_apart() -> None:
    assert [(one.at_s, one.messages[0].user) for one in registrations(10)] == [
        (0, "Siti"),
        (1, "Budi"),
        (2, "Ratna"),
        (3, "Agus"),
        (4, "Dewi"),
    ]
    assert [(planned.place, planned.kind, planned.draft.priority) for planned in PLANNED] == [
        *((place, "payment link", "high") for place in (1, 2, 3, 4, 5)),
        *((place, "activation", "normal") for place in (6, 7, 8, 9, 10)),
    ]
    assert end_s(10) == 95


def test_a_table_shows_the_eta_against_what_came_of_it_in_80_columns() -> None:
    lines = shown(a_view(SENT, now_s=7.5))

    siti = next(line for line in lines if line.startswith("  1"))
    assert " ".join(siti.split()) == "1 Siti payment link high sent :05.0 - :05.0 +0.0"
    assert any("1 of 10 sent, 88 s left" in line for line in lines)
    assert any("the sender: pacing until :15.0" in line for line in lines)
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 22  # A terminal of 24 lines holds it and what was said before.
    assert not any("…" in line for line in lines)


def test_the_time_left_follows_an_eta_later_than_the_plan() -> None:
    late = replace(QUEUED, eta_now_s=120.0)

    assert a_view(late, now_s=20).left_s == 100


def test_what_happens_is_said_once() -> None:
    assert list(news([TO_COME[0]], [QUEUED])) == [
        ":00.0 queued payment link to Siti (high), ETA :05.0"
    ]
    assert list(news([QUEUED], [SENT])) == [
        ":05.0 sent payment link to Siti (high), ETA had been :05.0, off by +0.0 s"
    ]
    assert list(news([SENT], [SENT])) == []


def test_a_failure_is_said_with_its_reason() -> None:
    assert list(news([QUEUED], [FAILED])) == ["failed payment link to Siti: not on WhatsApp"]


def test_instants_are_short() -> None:
    assert [clock(at_s) for at_s in (0.0, 5.04, 95.26, None)] == [":00.0", ":05.0", ":95.3", "-"]
    assert [off(by_s) for by_s in (0.04, -0.04, 40.0, None)] == ["+0.0", "+0.0", "+40.0", ""]
