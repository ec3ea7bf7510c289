"""What is thought of a run, and its picture, from a log written by hand."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from rich.console import Console

from loadtests.demo import panel, timeline
from loadtests.demo.gateway import Arrival, expectation
from loadtests.demo.judgement import Judgement, judge
from loadtests.demo.plan import due_s
from loadtests.demo.record import Message, Record, read
from loadtests.mock_gateway.verdict import Finding, SenderVerdict, Verdict

NOTHING = Finding(count=0, examples=[])


def a_message(place: int, user: str, priority: str, *, queued_s: float, eta_s: float) -> Message:
    return Message(
        place=place,
        user=user,
        kind="payment link" if priority == "high" else "activation",
        priority=priority,
        recipient=f"0812-0000-000{place}",
        text=f"text {place}",
        state="sent",
        queued_s=queued_s,
        eta_s=eta_s,
        sent_s=None,
    )


RECORD = Record(
    sender="628110000000",
    pace_s=10,
    first_registration_us=1_000_000,
    messages=[
        a_message(1, "Siti", "high", queued_s=0, eta_s=5),
        a_message(2, "Budi", "high", queued_s=1, eta_s=15),
        a_message(3, "Siti", "normal", queued_s=0, eta_s=15),
    ],
)


def call(number: int, at_s: float, text: str) -> Arrival:
    return Arrival(call=number, arrived_us=1_000_000 + round(at_s * 1e6), text=text, delivered=True)


def verdict(*problems: str, smallest_gap_s: float | None = 10.01) -> Verdict:
    lane = SenderVerdict(calls=3, delivered=3, smallest_gap_s=smallest_gap_s, short_gaps=0)
    return Verdict(
        clean=not problems,
        problems=list(problems),
        calls=3,
        delivered=3,
        pace_s=10,
        senders={"628110000000": lane},
        short_gaps=0,
        worst_gaps=[],
        doubled=NOTHING,
        altered=NOTHING,
        lost=NOTHING,
        unexpected=NOTHING,
        inversions=None,
        overtaken=None,
        banned=[],
    )


def on_time() -> Judgement:
    calls = [call(1, 5.01, "text 1"), call(2, 15.02, "text 2"), call(3, 25.04, "text 3")]
    return judge(RECORD, calls, verdict())


def said(judgement: Judgement) -> str:
    console = Console(width=80, force_terminal=False)
    with console.capture() as capture:
        console.print(panel.render(judgement))
    return capture.get()


def test_the_founding_timeline() -> None:
    assert [due_s(place, 10) for place in (1, 2, 3, 4, 5, 6, 10)] == [5, 15, 25, 35, 45, 55, 95]
    assert due_s(10, 1) == 9.5


def test_a_run_on_time_is_clean() -> None:
    judgement = on_time()

    assert [one.off_s for one in judgement.reached] == pytest.approx([0.01, 0.02, 0.04])
    assert judgement.problems == []
    assert judgement.smallest_gap_s == 10.01


@pytest.mark.parametrize("at_s", [14.74, 15.26])
def test_a_payment_link_more_than_a_quarter_second_off_is_a_problem(at_s: float) -> None:
    calls = [call(1, 5.25, "text 1"), call(2, at_s, "text 2"), call(3, 26.0, "text 3")]

    judgement = judge(RECORD, calls, verdict())

    assert judgement.problems == [
        f"payment link to Budi came {at_s - 15:+.3f} s off: more than 0.25 s"
    ]


def test_a_payment_link_that_never_came_is_a_problem_beside_the_gateways_own() -> None:
    judgement = judge(RECORD, [call(1, 5.0, "text 1")], verdict("2 expected messages were lost"))

    assert judgement.problems == [
        "2 expected messages were lost",
        "payment link to Budi never reached the gateway",
    ]


def test_the_gateway_is_told_what_to_expect_in_which_order() -> None:
    wanted = expectation(RECORD)

    assert (wanted.pace, wanted.expect, wanted.order) == (10, 3, (0, 1, 2))
    assert wanted.expected is not None
    assert [(one.text, one.priority, one.queued_at_us) for one in wanted.expected] == [
        ("text 1", 1, 1_000_000),
        ("text 2", 1, 2_000_000),
        ("text 3", 2, 1_000_000),
    ]


def test_a_run_that_wrote_no_record_has_none(tmp_path: Path) -> None:
    assert read(tmp_path / "record.json") is None


def test_a_panel_says_how_far_each_payment_link_was_off() -> None:
    words = said(on_time())

    assert "The gateway's verdict: clean" in words
    assert "10.010 s  10.000 s" in words
    assert re.search(r"payment link to Budi +15\.000 +15\.020 +\+0\.020 +ok", words)


def test_a_panel_names_every_problem() -> None:
    words = said(judge(RECORD, [], verdict("no send call was received", smallest_gap_s=None)))

    assert "The gateway's verdict: not clean" in words
    assert "- no send call was received" in words
    assert "- payment link to Siti never reached the gateway" in words


def test_a_picture_has_a_row_for_each_message_a_slot_for_each_and_every_gap() -> None:
    figure = timeline.draw(on_time())

    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        *("Siti", "Budi", "Siti"),
        "gaps (s)",
    ]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["5", "15", "25"]
    bars = [patch.get_extents().transformed(axes.transData.inverted()) for patch in axes.patches]
    assert [(bar.x0, bar.x1) for bar in bars] == [
        (pytest.approx(0), pytest.approx(5.01)),
        (pytest.approx(1), pytest.approx(15.02)),
        (pytest.approx(0), pytest.approx(25.04)),
    ]
    words = {text.get_text() for text in axes.texts}
    assert {"10.010", "10.020", "5.01", "15.02", "25.04"} <= words
    assert "seconds" in axes.get_xlabel()


def test_a_picture_of_a_second_call_and_of_none_can_be_drawn() -> None:
    calls = [call(1, 5.0, "text 1"), call(2, 15.0, "text 1")]
    figure = timeline.draw(judge(RECORD, calls, verdict("1 deliveries too many " + "x " * 200)))

    figure.savefig(BytesIO(), format="png")

    words = {text.get_text() for text in figure.axes[0].texts}
    assert {"5.00, 15.00", "never arrived", "10.000"} <= words
    assert max(len(text.get_text()) for text in figure.texts) <= 100
